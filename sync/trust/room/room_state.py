# SPDX-License-Identifier: EUPL-1.2
"""The state of a room after position n: members, roles, epochs, pins, device heads. Plain state without rules; its
bytes are in state_codec.py.

Containers are replaced and not changed in place. A slice that turns out to be false is then undone by restoring the old
references, and an encoded part is kept while its container stays the same. Device heads, shares, persons' use and
missing content are changed in place (see RoomStream's journal).
"""

from dataclasses import dataclass, field

from sync.ids import NO_ROOM, Hash, RoomId, Uid
from sync.trust.formats.items import RH_0, Role
from sync.trust.keys.epochs import Epoch
from sync.trust.room.used_totals import Used


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a room: their role, and whether they may read what was written before they were added (`history`).
    `add_id` is the id of the entry that added them, `since_n` its position, and `since_t` its time (ms). `admin_t` is
    the time (ms) since which they may administer: 0 for the founder, None if they may not."""

    uid: Uid
    role: Role
    since_n: int
    since_t: int
    history: bool
    add_id: Hash
    admin_t: int | None = None
    """The time since which the member may administer (ms, server's time); 0 from genesis, None if the member is no
    administrator."""


@dataclass(frozen=True, slots=True)
class DeviceHead:
    """A device's newest envelope in a room, which its next one must name as the one before it, unless its person was
    added to the room later: then that one names the entry of the add. It has a number among the device's envelopes
    (`dev_seq`; the next one is higher, but need not be this plus 1), an id (`ident`) and a position `n`; all zero if
    the device has posted only entries. `seen_n` is the newest position of the room that the device has stated to have
    verified."""

    dev_seq: int
    ident: bytes
    n: int
    seen_n: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open proposal by the member `by`, which takes effect only with a second administrator. `what` it is about, and
    the `subject`: "hist" (give a member the history) with the member's uid, "history" (a new value of that policy) with
    b"all" or b"from-now", or "recovery" with the encoded list of the agency's recovery keys. `approved` is the second
    administrator's uid, None until one has approved; only one of "hist" stays open then, until the history is given."""

    what: str
    subject: bytes
    by: Uid
    approved: Uid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a room remembers of one snapshot: an object's state up to position `covers`, made by `uid`. It is sent in
    pieces; the last one has id `ident`, position `n` and time `t` (ms). `attests` are the other members who state that
    the snapshot is right, each with the position of that statement. In a room of one's own these are the person's
    devices (`snapshots.attester`)."""

    ident: Hash
    n: int
    t: int
    uid: Uid
    covers: int
    attests: tuple[tuple[bytes, int], ...] = ()


class Missing(dict[int, bytes]):
    """Positions whose content the server did not send and that no destroy or prune explains yet, each with its object's
    id. New ones come last."""

    dropped = 0
    """How many `drop` has removed. After the first one the bytes that were encoded before are not the beginning of the
    encoding any more."""

    def drop(self, n: int) -> None:
        """Removes a position whose content was received. Does nothing for a position that is not in it."""
        self.dropped += self.pop(n, None) is not None


@dataclass(slots=True)
class RoomState:
    """What is known of one room after position `n`: its members, keys, policy and objects, that is everything that
    judging the next item needs, except the user logs and old running hashes. `rh` and `t` (ms) are the running hash and
    the time at `n`; `entry_seq` and `entry_head` the number and hash of the newest entry; `epoch` is the newest key
    generation. While `rotation_owed`, a new one must come before anything is written. `device_heads`: each device's
    newest envelope. `pins`: the (number, hash) of each person's user log that counts in the room, also of former
    members. `destroyed`: the position at which each object was destroyed; `pruned`: the position up to which it is
    pruned. `dev_owner`: whose each device is. `shares`: by object the commitment (hash) to its share, the random value
    without which its content keys cannot be derived."""

    room: RoomId = NO_ROOM
    n: int = 0
    rh: Hash = RH_0
    t: int = 0
    entry_seq: int = -1
    entry_head: bytes = bytes(32)
    epoch: int = 0
    rotation_owed: bool = True
    members: dict[Uid, Member] = field(default_factory=dict)
    epochs: dict[int, Epoch] = field(default_factory=dict)
    pins: dict[Uid, tuple[int, Hash]] = field(default_factory=dict)
    policy: dict[str, object] = field(default_factory=dict)
    proposals: dict[Hash, Proposal] = field(default_factory=dict)
    destroyed: dict[bytes, int] = field(default_factory=dict)
    pruned: dict[bytes, int] = field(default_factory=dict)
    dev_owner: dict[bytes, Uid] = field(default_factory=dict)
    device_heads: dict[bytes, DeviceHead] = field(default_factory=dict)
    shares: dict[bytes, bytes] = field(default_factory=dict)
    missing: Missing = field(default_factory=Missing)
    """Missing content that no destroy or prune explains yet."""
    snapshots: dict[bytes, tuple[Snapshot, ...]] = field(default_factory=dict)
    """The snapshots of each object, the oldest first."""
    baselines: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    """The newest baseline of each object: its position, its epoch, and the position that its author had seen."""
    used: dict[Uid, Used] = field(default_factory=dict)
    """Each person's use of the room's totals; the sums are under `EVERYBODY`."""

    def owners(self) -> int:
        return sum(m.role is Role.OWNER for m in self.members.values())
