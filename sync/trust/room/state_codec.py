# SPDX-License-Identifier: EUPL-1.2
"""Encodes a room's state to the bytes that are stored, and decodes it. Parts that did not change are not encoded again,
and a large state is read in pieces."""

import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from sync.crypto.encoding import ARRAY, dec, each, enc, head
from sync.errors import Reject
from sync.ids import Hash, RoomId, Uid
from sync.pieces import finished
from sync.trust.formats import fields
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch
from sync.trust.room.room_state import DeviceHead, Member, Missing, Proposal, RoomState, Snapshot
from sync.trust.room.used_totals import Rows, pack_used, read_used

STATE_VERSION = 3
STATE_LIMIT = 64 * 1024 * 1024
"""The largest state that is written and read, in bytes. Totals (totals.py) keep every room's state below it."""
STATE_TOO_LARGE = ("oversize", "room state")
"""Code and place of the Reject for a state that `decode_state` would not read again."""
_PARTS = (
    *("members", "epochs", "pins", "policy", "proposals", "destroyed", "pruned", "dev_owner", "device_heads"),
    *("shares", "missing", "snapshots", "baselines", "used"),
)
"""The parts of a state in their order, by the names of their fields."""
_PIECE, _PIECE_ENCODED = 500, 20
"""Rows that are read in one piece: packed ones take 2 µs each, encoded ones 50 µs with some attests."""
_LARGE_BYTES = 64 * 1024
"""When a larger state is read, its bytes are kept and not encoded again. A smaller one is encoded in 2 ms."""
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


class StateCodec:
    """Encodes the state of a room to bytes. There is one codec per room: it keeps the encoding of the parts that did
    not change since the last call.

    2,000 members take 0.4 MB; a message changes one row of the device heads, and the rest is copied unchanged.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, bytes]] = {}
        self._heads = Rows()
        self._used = Rows()
        self._shares = b""
        self._missing: tuple[Missing, int, bytes] = Missing(), 0, b""
        """What was packed last, its `dropped` at that time, and its bytes."""
        self._rows: dict[str, dict[object, tuple[object, bytes]]] = {}
        """By part and key: the row's value when it was last encoded, and its bytes."""

    def begin(
        self, s: RoomState, parts: Sequence[bytes], rows: Mapping[str, dict[object, tuple[object, bytes]]]
    ) -> None:
        """Keeps the bytes that the state `s` was read from, so that they are not encoded again. `parts` are the encoded
        fields, in the order of _PARTS; `rows` has, for the epochs and the snapshots, each row's value and bytes by its
        key. ▲ Otherwise the first `encode` after a start of the program would encode the whole state: 0.2 s in a room
        of thousands of snapshots."""
        read = dict(zip(_PARTS, parts, strict=True))
        self._shares = read.pop("shares")
        self._missing = s.missing, s.missing.dropped, read.pop("missing")
        self._heads.begin(read.pop("device_heads"), s.device_heads)
        self._used.begin(read.pop("used"), s.used)
        self._kept = {name: (getattr(s, name), part) for name, part in read.items()}
        self._rows.update(rows)

    def encode(self, s: RoomState, touched: Iterable[bytes], used: Iterable[bytes]) -> bytes:
        """Encodes the room's state `s`. `touched` are the devices whose heads, and `used` the persons whose use of the
        room's totals (what a room may hold altogether), may have changed since the last call: only their rows are
        encoded again. They are in the order of the changes, since a new row is appended and must be where it is in `s`.
        Reject "oversize" above 64 MiB: such a state could not be read again."""
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
            self._pack_missing(s.missing),
            self._listed("snapshots", s.snapshots, _snapshots_row),
            self._part("baselines", s.baselines, _pack_baselines),
            self._used.pack(s.used, used, pack_used),
        ]
        first = [STATE_VERSION, s.room, s.n, s.rh, s.t, s.entry_seq + 1, s.entry_head, s.epoch, s.rotation_owed]
        data = enc([*first, parts])
        if len(data) > STATE_LIMIT:  # ▲ checked before it is stored: it could not be read again
            raise Reject(*STATE_TOO_LARGE)
        return data

    def _part(self, name: str, value: T, pack: Callable[[T], bytes]) -> bytes:
        kept = self._kept.get(name)
        if kept is None or kept[0] is not value:
            kept = (value, pack(value))
            self._kept[name] = kept
        return kept[1]

    def _listed(self, name: str, value: Mapping[K, V], row: Callable[[K, V], object]) -> bytes:
        """Encodes the field `name`, a dict, row by row: `row` is given a key and its value, and returns what is encoded
        for them. A row whose value is the same object as before is not encoded again. ▲ Otherwise each new snapshot in
        a room of thousands would take 0.2 s of every member's loop."""

        def pack(rows: Mapping[K, V]) -> bytes:
            before, kept = self._rows.get(name, {}), dict[object, tuple[object, bytes]]()
            for key, held in rows.items():
                old = before.get(key)
                kept[key] = old if old is not None and old[0] is held else (held, enc(row(key, held)))
            self._rows[name] = kept
            return head(ARRAY, len(kept)) + b"".join(packed for _, packed in kept.values())

        return self._part(name, value, pack)

    def _pack_shares(self, shares: dict[bytes, bytes]) -> bytes:
        """Packs `shares` into rows, in the dict's order, and returns all rows. `shares` maps an object's id to the
        commitment to its share: the hash of the random value from which the object's keys are derived. A row is the id
        and the commitment. Objects are only ever added to the dict, at its end. So earlier rows stay, and only new ones
        are appended."""
        packed = len(self._shares) // _SHARE.size
        if packed < len(shares):
            self._shares += b"".join(_SHARE.pack(o, c) for o, c in islice(shares.items(), packed, None))
        return self._shares

    def _pack_missing(self, missing: Missing) -> bytes:
        """Packs the positions whose content is missing, and returns all rows. Only new ones are packed and appended, as
        long as none was dropped. After a drop, and for a new container, all are packed again. ▲ If all were packed at
        each call, a server that withholds 100,000 positions would have each of them packed with every slice of
        items."""
        held, dropped, packed = self._missing
        count = len(packed) // _POSITION.size
        if held is not missing or dropped != missing.dropped or count > len(missing):
            count, packed = 0, b""
        if count < len(missing):
            packed += b"".join(_missing_row(n, obj) for n, obj in islice(missing.items(), count, None))
        self._missing = missing, missing.dropped, packed
        return packed


