# SPDX-License-Identifier: EUPL-1.2
"""Reads and marks the rows of notices, for services. app/store/notice_rows.py writes them and says what they are.

Every method changes or returns a bounded number of rows, so that none holds the event loop for long however many
notices there are. `sweep` and `trim` do the rest when they are called again.
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.core.ids import ObjId, RoomId, Uid
from app.core.signal import Signal
from app.store import notice_rows
from app.store.connection import Row
from app.store.database import Database
from app.store.notice_rows import (
    ANSWERED_PLACE,
    AT_ONCE,
    GONE,
    KEEP_MS,
    OF_REMINDER,
    UNCOUNTED,
    Notice,
    NoticeId,
    NoticeKind,
    NoticeState,
)
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.statements import HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A stored notice. `kind`: the id of its `NoticeKind`. `object_kind`: the kind of the object, "" if the object is
    not stored here. `until`: for SNOOZED, the time (ms) at which it is new again; for NEW, at which it was so.
    `answered`: the person has answered it, or its state has ended. The other fields are those of `Notice`."""

    id: NoticeId
    kind: str
    room: RoomId
    obj: ObjId
    thread: ObjId
    ref: bytes
    object_kind: str
    by: Uid | None
    n: int | None
    t: int
    detail: str
    count: int
    asks: bool
    state: NoticeState
    until: int | None
    answered: bool

    @property
    def returned(self) -> bool:
        """Whether the notice was snoozed, and is new again since `until`."""
        return self.state is NoticeState.NEW and self.until is not None

    @property
    def since(self) -> int:
        """Since when (ms) the notice was to ring: its own time, or the one to which it was snoozed."""
        return self.t if self.until is None else self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    """Which notices to read. `kinds`: only of these kinds; all if it is empty. `without`: none of these kinds. `room`:
    only of this room; None for all. `by`: only what this person did; None for all. `unseen`: only those that the person
    has not seen. `open`: only those that ask for an answer now: not answered, not done, and not snoozed to a later
    time."""

    kinds: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    room: RoomId | None = None
    by: Uid | None = None
    unseen: bool = False
    open: bool = False


ALL = NoticeFilter()
Cursor = tuple[int, NoticeId]
"""Time and id of the last notice of a page: the next page begins after it."""

_COLUMNS = """v.id, v.kind, v.room, v.obj, v.thread, v.ref, coalesce((SELECT o.kind FROM objects o WHERE o.obj = v.obj),
    ''), v.by, v.n, v.t, v.detail, v.count, v.asks, v.state, v.until, v.answered"""
_STAYS = f"""NOT EXISTS (SELECT 1 FROM notice_sweeps w
    WHERE w.what = '{GONE}' AND w.place IN (v.room, v.obj) AND v.rowid <= w.n AND NOT {OF_REMINDER})"""
_NOT_TRASHED = f"(NOT EXISTS (SELECT 1 FROM objects o WHERE o.obj = v.obj AND o.deleted) OR {OF_REMINDER})"
"""True of a notice whose object is not in the trash, and of each reminder, which this person asked for."""
_SHOWN = f"NOT v.hidden AND {_NOT_TRASHED} AND {_STAYS}"
_OPEN = "v.asks AND NOT v.answered AND v.state <> 2 AND (v.state <> 3 OR v.until <= ?)"
_TRIM = f"""DELETE FROM notices WHERE id IN (SELECT id FROM notices
    WHERE t < ? AND (hidden OR state = 2 OR answered OR NOT asks AND state = 1) LIMIT {AT_ONCE})"""


