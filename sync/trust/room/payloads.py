# SPDX-License-Identifier: EUPL-1.2
"""The content of the entries in a room's stream, one class for each type (protocol §5). payload_reading.py decodes
their bytes."""

from dataclasses import dataclass

from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The first entry of a room. `policy` maps names to values. If this room continues a closed one, `successor` is
    that room's id, a position in it and the running hash there; otherwise None."""

    nonce: bytes
    policy: dict[str, object]
    successor: tuple[bytes, int, bytes] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Adds a member. `seal_hash` is the hash of the newcomer's seal. `epoch` is present for an add without history, and
    whenever the add rotates."""

    uid: Uid
    role: Role
    history: bool
    ulog: tuple[int, Hash]
    seal_hash: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Takes a member out. It carries the next epoch, which that member cannot open. The reason is only in the encrypted
    note."""

    uid: Uid
    note: bytes
    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Signed by the member who leaves, without an epoch: the room owes a rotation after it."""

    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole:
    """Raises or lowers a role. After a lowered role the room owes a rotation, unless the entry carries an epoch."""

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
    """Makes a new epoch and does nothing more."""

    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Pins newer user-log heads of members."""

    pins: tuple[tuple[Uid, int, Hash], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hist:
    """Gives a member without history the archive key from here on; `proposal` is the approved entry's id."""

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
    """An encrypted remark in the timeline."""

    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotOpen:
    e: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """Disposal of an object (gallring): `rule` and `decision` are hashes of the texts."""

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
    """States that the agency's recovery key is used; the details are encrypted for the members."""

    epochs: tuple[int, ...]
    officers: tuple[Uid, ...]
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Stands for a type, extension or payload that could not be read: the entry is void with this code.

    `needs` names the feature ("type x", "ext 2") that a policy would have to enable, if that is the only reason.
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
