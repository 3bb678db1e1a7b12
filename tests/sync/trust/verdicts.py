# SPDX-License-Identifier: EUPL-1.2
"""What a client and the server say of items in a room: refused, void, or not placed. For the
tests of its one stream."""

import os
from dataclasses import replace
from typing import Any

import pytest

from sync.errors import Reject
from sync.ids import ChangeId, ObjId
from sync.trust.formats.items import Item
from sync.trust.room import envelope
from sync.trust.room.envelope import EncryptedBatch, PlainOp, encrypt_batch, pack
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import Room, Someone

TEXT = "Hej på er, åäö 🙂".encode()


def refused(room: Room, items: list[Item], client: RoomStream | None = None) -> str:
    """The code with which a client refuses these items; nothing of it may have changed."""
    client = client or room.client()
    before = client.to_bytes()
    with pytest.raises(Reject) as e:
        client.accept(items, room.office.book, room.rh_at)
    assert client.to_bytes() == before
    return e.value.code


def void(room: Room, items: list[Item]) -> str | None:
    """The reason why a client judges the last of these items void."""
    return room.client().accept(items, room.office.book, room.rh_at)[-1].void


def not_placed(room: Room, ops: EncryptedBatch) -> str:
    with pytest.raises(Reject) as e:
        room.push(ops)
    return e.value.code


def ops_by(room: Room, by: Someone, **changes: object) -> EncryptedBatch:
    """An op with some header fields changed, properly signed by its author."""
    s, k = room.stream, bytes(32)
    author = by.author
    fields: dict[str, Any] = {
        "epoch": s.epoch,
        "seen": (s.n, s.rh),
        "first_seq": 1,
        "prev": s.next_prev(by.uid, author.dev),
        "obj": ObjId(room.id),
        "kind": envelope.OP,
        "share_c": b"",
        "ulog": author.ulog,
        **changes,
    }
    op = PlainOp(fields["obj"], k, fields["share_c"], pack([(ChangeId(os.urandom(16)), TEXT)]), fields["kind"])
    author = replace(author, ulog=fields["ulog"])
    return encrypt_batch(author, room.id, fields["epoch"], fields["seen"], fields["first_seq"], fields["prev"], [op])
