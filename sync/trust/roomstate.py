# SPDX-License-Identifier: EUPL-1.2
"""What a room is after position n: members, roles, epochs, pins, device heads. Plain state, no rules.

Containers are replaced, never changed in place (device heads and shares excepted, see RoomStream's journal): a slice
that turns out false is undone by taking the old references back, and encoded parts are kept while they stay the same.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from sync.crypto.encoding import ARRAY, dec, enc, head
from sync.errors import Reject
from sync.ids import NO_ROOM, Hash, RoomId, Uid
from sync.trust import fields
from sync.trust.epochs import Epoch
from sync.trust.items import RH_0, Role
from sync.trust.used import Rows, Used, pack_used, read_used

STATE_VERSION = 3
STATE_LIMIT = 64 * 1024 * 1024
"""A state of this size is the largest that is made and read. Totals (totals.py) keep every room's below it."""
STATE_TOO_LARGE = ("oversize", "room state")
"""Code and place of the Reject for a state that `decode_state` would not read again."""
_DEVICE = struct.Struct(">16sQ32sQQ")
_SHARE = struct.Struct(">16s32s")
_MEMBER = struct.Struct(">16sBQQ?32sQ")
_PIN = struct.Struct(">16sQ32s")
_POSITION = struct.Struct(">16sQ")
_OWNER = struct.Struct(">16s16s")
_BASELINE = struct.Struct(">16sQQQ")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


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
    dirty: bool = True
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
    missing: dict[int, bytes] = field(default_factory=dict)
    """Positions whose content the server did not give, with their object, that no destroy or prune explains yet."""
    snapshots: dict[bytes, tuple[Snapshot, ...]] = field(default_factory=dict)
    """By object, the oldest first."""
    baselines: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    """The newest of each object: its position, epoch, and the position that its author had seen."""
    used: dict[Uid, Used] = field(default_factory=dict)
    """What each person has used of the room's totals; the sums under `EVERYBODY`."""

    def owners(self) -> int:
        return sum(m.role is Role.OWNER for m in self.members.values())


class StateCodec:
    """RoomState to bytes and back. One per room: it keeps the encoding of parts that did not change.

    2,000 members take 0.4 MB; a message changes one row of the device heads, the rest is copied as it stands.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, bytes]] = {}
        self._heads = Rows()
        self._used = Rows()
        self._shares = b""
        self._rows: dict[str, dict[object, tuple[object, bytes]]] = {}
        """By part and key: the row's value when it was last encoded, and its bytes."""

    def encode(self, s: RoomState, touched: Iterable[bytes], used: Iterable[bytes]) -> bytes:
        """`touched` and `used`: the devices whose heads, and the persons whose use, may have changed since the last
        call, in order of doing so. Reject STATE_TOO_LARGE for more than can be read again."""
        parts = [
            self._part("members", s.members, _pack_members),
            self._listed("epochs", s.epochs, _epoch_row),
            self._part("pins", s.pins, _pack_pins),
            self._part("policy", s.policy, enc),
            self._part("proposals", s.proposals, _pack_proposals),
            self._part("destroyed", s.destroyed, _pack_positions),
            self._part("pruned", s.pruned, _pack_positions),
            self._part("dev_owner", s.dev_owner, _pack_owners),
            self._heads.pack(s.device_heads, touched, _pack_head),
            self._pack_shares(s.shares),
            self._part("missing", s.missing, _pack_missing),
            self._listed("snapshots", s.snapshots, _snapshots_row),
            self._part("baselines", s.baselines, _pack_baselines),
            self._used.pack(s.used, used, pack_used),
        ]
        first = [STATE_VERSION, s.room, s.n, s.rh, s.t, s.entry_seq + 1, s.entry_head, s.epoch, s.dirty]
        data = enc([*first, parts])
        if len(data) > STATE_LIMIT:  # ▲ checked where it is made: nobody could read it again
            raise Reject(*STATE_TOO_LARGE)
        return data

    def _part(self, name: str, value: T, pack: Callable[[T], bytes]) -> bytes:
        kept = self._kept.get(name)
        if kept is None or kept[0] is not value:
            kept = (value, pack(value))
            self._kept[name] = kept
        return kept[1]

    def _listed(self, name: str, value: Mapping[K, V], row: Callable[[K, V], object]) -> bytes:
        """Encodes a part row by row. A row whose value is the same object as before is not encoded again. ▲ Otherwise
        each new snapshot in a room of thousands would take 0.2 s of every member's loop."""

        def pack(rows: Mapping[K, V]) -> bytes:
            before, kept = self._rows.get(name, {}), dict[object, tuple[object, bytes]]()
            for key, held in rows.items():
                old = before.get(key)
                kept[key] = old if old is not None and old[0] is held else (held, enc(row(key, held)))
            self._rows[name] = kept
            return head(ARRAY, len(kept)) + b"".join(packed for _, packed in kept.values())

        return self._part(name, value, pack)

    def _pack_shares(self, shares: dict[bytes, bytes]) -> bytes:
        """Shares are only ever added: those that are packed stand, the new ones follow."""
        packed = len(self._shares) // _SHARE.size
        if packed < len(shares):
            self._shares += b"".join(_SHARE.pack(o, c) for o, c in islice(shares.items(), packed, None))
        return self._shares