def decode_state(data: bytes) -> RoomState:
    """Decodes a state; Reject "format" for another version. The bytes are our own, from an encrypted store."""
    return finished(decoding_state(data))[0]


def decoding_state(data: bytes) -> Generator[None, None, tuple[RoomState, StateCodec]]:
    """Decodes a room's state in steps: a generator that stops after each piece, so that the caller can do other work
    between. It returns the state, and a codec, which need not encode again what was read if the state is larger than 64
    KiB. Reject "format" for another version; for damaged bytes any error, also struct.error or ValueError. ▲ A state of
    5.7 MB, which a member can make, takes 0.7 s."""
    value = dec(data, limit=STATE_LIMIT)
    if type(value) is not list or not value or value[0] != STATE_VERSION:
        raise Reject("format", "room state")
    _, room, n, rh, t, entries, entry_head, epoch, rotation_owed, parts = fields.array(value, 10, "room state")
    packed = [fields.blob(p, STATE_LIMIT, "room state") for p in fields.array(parts, len(_PARTS), "room state")]
    members, epochs, pins, policy, proposals, destroyed, pruned, owners, heads, shares, missing = packed[:11]
    snapshots, baselines, used = packed[11:]
    yield
    rows: dict[str, dict[object, tuple[object, bytes]]] = {"epochs": {}, "snapshots": {}}
    state = RoomState(
        room=RoomId(fields.raw(room, 16, "room state")),
        n=fields.u64(n, "room state"),
        rh=Hash(fields.raw(rh, 32, "room state")),
        t=fields.u64(t, "room state"),
        entry_seq=fields.u64(entries, "room state") - 1,
        entry_head=fields.raw(entry_head, 32, "room state"),
        epoch=fields.u64(epoch, "room state"),
        rotation_owed=fields.flag(rotation_owed, "room state"),
        members=(yield from _gathered(_read_members(members))),
        epochs=(yield from _listed(map(_read_epoch, each(epochs, limit=STATE_LIMIT)), rows["epochs"])),
        pins=(yield from _gathered((Uid(u), (q, Hash(h))) for u, q, h in _PIN.iter_unpack(pins))),
        policy=dec(policy, limit=STATE_LIMIT),  # type: ignore[arg-type]  # our own
        proposals={
            Hash(i): Proposal(w, s, Uid(b), None if a is None else Uid(a)) for i, w, s, b, a in _rows(proposals)
        },
        destroyed=(yield from _gathered(_POSITION.iter_unpack(destroyed))),
        pruned=(yield from _gathered(_POSITION.iter_unpack(pruned))),
        dev_owner=(yield from _gathered((d, Uid(u)) for d, u in _OWNER.iter_unpack(owners))),
        device_heads=(
            yield from _gathered((d, DeviceHead(q, i, p, e)) for d, q, i, p, e in _DEVICE.iter_unpack(heads))
        ),
        shares=(yield from _gathered(_SHARE.iter_unpack(shares))),
        missing=Missing((yield from _gathered((n, obj) for obj, n in _POSITION.iter_unpack(missing)))),
        snapshots=(yield from _listed(map(_read_snapshots, each(snapshots, limit=STATE_LIMIT)), rows["snapshots"])),
        baselines=(yield from _gathered((obj, (at, e, seen)) for obj, at, e, seen in _BASELINE.iter_unpack(baselines))),
        used=(yield from _gathered(read_used(used))),
    )
    codec = StateCodec()
    if len(data) > _LARGE_BYTES:
        codec.begin(state, packed, rows)
    return state, codec


