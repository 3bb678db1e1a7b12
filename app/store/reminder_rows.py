# SPDX-License-Identifier: EUPL-1.2
"""The rows of reminders: what the person wants to be reminded of, and when. app/reminders/ keeps them equal to what all
the person's devices share. A row has ids and times, and no text."""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NewType

from app.core.ids import ObjId, RoomId
from app.store.connection import Connection, Row
from app.store.database import Database
from app.store.notice_rows import NoticeId

ReminderId = NewType("ReminderId", bytes)
"""16 random bytes."""

WAITS, GONE = 0, 1
"""Values of `ReminderRow.state`. GONE: the person has removed the reminder, or is done with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRow:
    """A stored reminder. `generation`, `state` and `at` (ms) as in app/own/FORMAT.md. `room`, `obj`, `kind` and `ref`
    are the place that it leads to, as in an `ObjectLink`. `notice`: the notice that this device has made when its time
    came; None before."""

    id: ReminderId
    generation: int
    state: int
    at: int
    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes
    notice: NoticeId | None = None

    @property
    def rank(self) -> tuple[int, int, int]:
        """(generation, state, at): of two values of one reminder the one with the higher rank counts."""
        return self.generation, self.state, self.at


_COLUMNS = "id, generation, state, at, room, obj, kind, ref, notice"
_WAITING = "state = 0 AND notice IS NULL"
_PUT = f"INSERT OR REPLACE INTO reminders ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def put(conn: Connection, rows: Collection[ReminderRow]) -> None:
    """Stores reminders, in the caller's transaction, in place of earlier rows with the same ids."""
    conn.executemany(_PUT, [(r.id, r.generation, r.state, r.at, r.room, r.obj, r.kind, r.ref, r.notice) for r in rows])


def drop(conn: Connection, ids: Collection[ReminderId]) -> None:
    """Deletes rows, in the caller's transaction."""
    conn.executemany("DELETE FROM reminders WHERE id = ?", [(ident,) for ident in ids])


class ReminderStore:
    """Reads the rows of reminders. Each call returns a bounded number of rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, ident: ReminderId) -> ReminderRow | None:
        """The reminder with this id; None if there is none."""
        return self._first("id = ?", (ident,))

    def by_notice(self, notice: NoticeId) -> ReminderRow | None:
        """The reminder that has made this notice here; None if none has."""
        return self._first("notice = ?", (notice,))

    def waiting(self, limit: int, after: tuple[int, ReminderId] | None = None) -> Sequence[ReminderRow]:
        """At most `limit` reminders that wait (they have made no notice here), the earliest first. `after`: only those
        after this time (ms) and id."""
        at, ident = after or (-1, ReminderId(b""))
        where = f"{_WAITING} AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?"
        return self._all(where, (at, ident, limit))

    def due(self, now: int, limit: int) -> Sequence[ReminderRow]:
        """At most `limit` reminders whose time has come at `now` (ms) and that have made no notice here, the earliest
        first."""
        return self._all(f"{_WAITING} AND at <= ? ORDER BY at, id LIMIT ?", (now, limit))

    def next_at(self) -> int | None:
        """When (ms) the first reminder is due that has made no notice here; None if there is none."""
        found: int | None = self._db.value(f"SELECT min(at) FROM reminders WHERE {_WAITING}")
        return found

    def count(self, most: int) -> int:
        """How many reminders wait, counted up to `most`."""
        return int(self._db.value(f"SELECT count(*) FROM (SELECT 1 FROM reminders WHERE {_WAITING} LIMIT ?)", (most,)))

    def at_place(self, obj: ObjId, ref: bytes) -> ReminderRow | None:
        """The earliest reminder that waits about a place."""
        return self._first(f"{_WAITING} AND obj = ? AND ref = ? ORDER BY at, id", (obj, ref))

    def places(self, obj: ObjId, most: int) -> frozenset[bytes]:
        """The places in an object, as `ref`, about which reminders wait: at most `most`."""
        sql = f"SELECT DISTINCT ref FROM reminders WHERE {_WAITING} AND obj = ? LIMIT ?"
        return frozenset(bytes(ref) for (ref,) in self._db.rows(sql, (obj, most)))

    def ids(self, limit: int, after: bytes = b"") -> list[ReminderId]:
        """At most `limit` ids of all reminders, also of those that are gone: those after `after`, ascending."""
        return [
            ident
            for (ident,) in self._db.rows("SELECT id FROM reminders WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        ]

    def _first(self, where: str, params: Sequence[object]) -> ReminderRow | None:
        row = self._db.one(f"SELECT {_COLUMNS} FROM reminders WHERE {where} LIMIT 1", params)
        return _row(row) if row is not None else None

    def _all(self, where: str, params: Sequence[object]) -> Sequence[ReminderRow]:
        return [_row(row) for row in self._db.rows(f"SELECT {_COLUMNS} FROM reminders WHERE {where}", params)]


def _row(row: Row) -> ReminderRow:
    ident, generation, state, at, room, obj, kind, ref, notice = row
    return ReminderRow(
        id=ident, generation=generation, state=state, at=at, room=room, obj=obj, kind=kind, ref=ref, notice=notice
    )
