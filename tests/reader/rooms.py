# SPDX-License-Identifier: EUPL-1.2
"""A room as sync/PROTOCOL.md §4 to §7 describe one, from those pages alone.

It checks hashes, chains, signatures and recipients and opens all content. It does not judge what makes an item void
(roles, an owed rotation, limits), which a reader of an honest room does not need.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.reader import merkle
from tests.reader.people import Log, must
from tests.reader.primitives import KDF, H, KemKey, aead_open, dec, enc, u64, verify

ENTRY, ENVELOPE = 1, 2
OP, SNAPSHOT, BASELINE = 1, 2, 3
BUCKETS = (256, 512, 1024, 2048, 4096)
EPOCH_AT = {"add": 5, "rm": 3, "role": 2, "policy": 1, "epoch": 0, "hist": 2}
"""The index of the epoch in the payload of each type of entry."""


@dataclass
class Epoch:
    e: int
    kc: bytes
    ac: bytes
    prev: bytes
    base: int | None
    recip: bytes
    root: bytes
    count: int
    unsealed: list[bytes]
    pins: list[list[Any]]


@dataclass
class Envelope:
    n: int
    ident: bytes
    header: bytes
    fields: list[Any]
    ct: bytes

    @property
    def epoch(self) -> int:
        return int(self.fields[7])

    @property
    def obj(self) -> bytes:
        return bytes(self.fields[10])

    @property
    def kind(self) -> int:
        return int(self.fields[12])

    @property
    def about(self) -> bytes:
        """Extension 1."""
        return bytes(self.fields[14].get(1, b""))


@dataclass
class Room:
    logs: dict[bytes, Log]
    room: bytes | None = None
    n: int = 0
    rh: bytes = bytes(32)
    t: int = 0
    rhs: list[bytes] = field(default_factory=lambda: [bytes(32)])
    entry_seq: int = -1
    entry_head: bytes = bytes(32)
    members: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    pins: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    proposals: dict[bytes, list[Any]] = field(default_factory=dict)
    notes: list[list[Any]] = field(default_factory=list)
    """[epoch, author, removed person, encrypted note] of each removal."""
    epochs: dict[int, Epoch] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    shares: dict[bytes, bytes] = field(default_factory=dict)
    destroyed: set[bytes] = field(default_factory=set)
    last: dict[bytes, bytes] = field(default_factory=dict)
    """The newest envelope of each device, or the add of its person if that is newer."""
    batch: list[Any] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    def step(self, n: int, t: int, kind: int, body: bytes) -> bytes:
        """Moves on to the next position; returns the id of the item there."""
        must(n == self.n + 1 and t >= self.t, "position")
        ident = H("room-log" if kind == ENTRY else "op-id", body)
        self.n, self.t = n, t
        self.rh = H("rh", self.rh, u64(n), u64(t), bytes((kind,)), ident)
        self.rhs.append(self.rh)
        return ident

    def take(self, n: int, t: int, kind: int, body: bytes, sig: bytes, ct: bytes | None) -> None:
        ident = self.step(n, t, kind, body)
        if kind == ENTRY:
            must(not self.batch, "an entry inside a batch")
            self._entry(ident, body, sig)
        else:
            self._envelope(ident, body, sig, ct)

    def author(self, uid: bytes, dev: bytes, seen: list[Any], ulog: list[Any]) -> bytes:
        """The device's key, after checking what the author states to have seen."""
        log, (seq, head) = self.logs[uid], ulog
        must(log.heads[seq] == head, "ulog")
        must(seen[0] < self.n and self.rhs[seen[0]] == seen[1], "seen")
        return log.devices[dev].sign_pk

    # -- entries

    def _entry(self, ident: bytes, body: bytes, sig: bytes) -> None:
        version, room, seq, prev, uid, dev, seen, ulog, _time, kind, payload, ext = dec(body)
        must(version == 2 and ext == {} and room == self.room, "entry")
        must((seq, prev) == (self.entry_seq + 1, self.entry_head), "chain")
        verify(self.author(uid, dev, seen, ulog), "room-log", ident, sig)
        self.entry_seq, self.entry_head = seq, ident
        self.types.append(kind)
        if kind == "genesis":
            self.room, self.policy = ident[:16], payload[1]
            self.members[uid] = {"role": 4, "history": True}
            self.last |= dict.fromkeys(self.logs[uid].devices, ident)
        must(uid in self.members, "member")
        epoch = payload[EPOCH_AT[kind]] if kind in EPOCH_AT else None
        self._pin(uid, *ulog)
        for pin in epoch[9] if epoch else []:
            self._pin(*pin)
        self._change(kind, ident, uid, payload)
        if epoch:
            self._epoch(Epoch(*epoch))

    def _change(self, kind: str, ident: bytes, by: bytes, payload: list[Any]) -> None:
        match kind:
            case "add":
                uid, role, history, ulog, _seal, _epoch = payload
                self.members[uid] = {"role": role, "history": history}
                self._pin(uid, *ulog)
                for dev in self.logs[uid].devices:
                    self.last[dev] = ident
            case "rm":
                del self.members[payload[0]]
                self.notes.append([payload[3][0], by, payload[0], payload[2]])
            case "leave":
                del self.members[by]
            case "role":
                self.members[payload[0]]["role"] = payload[1]
            case "policy":
                self.policy |= payload[0]
            case "pin":
                for pin in payload[0]:
                    self._pin(*pin)
            case "propose":
                self.proposals[ident] = payload
            case "approve":
                what, subject = self.proposals[payload[0]]
                if what == "history":
                    self.policy["history"] = subject.decode()
                elif what == "recovery":
                    self.policy["recovery"] = dec(subject)
            case "hist":
                self.members[payload[0]]["history"] = True
            case "destroy":
                self.destroyed.add(payload[0])

    def _pin(self, uid: bytes, seq: int, head: bytes) -> None:
        must(self.logs[uid].heads[seq] == head and seq >= self.pins.get(uid, (0, b""))[0], "pin")
        self.pins[uid] = (seq, head)

    def recipients(self) -> list[list[Any]]:
        """The recipients of an epoch, in order."""
        rows: list[list[Any]] = []
        for uid in self.members:
            seq, head = self.pins[uid]
            puk = self.logs[uid].puk_at(seq)
            if puk is not None:
                rows.append([1, uid, seq, head, puk.gen])
        rows += [[2, ident, 0, H(public), 0] for ident, public in self.policy.get("recovery", [])]
        return sorted(rows, key=enc)

    def _epoch(self, epoch: Epoch) -> None:
        rows = self.recipients()
        must(epoch.e == len(self.epochs) + 1, "epoch")
        must(epoch.recip == H(enc(rows)) and epoch.count == len(rows), "recipients")
        self.epochs[epoch.e] = epoch

    # -- envelopes

    def _envelope(self, ident: bytes, body: bytes, sig: bytes, ct: bytes | None) -> None:
        header, digest, length = dec(body)
        fields = dec(header)
        version, suite, room, uid, dev, dev_seq, prev, _e, seen, ulog, obj, share_c, _kind, flags, ext = fields
        must((version, suite, room, flags) == (2, 2, self.room, 0) and all(k % 2 for k in ext), "header")
        public = self.author(uid, dev, seen, ulog)
        must(not self.batch or self.batch == [dev, dev_seq - 1], "batch")
        must(prev == self.last[dev], "chain")
        self.last[dev] = ident
        self.batch = [] if sig else [dev, dev_seq]
        if sig:
            verify(public, "op", ident, sig)
            self._pin(uid, *ulog)
        if share_c:
            must(obj not in self.shares and obj != self.room, "share")
            self.shares[obj] = share_c
        if ct is None:
            must(obj in self.destroyed, "withheld")
            return
        must((H(ct), len(ct)) == (digest, length), "content")
        self.envelopes.append(Envelope(self.n, ident, header, fields, ct))

    # -- what is sealed

    def open_seal(self, e: int, uid: bytes, gen: int, puk: KemKey, sealed: bytes) -> tuple[bytes, bytes | None]:
        """K, and A for a member who may read the history."""
        opened = puk.open(enc([self.room, e, self.epochs[e].kc, uid, gen]), sealed)
        k, a = opened[:32], opened[32:] or None
        self._check(e, k, a)
        return k, a

    def _check(self, e: int, k: bytes | None, a: bytes | None) -> None:
        must(k is None or H("kc", self.room or b"", u64(e), k) == self.epochs[e].kc, "kc")
        must(a is None or H("ac", self.room or b"", u64(e), a) == self.epochs[e].ac, "ac")

    def walk_back(self, e: int, a: bytes) -> dict[int, tuple[bytes | None, bytes | None]]:
        """K and A of every epoch that the archive key of one epoch leads back to."""
        found: dict[int, tuple[bytes | None, bytes | None]] = {}
        while (f := self.epochs[e].base) is not None:
            context: list[object] = ["prev", self.room, e, f]
            older, keys = dec(aead_open(KDF(a, "prev", self.room, e), context, self.epochs[e].prev))
            must(list(keys) == list(range(f, e)), "link")
            for x, k in keys.items():
                self._check(x, k, older if x == f else None)
                found[x] = (k, older if x == f else None)
            e, a = f, older
        return found

    def check_seals(self, e: int, seals: list[bytes]) -> None:
        """Checks that all seals of an epoch, in the order of its recipients, are those that its signer committed to."""
        epoch = self.epochs[e]
        must(len(seals) == epoch.count and merkle.root(seals) == epoch.root, "seals")

    def decrypt_note(self, note: list[Any], k: bytes) -> str:
        e, by, removed, sealed = note
        padded = aead_open(KDF(k, "note", self.room, e), ["note", self.room, e, by, removed], sealed)
        version, reason = dec(unpad(padded))
        must(version == 1 and len(reason) <= 280, "note")
        return str(reason)

    def open(self, envelope: Envelope, secret: bytes, share: bytes | None) -> bytes:
        """The payload; `secret` is the epoch's K, for a snapshot its A."""
        obj, room = envelope.obj, self.room or b""
        if obj == room:
            share = H("root-share", room)
        assert share is not None
        must(obj == room or H("share", room, obj, share) == self.shares[obj], "share")
        if envelope.kind == SNAPSHOT:
            key = KDF(secret, "snap", obj, share)
        else:
            key = KDF(KDF(secret, "obj", room, envelope.epoch, obj), "op", share)
        return unpad(aead_open(key, ["op", H(envelope.header)], envelope.ct))