def _gathered(rows: Iterable[tuple[K, V]]) -> Generator[None, None, dict[K, V]]:
    """Collects the (key, value) rows in a dict; a generator that stops after every 500 rows and returns the dict."""
    found: dict[K, V] = {}
    for count, (key, value) in enumerate(rows, start=1):
        found[key] = value
        if count % _PIECE == 0:
            yield
    return found


def _listed(
    rows: Iterable[tuple[K, V, bytes]], kept: dict[object, tuple[object, bytes]]
) -> Generator[None, None, dict[K, V]]:
    """Collects (key, value, encoded bytes) rows: a generator that stops after every 20 rows and returns the dict of
    values. The values with their bytes are added to `kept`."""
    found: dict[K, V] = {}
    for count, (key, value, raw) in enumerate(rows, start=1):
        found[key] = value
        kept[key] = value, raw
        if count % _PIECE_ENCODED == 0:
            yield
    return found


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


def _read_members(packed: bytes) -> Iterator[tuple[Uid, Member]]:
    for u, r, n, t, h, a, admin in _MEMBER.iter_unpack(packed):
        yield Uid(u), Member(Uid(u), Role(r), n, t, h, Hash(a), admin - 1 if admin else None)


def _pack_head(dev: bytes, at: DeviceHead) -> bytes:
    return _DEVICE.pack(dev, at.dev_seq, at.ident, at.n, at.seen_n)


def _epoch_row(e: int, epoch: Epoch) -> object:
    return [epoch.payload(), epoch.n, epoch.by]


def _read_epoch(row: tuple[Any, bytes]) -> tuple[int, Epoch, bytes]:
    (block, n, by), raw = row
    epoch = replace(Epoch.read(block), n=n, by=Uid(by))
    return epoch.e, epoch, raw


def _pack_pins(pins: dict[Uid, tuple[int, Hash]]) -> bytes:
    return b"".join(_PIN.pack(u, q, h) for u, (q, h) in pins.items())


def _pack_proposals(proposals: dict[Hash, Proposal]) -> bytes:
    return enc([[i, p.what, p.subject, p.by, p.approved] for i, p in proposals.items()])


def _pack_positions(positions: dict[bytes, int]) -> bytes:
    return b"".join(_POSITION.pack(o, n) for o, n in positions.items())


def _missing_row(n: int, obj: bytes) -> bytes:
    return _POSITION.pack(obj, n)


def _pack_owners(owners: dict[bytes, Uid]) -> bytes:
    return b"".join(_OWNER.pack(d, u) for d, u in owners.items())


def _snapshots_row(obj: bytes, rows: tuple[Snapshot, ...]) -> object:
    return [obj, [[x.ident, x.n, x.t, x.uid, x.covers, [list(a) for a in x.attests]] for x in rows]]


def _read_snapshots(row: tuple[Any, bytes]) -> tuple[bytes, tuple[Snapshot, ...], bytes]:
    (obj, rows), raw = row
    return obj, tuple(map(_read_snapshot, rows)), raw


def _read_snapshot(row: list) -> Snapshot:  # type: ignore[type-arg]
    ident, n, t, uid, covers, attests = row
    attested_by = tuple((bytes(by), at) for by, at in attests)
    return Snapshot(ident=Hash(ident), n=n, t=t, uid=Uid(uid), covers=covers, attests=attested_by)


def _pack_baselines(baselines: dict[bytes, tuple[int, int, int]]) -> bytes:
    return b"".join(_BASELINE.pack(obj, *row) for obj, row in baselines.items())
