# SPDX-License-Identifier: EUPL-1.2
"""How far a person has read on any of their devices, by positions in the room's stream. A read mark by rows
(`read_markers`) is this device's own; both count."""

from collections.abc import Collection

from app.core.ids import ObjId
from app.store.connection import Connection


def generation(conn: Connection, obj: ObjId) -> int:
    """Which reading of the series this is: it rises when the person marks something as unread; 0 is the first."""
    return int(conn.value("SELECT generation FROM read_positions WHERE obj = ?", (obj,)) or 0)


_generation = generation


def position(conn: Connection, obj: ObjId) -> int:
    """The position up to which the series has been read; 0 for never."""
    return int(conn.value("SELECT position FROM read_positions WHERE obj = ?", (obj,)) or 0)


def left(conn: Connection, obj: ObjId) -> tuple[int, ...]:
    """Positions up to that one whose content is unread, ascending."""
    found = conn.execute("SELECT position FROM read_left WHERE obj = ? ORDER BY position", (obj,)).fetchall()
    return tuple(row[0] for row in found)


def is_read(conn: Connection, obj: ObjId, n: int) -> bool:
    """Whether the person has read what is at position `n` of the series, by the marks of their devices."""
    sql = """SELECT 1 FROM read_positions p WHERE p.obj = ?1 AND p.position >= ?2
        AND NOT EXISTS (SELECT 1 FROM read_left e WHERE e.obj = ?1 AND e.position = ?2)"""
    return conn.value(sql, (obj, n)) is not None


def put(conn: Connection, obj: ObjId, generation: int, position: int, left: Collection[int]) -> None:
    """Stores how far the series has been read, in the caller's transaction. `left`: positions up to `position` whose
    content is unread. With a higher generation the marks by rows begin again: they would say that more is read."""
    if generation > _generation(conn, obj):
        conn.execute("DELETE FROM read_markers WHERE obj = ?", (obj,))
        conn.execute("DELETE FROM read_apart WHERE obj = ?", (obj,))
    conn.execute(
        "INSERT OR REPLACE INTO read_positions (obj, generation, position) VALUES (?, ?, ?)",
        (obj, generation, position),
    )
    conn.execute("DELETE FROM read_left WHERE obj = ?", (obj,))
    conn.executemany("INSERT INTO read_left (obj, position) VALUES (?, ?)", [(obj, n) for n in sorted(set(left))])
