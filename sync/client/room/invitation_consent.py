# SPDX-License-Identifier: EUPL-1.2
"""The questions that the engine asks the application before it follows a room to which the person was added (protocol
§11)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sync.ids import RoomId, Uid
from sync.trust.formats.items import Role
from sync.trust.room.successor_claim import Origin


class Verdict(Enum):
    """The application's decision about a room to which somebody added this person: follow it (OPEN), ask the person
    (ASK), or neither follow nor show it (HIDE)."""

    OPEN = "open"
    """The room is followed like every other."""
    ASK = "ask"
    """The room is an invitation: the person is asked."""
    HIDE = "hide"
    """Nothing of the room is read or shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How somebody added this person to a room: a summary of the room's headers, read when `n` was its last position.
    The application decides by it whether the room is followed.

    `adder` added the person at position `added_n` (time `t`, the server's, ms) as `role`, with the `history` or
    without. `founder` created the room; `origin` is the earlier room that it claims to continue, None if it claims
    none. `wrote`: an item of this person is in the room, other than their leaving; `spoke`: one is after the addition.
    `left`: the person left the room themselves, and has no item after the addition.

    `long`: the room is too long to be read whole. `founder` is known then; `origin`, `wrote`, `spoke` and `left` are
    not, and `adder`, `added_n`, `t`, `role` and `history` only if the addition is one of the newest entries. What is
    not known is None, 0 or False.
    """

    room: RoomId
    n: int
    adder: Uid | None = None
    added_n: int = 0
    t: int = 0
    role: Role | None = None
    history: bool = False
    founder: Uid | None = None
    origin: Origin | None = None
    wrote: bool = False
    spoke: bool = False
    left: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedRecord:
    """One record about a room that this person is invited to, such as its name: decrypted, and not interpreted. `uid`
    wrote it at position `n`."""

    n: int
    uid: Uid
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A room to which this person was added and which waits for their answer. `records` are the few of its records that
    were opened, so that the person can see which room it is, in the room's order."""

    added: Added
    read: bool = False
    """Whether its records were fetched. They are not if there are too many invitations."""
    records: tuple[InvitedRecord, ...] = ()


class Consent(Protocol):
    """What the engine asks the application about a room to which somebody added the person, before it follows the room:
    whether the person has answered already, whether the room is followed, hidden or shown as an invitation (a Verdict),
    and whether a few records of an invitation are read for the person to see. It also notifies the application when
    the list of invitations has changed. The application implements it. Called on the event loop; must not block or
    raise."""

    def answered(self, room: RoomId, n: int) -> Verdict | None:
        """OPEN or HIDE if the person has answered already about a room whose last position is `n`; None if the room's
        headers must be read first."""
        ...

    def decide(self, added: Added) -> Verdict: ...

    def reads(self, added: Added) -> bool:
        """Whether an invitation's few records are fetched and opened; False if there are too many invitations."""
        ...

    def on_invitations(self) -> None:
        """`Engine.invitations` changed."""
        ...