def padded_size(size: int) -> int:
    for bucket in BUCKETS:
        if size <= bucket:
            return bucket
    exponent = size.bit_length() - 1
    step = 1 << exponent - exponent.bit_length()
    return -(-size // step) * step


def unpad(padded: bytes) -> bytes:
    end = 4 + int.from_bytes(padded[:4], "big")
    must(end <= len(padded) == padded_size(end) and not any(padded[end:]), "padding")
    return padded[4:end]


def decrypt_part(room: bytes, part: list[Any], sealed: bytes) -> bytes:
    ident, key, digest, length = part
    must(H(sealed) == digest, "blob")
    return aead_open(key, ["part", room, ident], sealed)[:length]


def open_ephemeral(
    room: bytes, body: bytes, sig: bytes, ct: bytes, sign_pk: bytes, k: bytes
) -> tuple[list[Any], bytes]:
    """The header and the payload of an ephemeral message; its last field says to which device, b"" to all."""
    *context, digest = dec(body)
    verify(sign_pk, "eph", body, sig)
    must(digest == H(ct) and context[:2] == [2, room] and len(context) == 10, "ephemeral")
    must(type(context[9]) is bytes and len(context[9]) in (0, 16), "ephemeral")
    return context, unpad(aead_open(KDF(k, "eph", room, context[2]), context, ct))


def object_in(successor: bytes, old: bytes, obj: bytes) -> bytes:
    return successor if obj == old else H("successor", successor, obj)[:16]
