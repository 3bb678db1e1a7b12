# SPDX-License-Identifier: EUPL-1.2
"""What a room is after position n: members, roles, epochs, pins, device heads. Plain state, no rules; its bytes are in
state_codec.py.

Containers are replaced, never changed in place: a slice that turns out false is undone by taking the old references
back, and encoded parts are kept while they stay the same. Device heads, shares, persons' use and what is missing are
changed in place (see RoomStream's journal).
"""

from dataclasses import dataclass, field

from sync.ids import NO_ROOM, Hash, RoomId, Uid
from sync.trust.formats.items import RH_0, Role
from sync.trust.keys.epochs import Epoch
from sync.trust.room.used_totals import Used


@dataclass(frozen=True, slots=True)
class Member:
    """A member since the entry `add_id` at position `since_n` (time `since_t`, ms)."""

    uid: Uid
    role: Role
    since_n: int
    since_t: int
    history: bool
    add_id: Hash
    admin_t: int | None = None
    """Since when (ms, server's time) the member may administer; 0 from genesis, None if not an administrator."""


@dataclass(frozen=True, slots=True)
class DeviceHead:
    """A device's newest positioned envelope in this room, and the newest position it had seen."""

    dev_seq: int
    ident: bytes
    n: int
    seen_n: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open proposal by `by`; `approved` is the second administrator's uid."""

    what: str
    subject: bytes
    by: Uid
    approved: Uid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An object's state up to position `covers`, by `uid`; its last piece stands at `n`. `attests`: whose word it has
    besides, and where that stands."""

    ident: Hash
    n: int
    t: int
    uid: Uid
    covers: int
    attests: tuple[tuple[Uid, int], ...] = ()


class Missing(dict[int, bytes]):
    """Positions whose content the server did not give, with their object; new ones come last."""

    dropped = 0
    """How many `drop` has taken out. Once it has taken one out, the bytes that were encoded before are not the
    beginning of the encoding any more."""

    def drop(self, n: int) -> None:
        """Takes out a position whose content was received. Does nothing for a position that is not in it."""
        self.dropped += self.pop(n, None) is not None


@dataclass(slots=True)
class RoomState:
    """Everything that judging the next item needs, but the user logs and old running hashes."""

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
    """By object, the oldest first."""
    baselines: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    """The newest of each object: its position, epoch, and the position that its author had seen."""
    used: dict[Uid, Used] = field(default_factory=dict)
    """What each person has used of the room's totals; the sums under `EVERYBODY`."""

    def owners(self) -> int:
        return sum(m.role is Role.OWNER for m in self.members.values())
