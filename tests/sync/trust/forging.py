# SPDX-License-Identifier: EUPL-1.2
"""Entries and envelopes that no honest builder makes, properly signed by their authors."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.ids import ObjId
from sync.trust.formats.items import ENTRY, ENVELOPE, item_id
from sync.trust.keys.epochs import Epoch
from sync.trust.room import envelope
from sync.trust.room.entries import DOMAIN, RoomEntry, entry_body
from sync.trust.room.entry_drafts import Draft
from sync.trust.room.envelope import EncryptedBatch, Header
from tests.sync.trust.people import NOW, Room, Someone


def entry_by(room: Room, by: Someone, kind: str, payload: object, /, **changes: Any) -> Draft:
    """The next entry with some fields changed: room, seen, ulog."""
    s, a = room.stream.state, by.author
    at: dict[str, Any] = {"room": s.room, "seen": (s.n, s.rh), "ulog": a.ulog, **changes}
    body = entry_body(
        at["room"], s.entry_seq + 1, s.entry_head, a.uid, a.dev, at["seen"], at["ulog"], NOW, kind, payload
    )  # fmt: skip
    return Draft(room=s.room, entries=[(body, a.signing.sign(DOMAIN, item_id(ENTRY, body)))])


def batch_by(room: Room, by: Someone, changes: Sequence[dict[str, Any]], ct: bytes = bytes(400)) -> EncryptedBatch:
    """A batch with a chained header for each of `changes`, whose fields replace those of an honest one."""
    s, a = room.stream, by.author
    prev, bodies = s.next_prev(a.uid, a.dev), []
    head = s.device_heads.get(a.dev)
    first = (head.dev_seq if head else 0) + 1
    for i, change in enumerate(changes):
        hdr = Header(
            2, room.id, a.uid, a.dev, first + i, prev, s.epoch, (s.n, s.rh), a.ulog, ObjId(room.id), b"", envelope.OP, 0
        )  # fmt: skip
        bodies.append(enc([replace(hdr, **change).encode(), H(ct), len(ct)]))
        prev = item_id(ENVELOPE, bodies[-1])
    return signed(by, bodies, [ct] * len(bodies))


def signed(by: Someone, bodies: Sequence[bytes], cts: Sequence[bytes]) -> EncryptedBatch:
    """Bodies as one batch, signed at the tail."""
    last = item_id(ENVELOPE, bodies[-1])
    return EncryptedBatch(tuple(bodies), tuple(cts), by.author.signing.sign(envelope.DOMAIN, last), 1, last)


def with_ext(by: Someone, ops: EncryptedBatch, ext: dict[int, bytes]) -> EncryptedBatch:
    """A batch of one with extensions in its header."""
    hdr, digest, length = envelope.read_body(ops.bodies[0])
    parts = dec(hdr, limit=envelope.HEADER_LIMIT)
    assert isinstance(parts, list)
    return signed(by, [enc([enc([*parts[:-1], ext]), digest, length])], ops.cts)


def epoch_in(draft: Draft) -> Epoch:
    """The epoch that a drafted entry carries."""
    found = RoomEntry.decode(draft.entries[0][0]).epoch
    assert found is not None
    return found
