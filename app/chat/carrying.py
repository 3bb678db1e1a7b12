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
from app.core.ids import ChangeId, ObjId
from app.objects.object import MAX_DATA_BYTES
from app.store.database import Database

GROUP = 16
"""Messages written in one transaction: about 3 ms."""
_FIRST = """SELECT obj, change_id, sort, row FROM chat_messages WHERE obj = ? AND (sort, row) > (?, ?) AND sort < ?
    ORDER BY sort, row LIMIT ?"""


def carry(db: Database, objects: Sequence[tuple[ObjId, ObjId]]) -> Iterator[Sequence[tuple[ObjId, bytes]]]:
    """Yields groups of at most GROUP pairs (object, encoded change) that carry a conversation over into the room that
    continues its own; the caller writes each group in one transaction. `objects`: the conversation's objects, each with
    the object that continues it there. Messages that the server has are carried, oldest first, but for one that is too
    large for a record with its author and time, and for those that the new conversation has already."""
    into, after = dict(objects), (-1, 0)
    while page := _page(db, list(into), after):
        after = page[-1][2:]
        with db.transaction(durable=False) as conn:
            new = [(obj, one) for obj, one, *_ in page if message_row(conn, into[obj], one) is None]
            found = [(into[obj], original(conn, obj, one, PENDING - 1)) for obj, one in new]
        if new:
            carried = [(obj, _data(one.carried())) for obj, one in found if one is not None]
            yield [(obj, data) for obj, data in carried if data is not None]


def _page(db: Database, objs: Sequence[ObjId], after: tuple[int, int]) -> list[tuple[ObjId, ChangeId, int, int]]:
    """The next messages of the objects `objs` behind `after`, a position and a row, in the room's order, at most GROUP:
    (object, message, position, row) of each."""
    pages = [db.rows(_FIRST, (obj, *after, PENDING, GROUP)) for obj in objs]
    return sorted((row for page in pages for row in page), key=lambda row: row[2:])[:GROUP]


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
