# SPDX-License-Identifier: EUPL-1.2
"""Carries a conversation into the room that continues its own: each message in its present form, with its author and
time.

Its past is not carried: a text that was edited away or deleted stays in the old room.
"""

from collections.abc import Iterator, Sequence

import msgspec

from app.chat.authority import message_row
from app.chat.originals import original
from app.chat.records import Carried, encode, without_previews
from app.chat.tables import PENDING
from app.core.ids import ObjId
from app.objects.object import MAX_DATA_BYTES
from app.store.database import Database

GROUP = 16
"""Messages written in one transaction: about 3 ms."""
_PAGE = """SELECT change_id, sort, row FROM chat_messages WHERE obj = ? AND (sort, row) > (?, ?) AND sort < ?
    ORDER BY sort, row LIMIT ?"""


def carry(db: Database, obj: ObjId, into: ObjId) -> Iterator[Sequence[bytes]]:
    """Yields groups of at most GROUP changes (encoded) that carry the messages of `obj`, one object of a conversation,
    over into `into`, which continues it in the room that continues its own; the caller writes each group in one
    transaction. Those that the server has are carried, oldest first, but for one that is too large for a record with
    its author and time, and for those that `into` has already."""
    after = (-1, 0)
    while group := db.rows(_PAGE, (obj, *after, PENDING, GROUP)):
        after = group[-1][1:]
        with db.transaction(durable=False) as conn:
            page = [change_id for change_id, *_ in group if message_row(conn, into, change_id) is None]
            found = [original(conn, obj, change_id, PENDING - 1) for change_id in page]
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
