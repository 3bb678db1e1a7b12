# SPDX-License-Identifier: EUPL-1.2
"""The role that the author of an item had at the item's position, from the stored entries of the room's log."""

from app.core.enums import Role
from app.core.ids import RoomId, Uid
from app.store.connection import Connection

# A removal or a leaving need not be looked for: after it nothing of the person counts until the next `add`.
# ▲ The index has no lines about changes that were left out: there may be 100,000 about one person.
# SQLite would choose the primary key, which has all lines of the room.
_ROLE = """SELECT role FROM events INDEXED BY events_by_subject WHERE room = ? AND subject = ? AND n <= ?
    AND kind <> 'leave-out' AND kind IN ('add', 'role', 'heir') ORDER BY n DESC LIMIT 1"""
_FOUNDED = "SELECT 1 FROM events WHERE room = ? AND n = 1 AND kind = 'genesis' AND by = ?"


def author_role(conn: Connection, room: RoomId, uid: Uid, n: int) -> int:
    """The role (a `Role` as a number) that the person `uid` had in a room at the position `n`, the entry at `n`
    included. 0 if the stored log gives the person no role up to there.

    Call it for the author of a stored change at the change's position. The program has then checked that they were a
    member, so that a later removal need not be looked for. It takes the same time however long the log is: a member
    with many changes must not slow the room down."""
    found = conn.execute(_ROLE, (room, uid, n)).fetchone()
    if found is not None:
        return found[0] or 0
    return Role.OWNER if conn.execute(_FOUNDED, (room, uid)).fetchone() is not None else 0
