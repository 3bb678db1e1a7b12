# SPDX-License-Identifier: EUPL-1.2
"""When this device first saw a position of a room, by its own clock, which a false time of the server cannot change.

Marks (position, ms), at most one an hour, in `meta`. A position was seen before the first mark that covers it, so a
wait that is counted from a mark is at most an hour too long, and never too short.
"""

import struct

from app.core.ids import RoomId
from app.store.database import Database

KEPT_MS = 31 * 86_400_000
"""Nothing waits longer than thirty days."""
_MARK = struct.Struct(">QQ")


class SeenTimes:
    """When this device first saw each position of a room, by its own clock: an action that must wait for some days,
    such as the renewal of a room's key, counts by it too, so that a server with a false clock can neither hasten nor
    delay it. The times are at most an hour too late, and kept for 31 days."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._marks: dict[RoomId, list[tuple[int, int]]] = {}

    def note_seen(self, room: RoomId, n: int, t: int) -> None:
        """Notes that every position of the room up to `n` has been seen by the time `t` (own clock, ms). Does nothing
        if `n` or a later position was noted before. One transaction, not flushed."""
        marks = self._of(room)
        if n <= (marks[-1][0] if marks else 0):
            return
        old = [mark for mark in marks if mark[1] <= t - KEPT_MS]
        marks = [*old[-1:], *(mark for mark in marks if mark[1] > t - KEPT_MS), (n, t)]
        value = b"".join(_MARK.pack(*mark) for mark in marks)
        with self._db.transaction(durable=False):
            self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_name(room), value))
        self._marks[room] = marks

    def seen_ms(self, room: RoomId, n: int) -> int | None:
        """When (own clock, ms) a position was seen; None while no mark covers it, which means a moment ago."""
        return next((t for at, t in self._of(room) if at >= n), None)

    def _of(self, room: RoomId) -> list[tuple[int, int]]:
        if room not in self._marks:
            value = self._db.value("SELECT value FROM meta WHERE name = ?", (_name(room),)) or b""
            self._marks[room] = list(_MARK.iter_unpack(value))
        return self._marks[room]


def _name(room: RoomId) -> str:
    return f"seen-{room.hex()}"
