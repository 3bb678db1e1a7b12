# SPDX-License-Identifier: EUPL-1.2
"""The rows of a person's read marks (app/own/reads.py): how far they have read each series on any of their devices, by
positions in the room's stream. The table `read_markers` has this device's own marks, by rows. What is read by either
counts as read. Functions that take a Connection run in the caller's transaction; the others read, also for services.

A mark names a position by its hash too (`hashes`): the first bytes of the running hash over the room's stream up to
there. Nobody can know it before the position exists.
"""

from collections.abc import Collection

from app.core.ids import ObjId, RoomId
from app.store.connection import Connection, RowSource
from app.store.statements import CHUNK

HASH_BYTES = 8
START_HASH = "00" * HASH_BYTES
"""The hash at position 0, before the first item of a room."""
_STREAM = "SELECT s.room, (SELECT max(p.n) FROM positions p WHERE p.room = s.room) FROM series s WHERE s.obj = ?"
_LAST_UPTO = "SELECT n, rh FROM positions WHERE room = ? AND n <= ? ORDER BY n DESC LIMIT 1"
_AT = "SELECT n, rh FROM positions WHERE room = ? AND n IN (%s)"


def stream_of(rows: RowSource, obj: ObjId) -> tuple[RoomId, int] | None:
    """(the room of a series, the last position of it that is stored here, 0 for none); None for an unknown series."""
    found = rows.rows(_STREAM, (obj,))
    return (RoomId(found[0][0]), int(found[0][1] or 0)) if found else None


def hashes(rows: RowSource, room: RoomId, positions: Collection[int]) -> dict[int, str]:
    """The hashes, in hex, at those of these positions of a room that are stored here, and at position 0."""
    found, wanted = {0: START_HASH}, list(positions)
    for at in range(0, len(wanted), CHUNK):
        part = wanted[at : at + CHUNK]
        stored = rows.rows(_AT % ", ".join("?" * len(part)), (room, *part))
        found |= {n: rh[:HASH_BYTES].hex() for n, rh in stored}
    return found


def last_hash(rows: RowSource, room: RoomId, upto: int) -> tuple[int, str]:
    """(n, the hash there) of the highest position up to `upto` that is stored here; position 0 if there is none."""
    found = rows.rows(_LAST_UPTO, (room, upto))
    return (int(found[0][0]), found[0][1][:HASH_BYTES].hex()) if found else (0, START_HASH)


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
