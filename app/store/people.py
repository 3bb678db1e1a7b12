# SPDX-License-Identifier: EUPL-1.2
"""The account's person and the people they know: rows from the agency's bindings, and the person's own verified
marks."""

from app.core import clock
from app.core.collation import swedish_key
from app.core.ids import Uid
from app.core.signal import Signal
from app.store.connection import Row
from app.store.database import Database
from app.store.rows import PersonRow

_PERSON = "SELECT uid, name, title, unit, verified FROM people"


class Me:
    """The account's own uid: None before the first enrolment, stored from then on."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._uid: Uid | None = db.value("SELECT value FROM meta WHERE name = 'me'")

    @property
    def uid(self) -> Uid | None:
        """None before the first enrolment."""
        return self._uid

    def set(self, uid: Uid) -> None:
        """Stores the account's own uid."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('me', ?)", (uid,))
        self._uid = uid


class People:
    """Everybody whose staff record is known, and whether this person has compared safety numbers with them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.changed: Signal[Uid] = Signal()
        """A person's record or verified mark changed."""

    def get(self, uid: Uid) -> PersonRow | None:
        """The stored row of one person; None if the agency's record of them was not received yet."""
        row = self._db.one(f"{_PERSON} WHERE uid = ?", (uid,))
        return _person(row) if row else None

    def all(self) -> list[PersonRow]:
        """Everybody known, in Swedish order of names."""
        return sorted((_person(r) for r in self._db.rows(_PERSON)), key=lambda p: swedish_key(p.name))

    def verified(self) -> dict[Uid, int]:
        """The people with whom this person has compared safety numbers, each with when (ms), the earliest first."""
        return dict(self._db.rows("SELECT uid, verified FROM people WHERE verified IS NOT NULL ORDER BY verified"))

    def set_verified(self, uid: Uid, verified: bool, *, t: int | None = None) -> None:
        """If `verified`, notes that the safety numbers were compared in person, at `t` (ms; now if it is None).
        Otherwise removes that mark. Either way, all notices about the person's devices are deleted."""
        at = (clock.now_ms() if t is None else t) if verified else None
        with self._db.transaction():
            self._db.conn.execute("UPDATE people SET verified = ? WHERE uid = ?", (at, uid))
            # a person who compares the numbers has seen what happened to the keys before
            self._db.conn.execute("DELETE FROM key_notices WHERE uid = ? AND kind LIKE 'device-%'", (uid,))
        self.changed.emit(uid)


def _person(row: Row) -> PersonRow:
    uid, name, title, unit, verified = row
    return PersonRow(uid=uid, name=name, title=title, unit=unit, verified=verified)
