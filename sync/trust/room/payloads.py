# SPDX-License-Identifier: EUPL-1.2
"""The content of the entries in a room's stream, one class for each type (protocol §5). payload_reading.py decodes
their bytes."""

from dataclasses import dataclass

from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The content of a room's first entry. `nonce` is random, so that the room's id is unique. `policy` has the room's
    settings by name. If this room continues a stopped one, `predecessor` is that room's id, a position in it and the
    running hash there; otherwise None."""

    nonce: bytes
    policy: dict[str, object]
    predecessor: tuple[bytes, int, bytes] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """The content of an entry that adds the person `uid` as a member. `history` is true if they receive the keys of
    what was written before. `ulog` is the (number, hash) of their user log that counts for them, `seal_hash` the hash
    of the keys sealed to them. `epoch` has new keys for the room; None if they receive the present ones, as only an add
    with history can."""

    uid: Uid
    role: Role
    history: bool
    ulog: tuple[int, Hash]
    seal_hash: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """The content of an entry that removes the member `uid`. It carries the next epoch: keys that this member does not
    receive. The reason is only in the encrypted note."""

    uid: Uid
    note: bytes
    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """The content of an entry by which its author leaves the room. It has no epoch: the room owes a rotation after it
    (new keys must come before anything else is written). `note` is empty today."""

    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole:
    """The content of an entry that raises or lowers the role of the member `uid` to `role`. After a lowered role the
    room owes a rotation (new keys must come before anything else is written), unless the entry carries an epoch with
    new ones."""

    uid: Uid
    role: Role
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The content of an entry that changes the room's policy: `changes` has the new values by name; an entry that names
    "history" or "recovery" is void, since these change only by an approved proposal, and one that names "own", which
    never changes. Its "format" enables extensions,
    kinds of envelopes and types of entries that older programs do not know. `epoch` has new keys for the room, None
    without."""

    changes: dict[str, object]
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """The content of an entry that carries a new epoch, that is new keys for the room, and does nothing more."""

    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The content of an entry that states newer heads of the members' user logs: (person, number, hash) of each. From
    here on these logs count in the room up to there, so that a device which they revoke, or a membership of a person
    whose log the agency ended, ends here too."""

    pins: tuple[tuple[Uid, int, Hash], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hist:
    """The content of an entry that lets the member `uid`, who could not read the history, read it: from this entry on
    they receive the archive key, which opens the older keys. `proposal` is the hash of the proposal that an
    administrator made for it; unless it was approved, the entry is void. `epoch` has new keys for the room, None if
    they receive the present archive key."""

    uid: Uid
    proposal: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """The content of an entry that proposes a change, which a second administrator approves. `what` says which, and
    `subject` is the value for it: for "hist" (give the history to a member) the member's uid, for "history" (a new
    value of that policy) b"all" or b"from-now", for "recovery" the encoded list of the agency's recovery keys."""

    what: str
    subject: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    proposal: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The content of an entry that is an encrypted remark (`sealed`) in the room's timeline."""

    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotOpen:
    e: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """The content of an entry that orders the disposal of the object `obj` (gallring). From here on the object takes no
    more changes, and the server need not give its content any more. `rule` and `decision` are hashes of the texts that
    order it."""

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
    """The content of an entry which states that officers of the agency (`officers`) open the keys of these `epochs`
    with the agency's recovery key; the details are encrypted for the members (`sealed`)."""

    epochs: tuple[int, ...]
    officers: tuple[Uid, ...]
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """In place of the content of an entry whose type, extension or payload could not be read. The entry is void (has no
    effect), with `code` as the reason.

    `needs` names the features ("type x", "ext 2") that a policy would have to enable, if that is the only reason. It
    is empty for a payload of a wrong form.
    """

    code: str
    needs: tuple[str, ...] = ()


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
