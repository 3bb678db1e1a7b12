# SPDX-License-Identifier: EUPL-1.2
"""What a room is after position n: members, roles, epochs, pins, device heads. Plain state, no rules.

Containers are replaced, never changed in place (device heads and shares excepted, see RoomStream): a slice that
turns out false is undone by taking the old references back, and encoded parts are kept while they stay the same.
"""

import struct
from dataclasses import dataclass, field

from sync.crypto.encoding import dec, enc
from sync.errors import Reject
from sync.ids import NO_ROOM, Hash, RoomId, Uid
from sync.trust import fields
from sync.trust.epochs import Epoch
from sync.trust.items import RH_0, Role

STATE_VERSION = 1
_STATE_LIMIT = 64 * 1024 * 1024
_DEVICE = struct.Struct(">16sQ32sQQ")
_SHARE = struct.Struct(">16s32s")


@dataclass(frozen=True, slots=True)
class Member:
    """A member since the entry `add_id` at position `since_n` (time `since_t`, ms)."""

    uid: Uid
    role: Role
    since_n: int
    since_t: int
    history: bool
    add_id: Hash


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
    dev_owner: dict[bytes, Uid] = field(default_factory=dict)
    device_heads: dict[bytes, DeviceHead] = field(default_factory=dict)
    shares: dict[bytes, bytes] = field(default_factory=dict)

    def owners(self) -> int:
        return sum(m.role is Role.OWNER for m in self.members.values())


class StateCodec:
    """RoomState to bytes and back. One per room: it keeps the encoding of parts that did not change."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, bytes]] = {}
        self._packed: dict[str, tuple[int, bytes]] = {}

    def encode(self, s: RoomState) -> bytes:
        """Version 1. Costs follow what changed since the last call, not the size of the room."""
        parts = [
            self._part("members", s.members, _members_value),
            self._part("epochs", s.epochs, _epochs_value),
            self._part("pins", s.pins, lambda p: [[u, q, h] for u, (q, h) in p.items()]),
            self._part("policy", s.policy, lambda p: p),
            self._part("proposals", s.proposals, _proposals_value),
            self._part("destroyed", s.destroyed, lambda d: [[o, n] for o, n in d.items()]),
            self._part("dev_owner", s.dev_owner, lambda d: [[o, u] for o, u in d.items()]),
            b"".join(_DEVICE.pack(d, h.dev_seq, h.ident, h.n, h.seen_n) for d, h in s.device_heads.items()),
            self._shares(s.shares),
        ]
        head = [STATE_VERSION, s.room, s.n, s.rh, s.t, s.entry_seq + 1, s.entry_head, s.epoch, s.dirty]
        return enc([*head, parts])

    def _part(self, name: str, value: object, plain) -> bytes:  # type: ignore[no-untyped-def]  # plain: value -> enc value
        kept = self._kept.get(name)
        if kept is None or kept[0] is not value:
            kept = (value, enc(plain(value)))
            self._kept[name] = kept
        return kept[1]

    def _shares(self, shares: dict[bytes, bytes]) -> bytes:
        """Shares are only ever added: as long as their number stands, so do the bytes."""
        count, packed = self._packed.get("shares", (0, b""))
        if count != len(shares):
            packed = b"".join(_SHARE.pack(o, c) for o, c in shares.items())
            self._packed["shares"] = (len(shares), packed)
        return packed


def decode_state(data: bytes) -> RoomState:
    """The state from its bytes; Reject "format" for another version. Its bytes are our own, from an encrypted store."""
    value = dec(data, limit=_STATE_LIMIT)
    if type(value) is not list or not value or value[0] != STATE_VERSION:
        raise Reject("format", "room state")
    _, room, n, rh, t, entries, entry_head, epoch, dirty, parts = fields.array(value, 10, "room state")
    members, epochs, pins, policy, proposals, destroyed, owners, heads, shares = fields.array(parts, 9, "room state")
    return RoomState(
        room=RoomId(bytes(room)),  # type: ignore[call-overload]
        n=int(n),  # type: ignore[call-overload]
        rh=Hash(bytes(rh)),  # type: ignore[call-overload]
        t=int(t),  # type: ignore[call-overload]
        entry_seq=int(entries) - 1,  # type: ignore[call-overload]
        entry_head=bytes(entry_head),  # type: ignore[call-overload]
        epoch=int(epoch),  # type: ignore[call-overload]
        dirty=bool(dirty),
        members=_read_members(_plain(members)),
        epochs=_read_epochs(_plain(epochs)),
        pins={Uid(u): (q, Hash(h)) for u, q, h in _plain(pins)},
        policy=dec(bytes(policy), limit=_STATE_LIMIT),  # type: ignore[arg-type, call-overload]
        proposals={
            Hash(i): Proposal(w, s, Uid(b), None if a is None else Uid(a)) for i, w, s, b, a in _plain(proposals)
        },
        destroyed=dict(_plain(destroyed)),
        dev_owner={d: Uid(u) for d, u in _plain(owners)},
        device_heads={d: DeviceHead(q, i, p, e) for d, q, i, p, e in _DEVICE.iter_unpack(bytes(heads))},  # type: ignore[call-overload]
        shares=dict(_SHARE.iter_unpack(bytes(shares))),  # type: ignore[call-overload]
    )


def _plain(part: object) -> list:  # type: ignore[type-arg]  # rows of our own making
    rows = dec(bytes(part), limit=_STATE_LIMIT)  # type: ignore[call-overload]
    return rows if isinstance(rows, list) else []


def _members_value(members: dict[Uid, Member]) -> object:
    return [[m.uid, int(m.role), m.since_n, m.since_t, m.history, m.add_id] for m in members.values()]


def _read_members(rows: list) -> dict[Uid, Member]:  # type: ignore[type-arg]
    return {Uid(u): Member(Uid(u), Role(r), n, t, h, Hash(a)) for u, r, n, t, h, a in rows}


def _epochs_value(epochs: dict[int, Epoch]) -> object:
    return [[e.payload(), e.n, e.by] for e in epochs.values()]


def _read_epochs(rows: list) -> dict[int, Epoch]:  # type: ignore[type-arg]
    out = {}
    for block, n, by in rows:
        read = Epoch.read(block)
        out[read.e] = Epoch(**{**{f: getattr(read, f) for f in Epoch.__dataclass_fields__}, "n": n, "by": Uid(by)})
    return out


def _proposals_value(proposals: dict[Hash, Proposal]) -> object:
    return [[i, p.what, p.subject, p.by, p.approved] for i, p in proposals.items()]
