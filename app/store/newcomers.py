# SPDX-License-Identifier: EUPL-1.2
"""Members whom this person added from now on, and the newest add up to which they were given the objects' present
state."""

from app.core.enums import Role
from app.core.ids import ObjId, RoomId
from app.store import statements as sql
from app.store.database import Database
from app.store.people import Me

_OWED = """SELECT max(e.n) FROM events e
    JOIN rooms r ON r.room = e.room AND r.role >= ? AND NOT r.left
    JOIN members m ON m.room = e.room AND m.uid = e.subject AND m.since_n = e.n AND NOT m.history
    WHERE e.room = ? AND e.kind = 'add' AND e.by = ? AND e.n > coalesce((SELECT value FROM meta WHERE name = ?), 0)"""
_OWED_NAME = "owed-"


class Newcomers:
    """Which new members still need the objects' present state. They were added by this person without access to the
    history, so this device writes that state for them. Stores one number for each room: the position up to which every
    new member has been given it."""

    def __init__(self, db: Database, me: Me) -> None:
        self._db = db
        self._me = me

    def owed(self, room: RoomId) -> int | None:
        """The position of the newest entry by which this person added a member without the history who is still in the
        room and has not been given the objects' state. None if nobody waits for it, or if this person is no
        administrator (any more)."""
        found: int | None = self._db.value(_OWED, (Role.ADMIN, room, self._me.uid, _given(room)))
        return found

    def owe(self, obj: ObjId) -> None:
        """Notes that the present state of an object could not be written when those of the room's other objects were:
        new members without access to the history still need it from this device."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, 1)", (_owed_of(obj),))

    def owes(self, obj: ObjId) -> bool:
        """Whether an object's state is still to be given to members who were added without the history."""
        return self._db.value("SELECT 1 FROM meta WHERE name = ?", (_owed_of(obj),)) is not None

    def owing(self) -> list[ObjId]:
        """The objects whose present state new members still need from this device."""
        rows = self._db.rows("SELECT name FROM meta WHERE name LIKE ?", (f"{_OWED_NAME}%",))
        return [ObjId(bytes.fromhex(name.removeprefix(_OWED_NAME))) for (name,) in rows]

    def paid(self, obj: ObjId) -> None:
        """Notes that the state is given. Call it within the transaction that writes the state."""
        self._db.conn.execute("DELETE FROM meta WHERE name = ?", (_owed_of(obj),))

    def set_given(self, room: RoomId, n: int) -> None:
        """Notes that every member who was added at or before position `n` was given the objects' state. Call it within
        the transaction that puts the states into the outbox."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_given(room), n))


def take_back(db: Database, room: RoomId) -> None:
    """▲ Removes unsent baselines (objects' states for new members) from the outbox if this person is no longer an
    administrator of the room, in the caller's transaction. They must never be sent: no member would accept them, nor
    any later change of this device. They are owed again if this person becomes administrator again."""
    if db.conn.execute(sql.DROP_BASELINES, (room, Role.ADMIN)).rowcount:
        db.conn.execute(sql.FORGET_GIVEN, (_given(room),))


def _owed_of(obj: ObjId) -> str:
    return f"{_OWED_NAME}{obj.hex()}"


def _given(room: RoomId) -> str:
    return f"baselines-{room.hex()}"
