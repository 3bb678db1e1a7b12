# SPDX-License-Identifier: EUPL-1.2
"""Notes of this device about a room, since no entry of the room's log says it: that the server was restored from a
backup, and that another room continues this one. They are shown as lines (room_lines.py)."""

from app.core import clock
from app.core.ids import RoomId, Uid
from app.store.connection import Connection

RESTORED, CONTINUED = "restored", "continued"

_PUT = """INSERT OR IGNORE INTO room_marks (room, n, kind, other, t, by)
    SELECT room, cursor, ?2, ?3, coalesce((SELECT t FROM events WHERE room = ?3 AND kind = 'genesis'), ?4), ?5
    FROM streams WHERE room = ?1"""
_NOTED = "SELECT 1 FROM room_marks WHERE room = ? AND kind = ? AND other = ?"


def note_restored(conn: Connection, room: RoomId) -> None:
    """Notes, in the caller's transaction, that the server was restored from a backup: at the last position of the
    device's copy of `room`, with the present time. Does nothing if it is noted at that position already, or if the
    device has no copy of the room."""
    conn.execute(_PUT, (room, RESTORED, b"", clock.now_ms(), None))


def note_continued(conn: Connection, old: RoomId, room: RoomId, by: Uid) -> bool:
    """Notes, in the caller's transaction, that `by` opened `room`, which continues the room `old`: at the last position
    of the device's copy of `old`, with the server's time (ms) at which `room` was made. Call it once the claim is
    believed. Returns whether it was new; False also if the device has no copy of `old`."""
    if conn.execute(_NOTED, (old, CONTINUED, room)).fetchone():
        return False
    return conn.execute(_PUT, (old, CONTINUED, room, clock.now_ms(), by)).rowcount > 0
