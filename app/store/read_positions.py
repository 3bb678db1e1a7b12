# SPDX-License-Identifier: EUPL-1.2
"""The rows of a person's read marks (app/own/reads.py): how far they have read each series on any of their devices, by
positions in the room's stream. The table `read_markers` has this device's own marks, by rows. What is read by either
counts as read. Functions run in the caller's transaction."""

from collections.abc import Collection

from app.core.ids import ObjId
from app.store.connection import Connection


def generation(conn: Connection, obj: ObjId) -> int:
    """The generation of the series' read mark, from 0. It rises when the person marks something as unread."""
    return int(conn.value("SELECT generation FROM read_positions WHERE obj = ?", (obj,)) or 0)


_generation = generation


def position(conn: Connection, obj: ObjId) -> int:
    """The position up to which the series has been read, except `left`; 0 if nothing has been read."""
    return int(conn.value("SELECT position FROM read_positions WHERE obj = ?", (obj,)) or 0)


def left(conn: Connection, obj: ObjId) -> tuple[int, ...]:
    """The positions up to `position` whose content is unread, ascending."""
    found = conn.execute("SELECT position FROM read_left WHERE obj = ? ORDER BY position", (obj,)).fetchall()
    return tuple(row[0] for row in found)


def is_read(conn: Connection, obj: ObjId, n: int) -> bool:
    """Whether what is at position `n` of the series is read by this mark."""
    sql = """SELECT 1 FROM read_positions p WHERE p.obj = ?1 AND p.position >= ?2
        AND NOT EXISTS (SELECT 1 FROM read_left e WHERE e.obj = ?1 AND e.position = ?2)"""
    return conn.value(sql, (obj, n)) is not None


def put(conn: Connection, obj: ObjId, generation: int, position: int, left: Collection[int]) -> None:
    """Replaces the read mark of a series. `left`: positions up to `position` whose content is unread. A higher
    generation also deletes this device's marks by rows, according to which more would be read."""
    if generation > _generation(conn, obj):
        conn.execute("DELETE FROM read_markers WHERE obj = ?", (obj,))
        conn.execute("DELETE FROM read_apart WHERE obj = ?", (obj,))
    conn.execute(
        "INSERT OR REPLACE INTO read_positions (obj, generation, position) VALUES (?, ?, ?)",
        (obj, generation, position),
    )
    conn.execute("DELETE FROM read_left WHERE obj = ?", (obj,))
    conn.executemany("INSERT INTO read_left (obj, position) VALUES (?, ?)", [(obj, n) for n in sorted(set(left))])
