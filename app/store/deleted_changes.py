# SPDX-License-Identifier: EUPL-1.2
"""Deletes changes, and keeps the numbers of their rows from being used again."""

from collections.abc import Sequence

from app.store import statements as sql
from app.store.connection import Connection

_PLACE = "INSERT INTO changes (row, room, obj, change_id, author, t, data) VALUES (?, x'', x'', x'', x'', 0, x'')"
_EARLIER = "DELETE FROM changes WHERE obj = x'' AND row < ?"


def delete(conn: Connection, rows: Sequence[int]) -> None:
    """Deletes the changes with the row ids `rows`, in the caller's transaction. ▲ If the last row of all is among them,
    an empty row of no object keeps its number. Otherwise SQLite would give the number to the next change: read marks
    count in rows, so a message that nobody has seen would count as read."""
    last = conn.value(sql.LAST_ROW)
    conn.executemany("DELETE FROM changes WHERE row = ?", [(row,) for row in rows])
    if last in rows:
        conn.execute(_PLACE, (last,))
        conn.execute(_EARLIER, (last,))
