# SPDX-License-Identifier: EUPL-1.2
"""Whom I added from now on, and up to which add they have been given the objects' present state."""

from app.core.ids import ObjId, RoomId
from app.store import statements as sql
from app.store.database import Database
from app.store.people import Me

ADMIN = 3
"""Who may give a baseline."""

_OWED = """SELECT max(e.n) FROM events e
    JOIN rooms r ON r.room = e.room AND r.role >= ? AND NOT r.left
    JOIN members m ON m.room = e.room AND m.uid = e.subject AND m.since_n = e.n AND NOT m.history
    WHERE e.room = ? AND e.kind = 'add' AND e.by = ? AND e.n > coalesce((SELECT value FROM meta WHERE name = ?), 0)"""
_OWED_NAME = "owed-"


class Newcomers:
    """Read from the room's log; what has been given is one number a room."""

    def __init__(self, db: Database, me: Me) -> None:
        self._db = db
        self._me = me

    def owed(self, room: RoomId) -> int | None:
        """The position of my newest add from now on whose member is still there and has been given nothing."""
        found: int | None = self._db.value(_OWED, (ADMIN, room, self._me.uid, _given(room)))
        return found

    def owe(self, obj: ObjId) -> None:
        """The object's state could not be given with the others; see `owes`."""
        with self._db.transaction():
            self._db.raw.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, 1)", (_owed_of(obj),))

    def owes(self, obj: ObjId) -> bool:
        """Whether an object's state is still to be given to who was added from now on."""
        return self._db.value("SELECT 1 FROM meta WHERE name = ?", (_owed_of(obj),)) is not None

    def owing(self) -> list[ObjId]:
        """The objects whose state is still to be given."""
        rows = self._db.rows("SELECT name FROM meta WHERE name LIKE ?", (f"{_OWED_NAME}%",))
        return [ObjId(bytes.fromhex(name.removeprefix(_OWED_NAME))) for (name,) in rows]

    def paid(self, obj: ObjId) -> None:
        """It is given, within the same transaction."""
        self._db.raw.execute("DELETE FROM meta WHERE name = ?", (_owed_of(obj),))

    def set_given(self, room: RoomId, n: int) -> None:
        """Everybody added up to `n` has it: it lies in the outbox, in the same transaction."""
        with self._db.transaction():
            self._db.raw.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_given(room), n))


def take_back(db: Database, room: RoomId) -> None:
    """▲ Baselines that were not sent when their author ceased to be administrator are never sent: nobody would take
    them, nor anything that is written after them. They are owed again if that person is one again."""
    if db.raw.execute(sql.DROP_BASELINES, (room,)).rowcount:
        db.raw.execute(sql.FORGET_GIVEN, (_given(room),))


def _owed_of(obj: ObjId) -> str:
    return f"{_OWED_NAME}{obj.hex()}"


def _given(room: RoomId) -> str:
    return f"baselines-{room.hex()}"
