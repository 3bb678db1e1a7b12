# SPDX-License-Identifier: EUPL-1.2
"""▲ Which objects are the parts of one series, such as the months of a chat. A series is named by its first object.

Whether an object counts follows from the positions of the room's records alone, so every member counts the same objects
in whatever order the records were received. Functions that take a Connection are for projections, inside the store's
transaction; the others read.

An object counts if
- its series is an object of the same room that was announced as its own series,
- its period is at most one month ahead of the time at which it was announced (of the series' first object any), and
- fewer than MOST objects of the same series and period of which this is true come before it. The first object of the
  series comes before all others, then those that an administrator announced again for a new member, then the others,
  each by position.
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.ids import ObjId, RoomId
from app.core.months import month_of
from app.store.connection import Connection, Row
from app.store.database import Database
from sync.client.placed_changes import position_of

MOST = 8
"""The most objects of one period that count. Two people who begin a month at the same time make two."""
PENDING = 1 << 62
"""Above all positions: an announcement that the server does not have has this number + its row. So has every row that
is in the order of positions, such as a title (titles.py) or a message."""

_FIRST_OBJECT, _AGAIN, _LATER, _AHEAD = range(4)
"""Values of `rank`. _AHEAD: the period is too far ahead, and the object does not count."""

_PUT = """INSERT INTO series (obj, room, series, period, rank, position) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (obj) DO UPDATE SET series = excluded.series, period = excluded.period, rank = excluded.rank,
        position = excluded.position WHERE room = excluded.room AND position > excluded.position"""
_BEFORE = "SELECT series, period FROM series WHERE obj = ?"
_IS_SERIES = "SELECT 1 FROM series WHERE obj = ?1 AND series = ?1 AND room = ?2"
_LOWEST = """SELECT obj FROM series WHERE series = ? AND period = ? AND room = ? AND rank < 3
    ORDER BY rank, position LIMIT ?"""
_COUNTING = "SELECT obj FROM series WHERE series = ? AND period = ? AND room = ? AND counts"
_SET = "UPDATE series SET counts = ? WHERE obj = ?"
_PERIODS = "SELECT DISTINCT period FROM series WHERE series = ?"
_FIRST = """SELECT s.obj FROM series s JOIN objects o ON o.obj = s.obj
    WHERE s.room = ? AND s.series = s.obj AND s.counts AND o.kind = ? AND NOT o.deleted
    ORDER BY s.position, s.obj LIMIT 1"""
_OPEN = """AND NOT EXISTS (SELECT 1 FROM events e
    WHERE e.room = s.room AND e.kind = 'destroy' AND e.obj = s.obj)"""
_PRESENT = f"""SELECT s.obj FROM series s WHERE s.series = ? AND s.period = ? AND s.counts {_OPEN}
    ORDER BY s.rank, s.position"""
_LATEST = f"""SELECT s.obj FROM series s WHERE s.series = ? AND s.counts {_OPEN}
    ORDER BY s.period DESC, s.rank, s.position"""
_NOT_COUNTING = "SELECT 1 FROM series WHERE series = ? AND period = ? AND NOT counts LIMIT 1"
_ROW = "SELECT obj, series, period, counts FROM series WHERE obj = ?"
_OF_ROOM = "SELECT obj, series, period, counts FROM series WHERE room = ? ORDER BY rank, position"


class Values(Protocol):
    """Reads one value: the store's database, for services, or its connection, for projections. None if no row is
    found."""

    def value(self, sql: str, params: Sequence[Any] = (), /) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An object that was announced as part of the series `series` for the month `period` (app/core/months.py). `counts`
    False: it is not part of the series, and nothing of it is shown."""

    obj: ObjId
    series: ObjId
    period: int
    counts: bool


def announce(
    conn: Connection,
    room: RoomId,
    obj: ObjId,
    series: ObjId | None,
    period: int | None,
    *,
    row: int,
    n: int | None,
    t: int,
) -> None:
    """Stores, in the caller's transaction, that an object of the room was announced as part of `series` (None: it is a
    series of its own) for the month `period` (None: that of `t`). `row`, `n` and `t` are the announcement's row in the
    store, its position (None while the server does not have it) and its time in ms. Of several announcements of one
    object the one at the lowest position counts; those in a room other than that of the first one stored do nothing.
    Computes again which objects count. Call it again when an own announcement has received its position."""
    place, baseline = conn.execute("SELECT place, baseline FROM changes WHERE row = ?", (row,)).fetchone() or (0, 0)
    series = obj if series is None else series
    period = month_of(t) if period is None else period
    is_ahead = period > month_of(t) + 1
    rank = _FIRST_OBJECT if series == obj else _AHEAD if is_ahead else _AGAIN if baseline else _LATER
    position = position_of(n, place) if n is not None else PENDING + row
    before = conn.execute(_BEFORE, (obj,)).fetchone()
    if conn.execute(_PUT, (obj, room, series, period, rank, position)).rowcount == 0:
        return
    for changed in {(series, period), before or (series, period)}:
        _count(conn, room, *changed)
    if series == obj or (before is not None and before[0] == obj):
        for (each,) in conn.execute(_PERIODS, (obj,)).fetchall():
            _count(conn, room, obj, each)


