# SPDX-License-Identifier: EUPL-1.2
"""What the engine asks its owner before it follows a room to which the person was added (protocol §11)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sync.ids import RoomId, Uid
from sync.trust.room.successor_claim import Origin


class Verdict(Enum):
    """What becomes of a room to which the person was added."""

    OPEN = "open"
    """It is followed like every other."""
    ASK = "ask"
    """It is an invitation: the person is asked."""
    HIDE = "hide"
    """Nothing of it is read or shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What the headers of a room say of how the person came into it. Position `n` is where the room stood then.

    `adder` added them at position `added_n` (time `t`, the server's, ms) as `role`, with the `history` or without.
    `wrote`: an item of theirs is in the room, `spoke`: behind the addition. `left`: they left it themselves, and have
    no item behind the addition. `long`: the room was not read from its beginning: `origin`, `wrote`, `spoke` and `left`
    are not known, and `adder` only if the addition is one of the newest entries.
    """

    room: RoomId
    n: int
    adder: Uid | None = None
    added_n: int = 0
    t: int = 0
    role: int = 0
    history: bool = False
    founder: Uid | None = None
    origin: Origin | None = None
    wrote: bool = False
    spoke: bool = False
    left: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedRecord:
    """A record of the room itself, decrypted and not read: who wrote it at which position."""

    n: int
    uid: Uid
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A room that waits for the person's answer, and the few records of it that were opened, in its order."""

    added: Added
    read: bool = False
    """Whether records were asked for: one of so many that are not."""
    records: tuple[InvitedRecord, ...] = ()


class Consent(Protocol):
    """The owner's answers. Called on the event loop; must not block or raise."""

    def answered(self, room: RoomId) -> Verdict | None:
        """OPEN or HIDE if the person has answered already; None: the room's headers must be read first."""
        ...

    def decide(self, added: Added) -> Verdict: ...

    def reads(self, added: Added) -> bool:
        """Whether an invitation's few records are fetched and opened; not if there are too many invitations."""
        ...

    def on_invitations(self) -> None:
        """`Engine.invitations` changed."""
        ...
