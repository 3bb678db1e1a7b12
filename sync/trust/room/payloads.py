# SPDX-License-Identifier: EUPL-1.2
"""What the entries of a room's stream say, one class for each type (protocol §5). Their bytes: payload_reading.py."""

from dataclasses import dataclass

from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """`policy` maps names to values; `successor` is [room, n, rh] of a closed room that this one continues."""

    nonce: bytes
    policy: dict[str, object]
    successor: tuple[bytes, int, bytes] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """`seal_hash` is of the newcomer's seal; `epoch` is there for from-now and whenever the add rotates."""

    uid: Uid
    role: Role
    history: bool
    ulog: tuple[int, Hash]
    seal_hash: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Takes a member out; it carries the epoch that member cannot open. Why, is in the sealed note alone."""

    uid: Uid
    note: bytes
    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Signed by the leaver, without an epoch: the room is dirty after it."""

    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole:
    """Raises or lowers a role; lowering makes the room dirty unless it carries an epoch."""

    uid: Uid
    role: Role
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Changes the room's policy. "format" enables extension ids, kinds and types."""

    changes: dict[str, object]
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """A new epoch, nothing else."""

    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Newer user-log heads of members."""

    pins: tuple[tuple[Uid, int, Hash], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hist:
    """Gives a from-now member the archive key from here on; `proposal` is the approved entry's id."""

    uid: Uid
    proposal: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Proposes a change that a second administrator approves: "hist" (`subject`: a member's uid), "history" (the
    policy's new value) or "recovery" (`enc` of the new list)."""

    what: str
    subject: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    proposal: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sealed remark in the timeline."""

    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotOpen:
    e: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """Gallring of an object: `rule` and `decision` are hashes of the texts."""

    obj: ObjId
    rule: bytes
    decision: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    obj: ObjId
    n: int
    snapshot: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryUse:
    """The agency's recovery key is used; the details are sealed to the members."""

    epochs: tuple[int, ...]
    officers: tuple[Uid, ...]
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What an entry's type, extension or payload could not be read as: the entry is void with this code.

    `needs` names the feature ("type x", "ext 2") that a policy would have to enable, if that is all.
    """

    code: str
    needs: str = ""


Payload = (
    Unreadable
    | Genesis
    | Add
    | Remove
    | Leave
    | SetRole
    | Policy
    | Rotate
    | Pin
    | Hist
    | Propose
    | Approve
    | Note
    | CannotOpen
    | Destroy
    | Prune
    | RecoveryUse
)
