# SPDX-License-Identifier: EUPL-1.2
"""Which objects of a room are put away, by whom and when: a row for each, written by the room's projection."""

from app.core.ids import ObjId, RoomId, Uid
from app.objects.trash import Retired
from app.store.connection import Connection
from app.store.database import Database
from app.store.rows import StoredChange

TABLES = (
    """CREATE TABLE room_put_away (obj BLOB NOT NULL PRIMARY KEY, room BLOB NOT NULL, by BLOB NOT NULL,
       t INTEGER NOT NULL, row INTEGER NOT NULL)""",
    "CREATE INDEX room_put_away_by_room ON room_put_away (room)",
)
"""`row`: the change that put the object away; `t`: when it did."""

_PUT = """INSERT OR IGNORE INTO room_put_away (obj, room, by, t, row)
    SELECT obj, room, ?, ?, ? FROM objects WHERE obj = ? AND room = ?"""
_READ = """SELECT p.room, p.obj, p.by, p.t, p.row FROM room_put_away p JOIN objects o ON o.obj = p.obj
    WHERE o.deleted AND (?1 IS NULL OR p.room = ?1) AND (?2 IS NULL OR p.by = ?2) ORDER BY p.t DESC, p.obj"""


def note(conn: Connection, room: RoomId, obj: ObjId, on: bool, change: StoredChange) -> None:
    """Notes, within the caller's transaction, who put an object into the trash (`on` True) or that it was restored
    (False). `change`: the room's record that says so. Of an object that is in the trash already nothing changes: an
    administrator repeats the record for newcomers. ▲ Does nothing for an object of another room: a room's record
    counts for its own objects only."""
    if on:
        conn.execute(_PUT, (change.author, change.t, change.rowid, obj, room))
    else:
        conn.execute("DELETE FROM room_put_away WHERE obj = ? AND room = ?", (obj, room))


def positioned(conn: Connection, change: StoredChange) -> None:
    """Corrects the time at which an object was put away, once the record (`change`) has the server's time."""
    conn.execute("UPDATE room_put_away SET t = ? WHERE row = ?", (change.t, change.rowid))


def read(db: Database, room: RoomId | None = None, by: Uid | None = None) -> list[Retired]:
    """The objects that are in the trash, of one room or all, put away by one person or anybody; the latest first."""
    return [Retired(room=rm, obj=obj, by=who, t=t, row=row) for rm, obj, who, t, row in db.rows(_READ, (room, by))]
