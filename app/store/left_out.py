# SPDX-License-Identifier: EUPL-1.2
"""▲ Changes that an administrator had left out of an object, by a record that every member sees.

The verdict follows from the room's positions alone, so all members compute the object alike. From the record's position
on, the object is computed from its other changes; a state up to an earlier position still contains the change.
Functions that take a Connection are for the room kind's projection, inside the store's transaction.
"""

from dataclasses import dataclass

from app.core.enums import Role
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.connection import Connection
from app.store.database import Database

LEAVE_OUT = "leave-out"
"""The kind of the line in the room's timeline."""

# The newest entry up to a position that sets a person's role. `genesis` makes its author owner. ▲ Each of the three is
# found by an index: an administrator may write 100,000 records, each of which asks for their role.
_ROLE = """SELECT kind, role FROM (
    SELECT * FROM (SELECT n, kind, role FROM events INDEXED BY events_by_subject WHERE room = ?1 AND subject = ?3
        AND n <= ?2 AND kind <> 'leave-out' AND kind IN ('add', 'role', 'heir', 'rm', 'reset') ORDER BY n DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT n, kind, role FROM events INDEXED BY events_of_leaving WHERE room = ?1 AND by = ?3
        AND n <= ?2 AND kind = 'leave' ORDER BY n DESC LIMIT 1)
    UNION ALL SELECT n, kind, role FROM events WHERE room = ?1 AND n = 1 AND kind = 'genesis' AND by = ?3)
    ORDER BY n DESC LIMIT 1"""
_PRUNED = "SELECT max(until) FROM events WHERE room = ? AND kind = 'prune' AND obj = ? AND n < ?"
_PLACE = "SELECT place FROM changes WHERE row = ?"
_TARGET = "SELECT min(n) FROM changes WHERE obj = ? AND author = ? AND change_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A change that no longer counts, since an administrator had it left out. `author` and `change_id` name it; `n` is
    the position of the record that left it out."""

    author: Uid
    change_id: ChangeId
    n: int


def leave_out(
    conn: Connection, room: RoomId, obj: ObjId, author: Uid, change_id: ChangeId, *, by: Uid, n: int, t: int, row: int
) -> None:
    """Applies a record by which a member (`by`) has a change left out of the object `obj`: nobody merges that change
    any more. In the caller's transaction. `author` and `change_id` name that change; `n`, `t` (ms) and `row` are the
    record's own position, time and row. Does nothing if `by` was no administrator at that position, or if the change
    lies in a range that was pruned before: then only snapshots contain it, and nobody could remove it.

    ▲ Of several records for one change the one at the lowest position counts, in whatever order they were received.
    Otherwise people would compute different states. Each record has its own line in the timeline, even if its envelope
    has several records.
    """
    if role_at(conn, room, by, n) < Role.ADMIN:
        return
    target = conn.value(_TARGET, (obj, author, change_id))
    pruned = conn.value(_PRUNED, (room, obj, n)) or 0
    if target is not None and target <= pruned:
        return
    conn.execute(
        """INSERT INTO left_out (obj, author, change_id, n) VALUES (?, ?, ?, ?)
        ON CONFLICT (obj, author, change_id) DO UPDATE SET n = min(n, excluded.n)""",
        (obj, author, change_id, n),
    )
    place = conn.value(_PLACE, (row,))
    conn.execute(
        "INSERT OR IGNORE INTO events (room, n, t, kind, by, subject, obj, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (room, n, t, LEAVE_OUT, by, author, obj, place),
    )


def role_at(conn: Connection, room: RoomId, uid: Uid, n: int) -> int:
    """The role that a person (`uid`) had in a room at position `n`, from the events up to there; 0 if they were no
    member."""
    found = conn.execute(_ROLE, (room, n, uid)).fetchone()
    if found is None:
        return 0
    kind, role = found
    return {"genesis": Role.OWNER, "leave": 0, "rm": 0, "reset": 0}.get(kind, role or 0)


class LeftOutChanges:
    """Reads, for services, which changes of objects no longer count because an administrator had them left out."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, obj: ObjId) -> list[LeftOut]:
        """The changes of an object that count no more because an administrator had them left out, in the order of the
        positions of the records that did so."""
        rows = self._db.rows("SELECT author, change_id, n FROM left_out WHERE obj = ? ORDER BY n", (obj,))
        return [LeftOut(author=Uid(a), change_id=ChangeId(c), n=n) for a, c, n in rows]
