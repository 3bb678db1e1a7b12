# SPDX-License-Identifier: EUPL-1.2
"""▲ A room's titles in the order of their records' positions, so that every member shows the same one and the same
changes of it, in whatever order the records were received. Written by the room kind's projection, inside the store's
transaction."""

from app.core.ids import RoomId
from app.store import rooms
from app.store.connection import Connection
from app.store.rows import StoredChange
from app.store.series import PENDING
from sync.client.placed_changes import position_of

_PUT = """INSERT OR REPLACE INTO titles (row, room, sort, t, by, title, type)
    SELECT ?1, ?2, iif(?3 IS NULL, ?4, ?3 | (SELECT place FROM changes WHERE row = ?1)), ?5, ?6, ?7, ?8"""
_OLD = """UPDATE titles SET old = (SELECT b.title FROM titles b WHERE b.room = titles.room AND b.sort < titles.sort
    ORDER BY b.sort DESC LIMIT 1) WHERE row IN (
        SELECT row FROM titles WHERE row = ?1
        UNION ALL SELECT * FROM (SELECT row FROM titles WHERE room = ?2 AND sort > ?3 ORDER BY sort LIMIT 1))"""
_SORT = "SELECT sort FROM titles WHERE row = ?"
_LATEST = "SELECT title, type FROM titles WHERE room = ? ORDER BY sort DESC LIMIT 1"


def put(conn: Connection, change: StoredChange, title: str, type_: str) -> str:
    """Stores the `title` and the type that a room's record gives it, in the caller's transaction. `change` holds the
    record. The room is shown under the title of the latest record by position, which is returned; a record that the
    server does not have yet is later than all others. Call it again when an own record has received its position."""
    first = position_of(change.n, 0) if change.n is not None else None
    values = (change.rowid, change.room, first, PENDING + change.rowid, change.t, change.author, title, type_)
    former = conn.execute(_SORT, (change.rowid,)).fetchone()
    conn.execute(_PUT, values)
    for (sort,) in filter(None, (former, conn.only(_SORT, (change.rowid,)))):
        conn.execute(_OLD, (change.rowid, change.room, sort))
    return show_latest(conn, change.room, change.t)


def show_latest(conn: Connection, room: RoomId, t: int) -> str:
    """Has the room shown under its latest title, in the caller's transaction, and returns that. `t` (ms): when the room
    was made, if it is new here."""
    title, type_ = conn.only(_LATEST, (room,))
    rooms.name(conn, room, title, type_, t)
    return str(title)
