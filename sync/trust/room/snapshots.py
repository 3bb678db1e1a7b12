# SPDX-License-Identifier: EUPL-1.2
"""Snapshots of objects, their attests, and what may be pruned behind them (protocol §8).

```
header ext 1   of a snapshot's last piece: u64 n, the position up to which it is the object's state
               of an attest: the id (32 B) of that last piece
piece   = enc([1, token 16, index, count, hash 32, data])      kind 2, under A
attest  = enc([1, obj, n, id 32, hash 32])                     kind 4, under K
```

The unencrypted part determines which positions a `prune` may name, so that every client judges it alike, with or
without keys. The hash is the application's. A client that opens a snapshot checks that its content has that hash, and
that the attests state the same hash.
"""

from collections import Counter
from dataclasses import dataclass, replace

from sync.crypto.encoding import dec, enc
from sync.errors import Reject
from sync.ids import Hash, ObjId, Uid
from sync.protocol.version import MAX_OP_BYTES, MAX_PAYLOAD_BYTES
from sync.trust.formats import fields
from sync.trust.room import envelope
from sync.trust.room.envelope import Header
from sync.trust.room.payloads import Prune
from sync.trust.room.room_policy import is_own
from sync.trust.room.room_state import RoomState, Snapshot

VERSION = 1
MAX_PIECES = 400
PIECE_BYTES = MAX_PAYLOAD_BYTES - 256
KEPT = 16
"""Most snapshots of one object that are remembered; `_bounded` chooses which one is dropped."""
ATTESTS_KEPT = 4
ATTESTS_TO_PRUNE = 2
"""By other members. In a room of one's own there are none: see `attests_to_prune`."""
PRUNE_AFTER_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of a snapshot (an object's whole state), of the `count` parts with the same `token`; the first has
    `index` 0. The snapshot has the id and position of its last part. `digest` is the hash of the state, as the
    application computes it."""

    token: bytes
    index: int
    count: int
    digest: bytes
    data: bytes

    def encode(self) -> bytes:
        return enc([VERSION, self.token, self.index, self.count, self.digest, self.data])

    @classmethod
    def decode(cls, payload: bytes) -> "Piece":
        """Reads a piece of a snapshot from a decrypted payload. Reject "malformed", "encoding", "oversize", "format" or
        "old-format"."""
        parts = fields.array(dec(payload, limit=MAX_OP_BYTES), 6, "snapshot")
        fields.version(parts[0], VERSION, "snapshot")
        index, count = fields.u64(parts[2], "snapshot"), fields.u64(parts[3], "snapshot")
        if not index < count <= MAX_PIECES:
            raise Reject("malformed", "snapshot")
        return cls(
            token=fields.raw(parts[1], 16, "snapshot"),
            index=index,
            count=count,
            digest=fields.raw(parts[4], 32, "snapshot"),
            data=fields.blob(parts[5], MAX_OP_BYTES, "snapshot"),
        )


def pieces(token: bytes, digest: bytes, whole: bytes) -> list[Piece]:
    """Splits `whole`, an object's encoded state, into pieces that each fit an envelope, in order; an empty one into one
    empty piece. `token` (16 B, random) marks pieces of one snapshot, `digest` is the hash of the state. Reject
    "oversize" above about 75 MiB."""
    count = max(1, -(-len(whole) // PIECE_BYTES))
    if count > MAX_PIECES:
        raise Reject("oversize", "snapshot")
    return [
        Piece(token=token, index=i, count=count, digest=digest, data=whole[i * PIECE_BYTES : (i + 1) * PIECE_BYTES])
        for i in range(count)
    ]


def joined(found: list[Piece]) -> bytes | None:
    """Joins pieces to the whole snapshot. None unless `found` (at least one) are all the pieces of one snapshot, in
    order."""
    last = found[-1]
    alike = all((p.token, p.count, p.digest) == (last.token, last.count, last.digest) for p in found)
    if not alike or [p.index for p in found] != list(range(last.count)):
        return None
    return b"".join(p.data for p in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest:
    """A member's statement that the snapshot with the id `snapshot` is right: it is the state that the changes of the
    object `obj` up to position `n` make. `digest` is the hash of that state."""

    obj: ObjId
    n: int
    snapshot: Hash
    digest: bytes

    def encode(self) -> bytes:
        return enc([VERSION, self.obj, self.n, self.snapshot, self.digest])

    @classmethod
    def decode(cls, payload: bytes) -> "Attest":
        """Reads an attest (a statement that a snapshot is right) from a decrypted payload. Reject "malformed",
        "encoding", "oversize", "format" (a newer version) or "old-format"."""
        version, obj, n, snapshot, digest = fields.array(dec(payload, limit=1024), 5, "attest")
        fields.version(version, VERSION, "attest")
        return cls(
            obj=ObjId(fields.raw(obj, 16, "attest")),
            n=fields.u64(n, "attest"),
            snapshot=Hash(fields.raw(snapshot, 32, "attest")),
            digest=fields.raw(digest, 32, "attest"),
        )


def note(s: RoomState, n: int, t: int, ident: Hash, hdr: Header) -> None:
    """Records in the state what the unencrypted header of an envelope says about snapshots: an object got a snapshot
    (in the header of its last piece; ignored if it covers nothing, or more than its author had seen), an attest of one
    (a member's statement that it is right), or a newer baseline (state for new members). If the object then has more
    than KEPT snapshots, one is dropped: one that nobody has attested, or, if most are attested, one of these. `n`, `t`
    (ms) and `ident` are the envelope's position, time and id; it is not void. Envelopes of other kinds change
    nothing."""
    if hdr.kind == envelope.SNAPSHOT and len(hdr.about) == 8:
        covers = int.from_bytes(hdr.about, "big")
        if 0 < covers <= hdr.seen[0]:
            row = Snapshot(ident=ident, n=n, t=t, uid=hdr.uid, covers=covers)
            s.snapshots = {**s.snapshots, hdr.obj: _bounded((*s.snapshots.get(hdr.obj, ()), row))}
    elif hdr.kind == envelope.ATTEST:
        _note_attest(s, n, hdr)
    elif hdr.kind == envelope.BASELINE:
        # the newest, even if its author had seen less: it is the one with which those who read with K alone begin
        s.baselines = {**s.baselines, hdr.obj: (n, hdr.epoch, hdr.seen[0])}


def attests_to_prune(s: RoomState) -> int:
    """How many attests of a snapshot a prune behind it needs: two, and in a room of one's own, where all are by the
    snapshot's author, one."""
    return 1 if is_own(s.policy) else ATTESTS_TO_PRUNE


def attester(s: RoomState, uid: Uid, dev: bytes) -> bytes:
    """The id (16 B) under which an attest by the device `dev` of the person `uid` is remembered, and of which a
    snapshot has one at most: the person's. In a room of one's own it is the device's, so that it never is that of the
    snapshot's author: there a person attests their own snapshots, also with the device that made them."""
    return dev if is_own(s.policy) else uid


def has_vouched(row: Snapshot, by: bytes) -> bool:
    """Whether the `attester` `by` has made the snapshot or attested it: another attest of theirs adds nothing."""
    return by in (row.uid, *(other for other, _ in row.attests))


def is_new_attest(s: RoomState, hdr: Header) -> bool:
    """▲ Whether an attest (a statement that a snapshot is right) adds to a snapshot that the room remembers: its author
    is not the snapshot's, may read the history and has not attested it yet, and fewer than ATTESTS_KEPT attests of it
    are kept. In a room of one's own the device counts instead of the author."""
    row = next((row for row in s.snapshots.get(hdr.obj, ()) if row.ident == hdr.about), None)
    if row is None or not s.members[hdr.uid].history:
        return False
    return len(row.attests) < ATTESTS_KEPT and not has_vouched(row, attester(s, hdr.uid, hdr.dev))


def _note_attest(s: RoomState, n: int, hdr: Header) -> None:
    rows, by = s.snapshots[hdr.obj], attester(s, hdr.uid, hdr.dev)
    noted = (replace(r, attests=(*r.attests, (by, n))) if r.ident == hdr.about else r for r in rows)
    s.snapshots = {**s.snapshots, hdr.obj: tuple(noted)}


def _bounded(rows: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    """▲ The `rows`, an object's snapshots with the oldest first, without one of them if they are more than KEPT (16). A
    flood of snapshots cannot push out those of other persons: of those that nobody else has stated to be right the
    oldest is dropped, of the person who has most of such. When at most half of KEPT are such, one of the others is
    dropped, so that the rest are spread over the time since the oldest."""
    if len(rows) <= KEPT:
        return rows
    bare = [row for row in rows if not row.attests]
    drop = _of_the_busiest(bare) if len(bare) > KEPT // 2 else _closest([row for row in rows if row.attests])
    return tuple(row for row in rows if row is not drop)


def _of_the_busiest(rows: list[Snapshot]) -> Snapshot:
    made = Counter(row.uid for row in rows)
    most = max(made.values())
    return next(row for row in rows if made[row.uid] == most)


def _closest(rows: list[Snapshot]) -> Snapshot:
    """The snapshot that leaves the smallest gap in time when it is dropped: the one before it and the one after it are
    closest to each other. Never the oldest or the newest. Takes at least three rows, the oldest first; ValueError for
    fewer."""
    between = zip(rows, rows[1:], rows[2:], strict=False)
    return min(between, key=lambda three: three[2].t - three[0].t)[1]


def check_prune(s: RoomState, p: Prune, t: int) -> str | None:
    """▲ Why `p`, a prune (an order to drop an object's old changes) at the time `t` (ms), does not count; None if it
    counts. "snapshot": `p` names no remembered snapshot of its object that reaches up to the position `p.n` and that
    two persons other than the snapshot's author have stated to be right; in a room of one's own one device of the
    person is enough. "early": the snapshot is younger than 30 days.
    "baseline": a member, or the agency's recovery, who holds only content keys could no longer read the object, as it
    has no baseline (its state for such readers) in the present epoch that reaches up to `p.n`. The caller checks that
    an administrator posted it."""
    row = next((row for row in s.snapshots.get(p.obj, ()) if row.ident == p.snapshot), None)
    if row is None or row.covers < p.n or len(row.attests) < attests_to_prune(s):
        return "snapshot"
    if t - row.t < PRUNE_AFTER_MS:
        return "early"
    if any(not m.history for m in s.members.values()) or s.policy.get("recovery"):
        _, epoch, seen = s.baselines.get(p.obj, (0, 0, 0))
        if epoch != s.epoch or seen < p.n:
            return "baseline"
    return None


def forget_pruned(s: RoomState, obj: bytes, n: int) -> None:
    """Drops what is remembered of those snapshots of the object `obj` that are at position `n`, up to which the object
    is pruned, or before it. Newer ones stay, whatever they cover."""
    rows = tuple(row for row in s.snapshots.get(obj, ()) if row.n > n)
    s.snapshots = {**s.snapshots, obj: rows}


def attested(s: RoomState, obj: bytes) -> list[Snapshot]:
    """An object's snapshots that a person other than their author attested, the newest first. In a room of one's own
    a device of the author is enough."""
    return [row for row in reversed(s.snapshots.get(obj, ())) if row.attests]