class NoticeStore:
    """Lists and counts the notices of one account, and stores what the person did with them. Methods that write raise
    StoreFault if the disk refuses."""

    def __init__(self, db: Database, me: Me, projecting: Projecting) -> None:
        self.changed: Signal[()] = Signal()
        """Emitted after the commit when notices were made, marked or withdrawn."""
        self._db = db
        self._me = me
        projecting.changed.connect(lambda room: self._emit_changed())

    def _notify_changed(self) -> None:
        self._db.conn.notices_changed = True
        self._db.after_commit(self._emit_changed)

    def _emit_changed(self) -> None:
        changed, self._db.conn.notices_changed = self._db.conn.notices_changed, False
        if changed:
            self.changed.emit()

    # -- reading ---------------------------------------------------------------------------------------------------

    def page(
        self, wanted: NoticeFilter, now: int, *, before: Cursor | None = None, limit: int = 50
    ) -> Sequence[NoticeRow]:
        """At most `limit` notices that pass `wanted`, the newest first. `before`: only those after the last one of the
        page before. `now`: the time in ms, from which snoozed notices are new again."""
        where, params = _where(wanted, now)
        if before is not None:
            where, params = f"{where} AND (v.t, v.id) < (?, ?)", [*params, *before]
        sql = f"SELECT {_COLUMNS} FROM notices v WHERE {where}{{}} ORDER BY v.t DESC, v.id DESC LIMIT ?"
        found = [row for of_kind, kind in _kinds(wanted) for row in self._rows(sql, of_kind, (*params, *kind, limit))]
        return sorted(found, key=lambda row: (row.t, row.id), reverse=True)[:limit]

    def _rows(self, sql: str, of_kind: str, params: Sequence[object]) -> Sequence[NoticeRow]:
        return [_row(row) for row in self._db.rows(sql.format(of_kind), params)]

    def count(self, wanted: NoticeFilter, now: int, *, most: int = 1000) -> int:
        """How many notices pass `wanted` at the time `now` (ms), counted up to `most`."""
        where, params = _where(wanted, now)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM notices v WHERE {where}{{}} LIMIT ?)"
        of_each = (self._db.value(sql.format(of_kind), (*params, *kind, most)) for of_kind, kind in _kinds(wanted))
        return min(most, sum(int(count or 0) for count in of_each))

    def snoozed(self, now: int, limit: int) -> Sequence[NoticeRow]:
        """At most `limit` notices that are snoozed to a time after `now` (ms) and were not answered, the earliest
        first."""
        where = f"v.state = 3 AND v.until > ? AND NOT v.answered AND {_SHOWN}"
        sql = f"SELECT {_COLUMNS} FROM notices v WHERE {where} ORDER BY v.until, v.id LIMIT ?"
        return [_row(row) for row in self._db.rows(sql, (now, limit))]

    def sources(self, latest: int) -> tuple[set[RoomId], set[Uid]]:
        """The rooms that the `latest` notices are about, and the people whose doing they are."""
        sql = f"""SELECT DISTINCT room, by FROM
            (SELECT v.room, v.by FROM notices v WHERE {_SHOWN} ORDER BY v.t DESC, v.id DESC LIMIT ?)"""
        rows = self._db.rows(sql, (latest,))
        return {room for room, _ in rows if room}, {by for _, by in rows if by is not None}

    def next_return(self) -> int | None:
        """The earliest time (ms) at which a snoozed notice is new again, also if that is past; None if none is
        snoozed."""
        found: int | None = self._db.value("SELECT min(until) FROM notices WHERE state = 3")
        return found

    def next_by_turns(self) -> int | None:
        """Of the notices that are still to ring at one of the person's devices: the earliest time (ms) since which one
        is due. None if there is none."""
        found: int | None = self._db.value("SELECT min(coalesce(until, t)) FROM notices WHERE ring = 2")
        return found

    # -- marking ---------------------------------------------------------------------------------------------------

    def mark(
        self, ids: Collection[NoticeId], state: NoticeState, until: int | None = None
    ) -> dict[NoticeId, tuple[NoticeState, int | None]]:
        """Stores what the person did with notices. Pass at most AT_ONCE ids in one call. SEEN changes only new notices.
        `until`: for SNOOZED, the time in ms. Returns the new (state, until) of those that changed."""
        only_new = " AND state = 0" if state is NoticeState.SEEN else ""
        sql = (
            f"UPDATE notices SET state = ?, until = ?, ring = 0 WHERE id = ? AND (state, until) IS NOT (?, ?){only_new}"
        )
        changed: dict[NoticeId, tuple[NoticeState, int | None]] = {}
        with self._db.transaction() as conn:
            for ident in ids:
                if conn.execute(sql, (state, until, ident, state, until)).rowcount:
                    changed[ident] = (state, until)
            if changed:
                self._notify_changed()
        return changed

    def apply(self, states: Mapping[NoticeId, tuple[NoticeState, int | None]], now: int) -> None:
        """Stores states that another device of the person gave to notices. Pass at most AT_ONCE in one call. The states
        are also kept for KEEP_MS from `now` (ms) on, for notices that this device makes later."""
        keep = "INSERT OR REPLACE INTO notice_states (id, state, until, t) VALUES (?, ?, ?, ?)"
        with self._db.transaction() as conn:
            for ident, (state, until) in states.items():
                conn.execute("UPDATE notices SET state = ?, until = ?, ring = 0 WHERE id = ?", (state, until, ident))
            conn.executemany(keep, [(ident, state, until, now) for ident, (state, until) in states.items()])
            self._notify_changed()

    def unseen(self, wanted: NoticeFilter, now: int) -> list[NoticeId]:
        """The ids of at most AT_ONCE new notices that pass `wanted`: the next part of "mark all as read"."""
        where, params = _where(wanted, now)
        sql = f"SELECT v.id FROM notices v WHERE {where}{{}} AND v.state = 0 LIMIT {AT_ONCE}"
        found = (self._db.rows(sql.format(of_kind), (*params, *kind)) for of_kind, kind in _kinds(wanted))
        return [NoticeId(ident) for rows in found for (ident,) in rows][:AT_ONCE]

    # -- notices that stand for a present state --------------------------------------------------------------------

    def put(self, notices: Sequence[Notice]) -> None:
        """Stores notices about present states, such as an invitation that waits for an answer. Pass at most AT_ONCE in
        one call. A notice that is stored already keeps what the person did with it, and does not ring again. If it was
        ended (`end`), it asks for an answer again."""
        with self._db.transaction() as conn:
            again = "UPDATE notices SET answered = 0 WHERE id = ? AND answered"
            conn.executemany(again, [(notice.id,) for notice in notices])
            notice_rows.put(conn, self._me.uid, notices)
            self._notify_changed()

    def standing(self, kinds: Collection[NoticeKind]) -> list[NoticeId]:
        """The ids of all notices of these kinds that are neither answered nor hidden."""
        marks = ", ".join("?" * len(kinds))
        sql = f"SELECT id FROM notices WHERE NOT answered AND kind IN ({marks}) AND NOT hidden"
        return [NoticeId(ident) for (ident,) in self._db.rows(sql, [kind.id for kind in kinds])]

    def end(self, ids: Sequence[NoticeId]) -> None:
        """Marks notices as answered when the states that they are about have ended. They no longer ring. Pass at most
        AT_ONCE in one call."""
        with self._db.transaction() as conn:
            conn.executemany("UPDATE notices SET answered = 1, ring = 0 WHERE id = ?", [(ident,) for ident in ids])
            self._notify_changed()

    # -- ringing ---------------------------------------------------------------------------------------------------

    def claim(self, by_turns_upto: int | None = None) -> Sequence[NoticeRow]:
        """Returns at most AT_ONCE notices that are still to ring, oldest first, and marks them as rung in the same
        transaction. So no notice is returned twice, also after a restart. Marked but not returned are notices that
        are about a room that the person left, or an object that was destroyed or put in the trash: fewer than AT_ONCE,
        even none, may be returned although more are to ring.

        `by_turns_upto`: returns notices that ring at one of the person's devices instead, those that are to ring since
        this time (ms) or an earlier one."""
        if by_turns_upto is None:
            where, params = "INDEXED BY notices_ring WHERE v.ring AND v.ring = 1 ORDER BY v.t, v.id", tuple[int, ...]()
        else:
            since = "coalesce(v.until, v.t)"
            where = f"INDEXED BY notices_by_turns WHERE v.ring = 2 AND {since} <= ? ORDER BY {since}, v.id"
            params = (by_turns_upto,)
        if not self._db.rows(f"SELECT 1 FROM notices v {where} LIMIT 1", params):
            return []
        sql = f"SELECT {_STAYS} AND {_NOT_TRASHED}, {_COLUMNS} FROM notices v {where} LIMIT {AT_ONCE}"
        with self._db.transaction() as conn:
            found = [(row[0], _row(row[1:])) for row in conn.execute(sql, params)]
            conn.executemany("UPDATE notices SET ring = 0 WHERE id = ?", [(row.id,) for _, row in found])
        return [row for stays, row in found if stays]

    def bring_back(self, now: int) -> bool:
        """Makes snoozed notices new again whose time has come at `now` (ms): at most AT_ONCE. They ring at one of the
        person's devices, unless they were answered or hidden meanwhile. `until` stays what it was. Returns whether
        there may be more."""
        due = "SELECT id FROM notices WHERE state = 3 AND until <= ? ORDER BY until LIMIT"
        if not self._db.rows(f"{due} 1", (now,)):
            return False
        back = f"UPDATE notices SET state = 0, ring = iif(answered OR hidden, 0, 2) WHERE id IN ({due} {AT_ONCE})"
        with self._db.transaction() as conn:
            found = conn.execute(back, (now,)).rowcount
            self._notify_changed()
        return found == AT_ONCE

    def silence(self, upto: Mapping[NoticeId, int], now: int, *, reopens: bool = False) -> None:
        """Stores that notices have rung on another device of the person: they no longer ring here, also those that this
        device makes later. A snoozed one is new again if its time comes at its `upto` (ms) or earlier; the others stay
        as they are. `reopens`: those that are done are new again too, since the person snoozed them after that. Pass at
        most AT_ONCE in one call. `now`: the time in ms. Not flushed by itself: after a power cut they may ring
        again."""
        ended = (NoticeState.SNOOZED, NoticeState.DONE if reopens else NoticeState.SNOOZED)
        here = """UPDATE notices SET ring = 0, state = iif(state IN (?3, ?4), 0, state)
            WHERE id = ?1 AND (state <> 3 OR until <= ?2)"""
        keep = """INSERT INTO notice_states (id, state, until, t) SELECT ?1, 0, NULL, ?2
            WHERE NOT EXISTS (SELECT 1 FROM notices WHERE id = ?1 AND state = 3)
            ON CONFLICT (id) DO UPDATE SET state = 0, until = NULL
                WHERE state IN (?4, ?5) AND (state <> 3 OR until <= ?3)"""
        with self._db.transaction(durable=False) as conn:
            conn.executemany(here, [(ident, at, *ended) for ident, at in upto.items()])
            conn.executemany(keep, [(ident, now, at, *ended) for ident, at in upto.items()])
            self._notify_changed()

    def known(self, ids: Collection[NoticeId]) -> set[NoticeId]:
        """Those of `ids` of which this device has stored the notice itself, or its state from another device."""
        marks = ", ".join("?" * len(ids))
        sql = f"SELECT id FROM notices WHERE id IN ({marks}) UNION SELECT id FROM notice_states WHERE id IN ({marks})"
        return {NoticeId(ident) for (ident,) in self._db.rows(sql, [*ids, *ids])}

    def due(self, room: RoomId) -> Sequence[NoticeRow]:
        """At most AT_ONCE notices of the room that are still to ring, the newest first."""
        sql = f"""SELECT {_COLUMNS} FROM notices v INDEXED BY notices_ring WHERE v.ring AND v.room = ?
            ORDER BY v.t DESC LIMIT {AT_ONCE}"""
        return [_row(row) for row in self._db.rows(sql, (room,))]

    def is_after_first_reading(self, room: RoomId, n: int) -> bool:
        """Whether the position `n` of the room is after those that this device read in its first reading of the room.
        False during that reading."""
        last = notice_rows.notified(self._db.conn, room)
        return last is not None and n > last

    # -- keeping the table small -----------------------------------------------------------------------------------

    def sweep(self) -> bool:
        """Does the next part of the changes to many rows that a transaction has only begun. Returns whether to call it
        again; False only if nothing was left."""
        left = self._db.one("SELECT what, place, n FROM notice_sweeps LIMIT 1")
        if left is None:
            return False
        what, place, n = left
        with self._db.transaction() as conn:
            if what == GONE:
                is_more = notice_rows.drop_some(conn, place, n)
            elif what == UNCOUNTED:
                is_more = notice_rows.hide_some(conn, place, n, HELD)
            else:
                is_more = notice_rows.answer_some(conn, place, n, of_ref=what == ANSWERED_PLACE)
            if not is_more:
                conn.execute("DELETE FROM notice_sweeps WHERE what = ? AND place = ?", (what, place))
            self._notify_changed()
        return True

    def trim(self, now: int) -> bool:
        """Deletes a part of the notices older than KEEP_MS that need nothing more from the person, and of states older
        than KEEP_MS that `apply` has kept. Does not emit `changed`. Returns whether more may be left."""
        old = now - KEEP_MS
        with self._db.transaction() as conn:
            states = f"DELETE FROM notice_states WHERE id IN (SELECT id FROM notice_states WHERE t < ? LIMIT {AT_ONCE})"
            gone = conn.execute(_TRIM, (old,)).rowcount
            return max(gone, conn.execute(states, (old,)).rowcount) == AT_ONCE


