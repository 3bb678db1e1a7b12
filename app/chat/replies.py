# SPDX-License-Identifier: EUPL-1.2
"""In which object the message lies that a message answers."""

from itertools import pairwise

from app.chat.records import MessageSent
from app.core.ids import ObjId, RoomId
from app.store import series
from app.store.connection import Connection
from app.store.origins import MAX_HOPS
from app.store.rows import StoredChange
from sync.trust.room.successor_claim import object_in

_OLD = "SELECT old FROM origins WHERE room = ?"


def answered_in(conn: Connection, change: StoredChange, sent: MessageSent) -> ObjId | None:
    """The object of the message that `sent`, the message in `change`, answers; None if it answers none. A message that
    was written in a room which this one continues names an object of that room: its successor here is returned. An
    object that is not here is returned as it is named."""
    if sent.reply_to is None or sent.reply_obj is None:
        return None if sent.reply_to is None else change.obj
    named, rooms = ObjId(sent.reply_obj), [change.room]
    for _ in range(MAX_HOPS + 1):
        here = _followed(named, rooms)
        if series.is_part(conn, change.room, here):
            return here
        old = conn.execute(_OLD, (rooms[-1],)).fetchone()
        if old is None:
            break
        rooms.append(RoomId(old[0]))
    return named


def _followed(obj: ObjId, rooms: list[RoomId]) -> ObjId:
    """The object in the first of `rooms` that continues `obj`, an object of the last of them; each room continues the
    next."""
    for room, old in reversed(list(pairwise(rooms))):
        obj = object_in(room, old, obj)
    return obj