def decode_state(data: bytes) -> RoomState:
    """The state from its bytes; Reject "format" for another version. Its bytes are our own, from an encrypted store."""
    value = dec(data, limit=STATE_LIMIT)
    if type(value) is not list or not value or value[0] != STATE_VERSION:
        raise Reject("format", "room state")
    _, room, n, rh, t, entries, entry_head, epoch, dirty, parts = fields.array(value, 10, "room state")
    packed = [fields.blob(p, STATE_LIMIT, "room state") for p in fields.array(parts, 14, "room state")]
    members, epochs, pins, policy, proposals, destroyed, pruned, owners, heads, shares, missing = packed[:11]
    snapshots, baselines, used = packed[11:]
    return RoomState(
        room=RoomId(fields.raw(room, 16, "room state")),
        n=fields.u64(n, "room state"),
        rh=Hash(fields.raw(rh, 32, "room state")),
        t=fields.u64(t, "room state"),
        entry_seq=fields.u64(entries, "room state") - 1,
        entry_head=fields.raw(entry_head, 32, "room state"),
        epoch=fields.u64(epoch, "room state"),
        dirty=fields.flag(dirty, "room state"),
        members=_read_members(members),
        epochs=_read_epochs(_rows(epochs)),
        pins={Uid(u): (q, Hash(h)) for u, q, h in _PIN.iter_unpack(pins)},
        policy=dec(policy, limit=STATE_LIMIT),  # type: ignore[arg-type]  # our own
        proposals={
            Hash(i): Proposal(w, s, Uid(b), None if a is None else Uid(a)) for i, w, s, b, a in _rows(proposals)
        },
        destroyed=dict(_POSITION.iter_unpack(destroyed)),
        pruned=dict(_POSITION.iter_unpack(pruned)),
        dev_owner={d: Uid(u) for d, u in _OWNER.iter_unpack(owners)},
        device_heads={d: DeviceHead(q, i, p, e) for d, q, i, p, e in _DEVICE.iter_unpack(heads)},
        shares=dict(_SHARE.iter_unpack(shares)),
        missing={n: obj for obj, n in _POSITION.iter_unpack(missing)},
        snapshots={obj: tuple(map(_read_snapshot, rows)) for obj, rows in _rows(snapshots)},
        baselines={obj: (at, e, seen) for obj, at, e, seen in _BASELINE.iter_unpack(baselines)},
        used=read_used(used),
    )


def _rows(part: bytes) -> list:  # type: ignore[type-arg]  # rows of our own making
    rows = dec(part, limit=STATE_LIMIT)
    return rows if isinstance(rows, list) else []


def _pack_members(members: dict[Uid, Member]) -> bytes:
    return b"".join(
        _MEMBER.pack(
            m.uid, m.role, m.since_n, m.since_t, m.history, m.add_id, 0 if m.admin_t is None else m.admin_t + 1
        )
        for m in members.values()
    )


def _read_members(packed: bytes) -> dict[Uid, Member]:
    return {
        Uid(u): Member(Uid(u), Role(r), n, t, h, Hash(a), admin - 1 if admin else None)
        for u, r, n, t, h, a, admin in _MEMBER.iter_unpack(packed)
    }


def _pack_head(dev: bytes, at: DeviceHead) -> bytes:
    return _DEVICE.pack(dev, at.dev_seq, at.ident, at.n, at.seen_n)


def _epoch_row(e: int, epoch: Epoch) -> object:
    return [epoch.payload(), epoch.n, epoch.by]


def _read_epochs(rows: list) -> dict[int, Epoch]:  # type: ignore[type-arg]
    read = [replace(Epoch.read(block), n=n, by=Uid(by)) for block, n, by in rows]
    return {epoch.e: epoch for epoch in read}


def _pack_pins(pins: dict[Uid, tuple[int, Hash]]) -> bytes:
    return b"".join(_PIN.pack(u, q, h) for u, (q, h) in pins.items())


def _pack_proposals(proposals: dict[Hash, Proposal]) -> bytes:
    return enc([[i, p.what, p.subject, p.by, p.approved] for i, p in proposals.items()])


def _pack_positions(positions: dict[bytes, int]) -> bytes:
    return b"".join(_POSITION.pack(o, n) for o, n in positions.items())


def _pack_missing(missing: dict[int, bytes]) -> bytes:
    return b"".join(_POSITION.pack(obj, n) for n, obj in missing.items())


def _pack_owners(owners: dict[bytes, Uid]) -> bytes:
    return b"".join(_OWNER.pack(d, u) for d, u in owners.items())


def _snapshots_row(obj: bytes, rows: tuple[Snapshot, ...]) -> object:
    return [obj, [[x.ident, x.n, x.t, x.uid, x.covers, [list(a) for a in x.attests]] for x in rows]]


def _read_snapshot(row: list) -> Snapshot:  # type: ignore[type-arg]
    ident, n, t, uid, covers, attests = row
    told = tuple((Uid(u), at) for u, at in attests)
    return Snapshot(ident=Hash(ident), n=n, t=t, uid=Uid(uid), covers=covers, attests=told)


def _pack_baselines(baselines: dict[bytes, tuple[int, int, int]]) -> bytes:
    return b"".join(_BASELINE.pack(obj, *row) for obj, row in baselines.items())
