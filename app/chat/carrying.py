# SPDX-License-Identifier: EUPL-1.2
"""Carries a conversation into the room that continues its own: each message in its present form, with its author and
time.

Its past is not carried: a text that was edited away or deleted stays in the old room.
"""

from collections.abc import Iterator, Sequence

import msgspec

from app.chat.originals import original
from app.chat.reads import ChatRows
from app.chat.records import Carried, encode, without_previews
from app.chat.tables import PENDING
from app.core.ids import ObjId
from app.objects.object import MAX_DATA_BYTES
from app.store.database import Database

GROUP = 16
"""Messages written in one transaction: about 3 ms."""


def carry(db: Database, obj: ObjId, rows: ChatRows, there: ChatRows) -> Iterator[Sequence[bytes]]:
    """Yields groups of at most GROUP changes (encoded) that carry a conversation over into the room that continues its
    own; the caller writes each group in one transaction. `rows`: the messages of the old conversation `obj`, of which
    those that the server has are carried, oldest first, but for one that is too large for a record with its author and
    time. `there`: the messages of the new conversation; those that it has already are skipped."""
    for first in range(0, rows.count(), GROUP):
        page = [m for m in rows.page(first, GROUP) if not m.waiting and there.index_of(m.change_id) is None]
        with db.transaction(durable=False) as conn:
            found = [original(conn, obj, message.change_id, PENDING - 1) for message in page]
        if page:
            yield [data for one in found if one is not None and (data := _data(one.carried())) is not None]


def _data(carried: Carried) -> bytes | None:
    """Encodes the record that carries a message over from an old room. If that is too large, leaves out the pictures'
    previews, and then the reactions. None if that is not enough. ▲ Such a message stays in the old room alone: nobody
    keeps a room from being continued by one that is as large as a record may be."""
    less = msgspec.structs.replace
    data = encode(carried)
    if len(data) > MAX_DATA_BYTES:
        carried = less(carried, data=without_previews(carried.data))
        data = encode(carried)
    if len(data) > MAX_DATA_BYTES:
        data = encode(less(carried, reactions=()))
    return data if len(data) <= MAX_DATA_BYTES else None
