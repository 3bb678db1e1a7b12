# SPDX-License-Identifier: EUPL-1.2
"""Judges which envelopes count, and how the envelopes of one device are chained (protocol §7). The rules for entries
are in entry_rules.py."""

from collections.abc import Sequence

from sync.crypto.kdf import H
from sync.crypto.seal import SUITE_HYBRID
from sync.errors import Reject
from sync.ids import Hash, ObjId, RoomId
from sync.protocol.version import MAX_OP_BYTES
from sync.trust.formats.items import Item
from sync.trust.room import envelope, totals
from sync.trust.room.envelope import Header
from sync.trust.room.room_policy import enables
from sync.trust.room.room_state import RoomState


def check_content(item: Item, hdr: Header, room: RoomId, digest: bytes, length: int, *, strict: bool) -> None:
    """Checks that an envelope is of this room, and that its content has the hash `digest` and the length `length`,
    which its signed body names. Reject "other-room", or "content-hash" (also if `length` is above MAX_OP_BYTES, with or
    without content, so that clients that pulled headers judge alike). Missing content passes; with `strict` (at the
    server) it is "malformed"."""
    if hdr.room != room:
        raise Reject("other-room", f"position {item.n}")
    if length > MAX_OP_BYTES:
        raise Reject("content-hash", f"position {item.n}")
    if item.ct is None:
        if strict:
            raise Reject("malformed", f"position {item.n}")
    elif len(item.ct) != length or H(item.ct) != digest:
        raise Reject("content-hash", f"position {item.n}")


def check_chain(
    s: RoomState, headers: Sequence[Header], idents: Sequence[Hash], n: int, *, start: bytes | None, strict: bool
) -> None:
    """▲ Checks that a batch of envelopes of one device, from position `n` on, is no replay, has no gap and continues
    the history that we know: dev_seq rises (within the batch by one), prev is the id before, seen never falls. `idents`
    are the ids of the `headers`. Reject "replay" for a dev_seq that was used, "seen" if the first envelope has seen
    less than the device had, "chain" for any other break, also for a second device, person or user-log head in the
    batch.

    `start` is the id that the first envelope must name as the one before. None if the room keeps nothing of its author:
    then the batch is checked only within itself. With `strict` (the server) a first envelope with a wrong start or a
    lower `seen` is "stale": the client syncs and encrypts again under a new dev_seq.
    """
    first = headers[0]
    head = None if start is None else s.device_heads.get(first.dev)
    if head is not None and first.dev_seq <= head.dev_seq:
        raise Reject("replay", f"position {n}")
    if start is not None and first.prev != start:
        raise Reject("stale" if strict else "chain", f"position {n}")
    if head is not None and first.seen[0] < head.seen_n:
        raise Reject("stale" if strict else "seen", f"position {n}")
    for i in range(1, len(headers)):
        hdr, before = headers[i], headers[i - 1]
        if (
            hdr.prev != idents[i - 1]
            or hdr.dev_seq != before.dev_seq + 1
            or hdr.dev != first.dev
            or hdr.uid != first.uid
            or hdr.ulog != first.ulog
            or hdr.seen[0] < before.seen[0]
        ):
            raise Reject("chain", f"position {n + i}")


def judge(s: RoomState, hdr: Header, length: int, t: int) -> str | None:
    """The reason why an envelope of a member's active device is void at this position (keeps it, but has no effect), or
    None: "format" (unknown kind, extension or flag), "suite", "forbidden" (role), "rotation-owed" (new keys must come
    first), "stale" (not the newest epoch, or a snapshot in one without an archive), "destroyed", "share" (the object is
    begun twice, not at all, or not by a change); beyond the room's bounds "oversize", "snapshot" or "total". `length`
    is that of its ciphertext, `t` the position's time (ms). Reject "format" if the room's policy enables what this
    program does not know."""
    return _judge(s, hdr) or totals.judge_envelope(s, hdr, length, t)


def _judge(s: RoomState, hdr: Header) -> str | None:
    if hdr.even_ext or hdr.kind not in envelope.LEAST_ROLE:
        features = hdr.unknown()
        if enables(s.policy, features):
            raise Reject("format", ", ".join(features))
        return "format"
    if hdr.flags:
        return "format"
    if hdr.suite != SUITE_HYBRID:
        return "suite"
    if s.members[hdr.uid].role < envelope.LEAST_ROLE[hdr.kind]:
        return "forbidden"
    if s.rotation_owed:
        return "rotation-owed"
    if hdr.epoch != s.epoch or (hdr.kind == envelope.SNAPSHOT and not s.epochs[s.epoch].has_archive):
        return "stale"
    if hdr.obj in s.destroyed:
        return "destroyed"
    if hdr.obj == ObjId(s.room) or hdr.kind != envelope.OP:  # ▲ only a writer's op begins an object
        return "share" if hdr.share_c or not _known(s, hdr.obj) else None
    return "share" if (hdr.obj in s.shares) == bool(hdr.share_c) else None


def _known(s: RoomState, obj: ObjId) -> bool:
    """Whether the object's first op has a position."""
    return obj == ObjId(s.room) or obj in s.shares