def _count(conn: Connection, room: RoomId, series: ObjId, period: int) -> None:
    """Computes again which objects of one series and period count."""
    is_series = conn.execute(_IS_SERIES, (series, room)).fetchone() is not None
    lowest = conn.execute(_LOWEST, (series, period, room, MOST)).fetchall() if is_series else []
    now = {obj for (obj,) in lowest}
    before = {obj for (obj,) in conn.execute(_COUNTING, (series, period, room)).fetchall()}
    conn.executemany(_SET, [(int(obj in now), obj) for obj in now ^ before])


def series_of(reads: Values, obj: ObjId) -> ObjId | None:
    """The series that an object is part of. None if it was announced as part of none, or does not count."""
    found: ObjId | None = reads.value("SELECT series FROM series WHERE obj = ? AND counts", (obj,))
    return found


def is_part(reads: Values, room: RoomId, obj: ObjId) -> bool:
    """Whether an object is part of a series of this room: it was announced as that, and counts."""
    return reads.value("SELECT 1 FROM series WHERE obj = ? AND room = ? AND counts", (obj, room)) is not None


def first(reads: Values, room: RoomId, kind: str) -> ObjId | None:
    """The room's first series, by position, whose first object has the kind `kind` and is not in the trash; None if
    there is none."""
    found: ObjId | None = reads.value(_FIRST, (room, kind))
    return found


def is_destroyed(reads: Values, room: RoomId, obj: ObjId) -> bool:
    """Whether the room's log says that the object is destroyed: it takes nothing more."""
    sql = "SELECT 1 FROM events WHERE room = ? AND kind = 'destroy' AND obj = ? LIMIT 1"
    return reads.value(sql, (room, obj)) is not None


class SeriesRows:
    """Reads, for services, which objects are the parts of series. `is_of` says whether an object's id is bound to a
    room."""

    def __init__(self, db: Database, is_of: Callable[[ObjId, RoomId], bool]) -> None:
        self._db = db
        self._is_of = is_of

    def get(self, obj: ObjId) -> Part | None:
        """What the object was announced as, also if it does not count; None if it was announced as part of no
        series."""
        row = self._db.one(_ROW, (obj,))
        return _part(row) if row else None

    def all(self, room: RoomId) -> list[Part]:
        """The objects of the room that were announced as parts of series, also those that do not count. First those
        that are a series of their own, then those that an administrator announced again for a new member, then the
        others, last those whose month was too far ahead; each group by position."""
        return [_part(row) for row in self._db.rows(_OF_ROOM, (room,))]

    def begun_in(self, room: RoomId) -> list[ObjId]:
        """The objects of the room that were announced as series of their own. 10 µs."""
        return [
            ObjId(obj) for (obj,) in self._db.rows("SELECT obj FROM series WHERE room = ? AND series = obj", (room,))
        ]

    def present(self, room: RoomId, series: ObjId, period: int) -> ObjId | None:
        """The object of the series `series` to write to in the month `period`; None if the caller is to announce a new
        one, also for an unknown series. It is the month's first object, in the order of the module's docstring, that
        counts (is a part of the series) and is not destroyed. If the month has no such object, and an object that does
        not count was announced for it, it is the first such object of the newest month that has one. A computer whose
        clock is wrong would otherwise announce another object with each message.

        ▲ The object's id must be bound to the room, or be that of the series, which was announced there. Otherwise a
        member could announce an object of another room as a month. Members of both rooms would then ignore what is
        written in it here."""
        found = self._first_bound(room, series, _PRESENT, (series, period))
        if found is None and self._db.value(_NOT_COUNTING, (series, period)) is not None:
            found = self._first_bound(room, series, _LATEST, (series,))
        return found

    def _first_bound(self, room: RoomId, series: ObjId, sql: str, params: Sequence[object]) -> ObjId | None:
        objs = [ObjId(obj) for (obj,) in self._db.rows(sql, params)]
        return next((obj for obj in objs if obj == series or self._is_of(obj, room)), None)


def _part(row: Row) -> Part:
    obj, series, period, counts = row
    return Part(obj=obj, series=series, period=period, counts=bool(counts))
