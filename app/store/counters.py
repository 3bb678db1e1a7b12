# SPDX-License-Identifier: EUPL-1.2
"""What the objects of a room count for its line in lists: a row for each object, written by its tool's projection. The
room's `unread`, `mentions` and `last_…` are made from these rows in the same transaction.
"""

from dataclasses import dataclass

from app.core.ids import ObjId, RoomId, Uid
from app.store.connection import Connection

_PUT = """INSERT INTO counters (obj, room, unread, mentions, last_t, last_by, last_preview)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (obj) DO UPDATE SET unread = excluded.unread, mentions = excluded.mentions,
        last_t = excluded.last_t, last_by = excluded.last_by, last_preview = excluded.last_preview
    WHERE (unread, mentions, last_t, last_by, last_preview) IS NOT
        (excluded.unread, excluded.mentions, excluded.last_t, excluded.last_by, excluded.last_preview)"""
# the columns without an aggregate are those of a row with the highest last_t (SQLite: "bare columns" beside max())
_ADD_UP = """UPDATE rooms SET (unread, mentions, last_t, last_by, last_preview) =
    (SELECT iif(rooms.left, 0, coalesce(sum(c.unread), 0)), iif(rooms.left, 0, coalesce(sum(c.mentions), 0)),
        coalesce(max(c.last_t), 0), c.last_by, coalesce(c.last_preview, '')
     FROM counters c JOIN objects o ON o.obj = c.obj WHERE c.room = rooms.room AND NOT o.deleted) WHERE room = ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The line that a room shows as its latest activity: when (`t`, ms), by whom, and one line of text."""

    t: int
    by: Uid
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One object's share of its room's numbers: how many of its entries this person has not read (`unread`), how many
    of those mention this person (`mentions`), and its latest activity (`last`; None if it shows none)."""

    unread: int = 0
    mentions: int = 0
    last: Latest | None = None


def put(conn: Connection, room: RoomId, obj: ObjId, counter: Counter) -> None:
    """Stores an object's share of its room's numbers, in place of the share that was stored before. Call it inside the
    store's transaction: a projection does when changes are stored, a service when the person has read something.

    The room shows the sum of its objects' `unread` and `mentions`, and the latest of their `last`. The share of an
    object in the trash is stored but not added; it is added again when the object is taken back. The store itself
    removes the counter when it makes an object's rows again from its first change, and when the object turns out to
    belong to another room. 11 µs; 0.4 ms in a room of 1,000 objects that count.
    """
    last = counter.last or Latest(t=0, by=Uid(b""), preview="")
    row = (obj, room, counter.unread, counter.mentions, last.t, last.by or None, last.preview)
    if conn.execute(_PUT, row).rowcount:
        add_up(conn, room)


def unread(conn: Connection, obj: ObjId) -> tuple[int, int]:
    """The stored counter of one object: (unread entries, those of them that mention this person); (0, 0) if it has
    none."""
    found = conn.execute("SELECT unread, mentions FROM counters WHERE obj = ?", (obj,)).fetchone()
    return (int(found[0]), int(found[1])) if found is not None else (0, 0)


def add_up(conn: Connection, room: RoomId) -> None:
    """Computes the room's unread, mentions and latest line from its objects' counters. A room that this person has left
    has nothing unread. Call it when an object begins or ceases to be counted, such as when it is put into the trash, in
    the transaction that does this."""
    conn.execute(_ADD_UP, (room,))


def drop(conn: Connection, obj: ObjId) -> None:
    """Removes an object's counter (its unread entries, mentions and latest line), in the caller's transaction, and
    updates its room's numbers."""
    for (room,) in conn.execute("DELETE FROM counters WHERE obj = ? RETURNING room", (obj,)).fetchall():
        add_up(conn, room)


def drop_kind(conn: Connection, kind: str) -> None:
    """Removes the counters of all objects of the kind `kind` ("chat", "document", …) and updates their rooms' numbers,
    in the caller's transaction: their projection writes them again."""
    of_kind = "DELETE FROM counters WHERE obj IN (SELECT obj FROM objects WHERE kind = ?) RETURNING room"
    for room in {room for (room,) in conn.execute(of_kind, (kind,)).fetchall()}:
        add_up(conn, room)