def _where(wanted: NoticeFilter, now: int) -> tuple[str, list[object]]:
    where, params = _SHOWN, list[object]()
    if wanted.open:
        where, params = f"{_OPEN} AND {where}", [now]
    if wanted.unseen:
        where = f"v.state = 0 AND {where}"
    if wanted.room is not None:
        where, params = f"{where} AND v.room = ?", [*params, wanted.room]
    if wanted.by is not None:
        where, params = f"{where} AND v.by = ?", [*params, wanted.by]
    if wanted.without:
        marks = ", ".join("?" * len(wanted.without))
        where, params = f"{where} AND v.kind NOT IN ({marks})", [*params, *sorted(wanted.without)]
    return where, params


def _kinds(wanted: NoticeFilter) -> Sequence[tuple[str, tuple[str, ...]]]:
    """The condition and its parameter for each wanted kind, so that each kind is read by the index of kinds. One empty
    condition if all kinds are wanted."""
    return [(" AND v.kind = ?", (kind,)) for kind in sorted(wanted.kinds)] or [("", ())]


def _row(row: Row) -> NoticeRow:
    ident, kind, room, obj, thread, ref, object_kind, by, n, t, detail, count, asks, state, until, answered = row
    return NoticeRow(
        id=ident,
        kind=kind,
        room=room,
        obj=obj,
        thread=thread,
        ref=ref,
        object_kind=object_kind,
        by=by,
        n=n,
        t=t,
        detail=detail,
        count=count,
        asks=bool(asks),
        state=NoticeState(state),
        until=until,
        answered=bool(answered),
    )
