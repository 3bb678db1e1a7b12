# SPDX-License-Identifier: EUPL-1.2
"""Reads what happened in a room as lines: the entries of its log, members that joined, the room's titles, and
what the device has noted itself (room_marks.py).

▲ A person sees what happened while they were a member, or since the room began if they may read the history. Their
program has verified the earlier entries, to know the members, but shows none of them: who was added or removed earlier
is a part of the history that was not given to this person.

A room's first key is no line: the line that the room was made says it.

Lines of an unknown kind, which a newer program stored, are returned like the others. The code that shows lines skips
them.
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid
from app.store.connection import Row
from app.store.database import Database
from app.store.people import Me
from app.store.room_marks import CONTINUED, RESTORED
from app.store.series import PENDING
from app.store.statements import MAX_INT
from sync.client.placed_changes import PLACE_BITS

JOINED, TITLE = "joined", "title"
"""The kinds of lines that are no entries of the room's log."""
SHOWN = (
    "genesis", "add", "joined", "leave", "rm", "reset", "heir", "role", "title", "hist", "destroy", "prune",
    "leave-out", "epoch", "recovery_use", RESTORED, CONTINUED,
)  # fmt: skip
"""The kinds of lines that a conversation shows. Notes about devices, proposals and settings are only in the dialog with
all events (ui/shell/room/events_dialog.py): programs make them automatically, or they concern administrators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomLine:
    """Something that happened in a room, at the position `n` and the time `t` (by the server's clock, ms). `kind`: that
    of a `RoomEvent`, JOINED (the person `by` accepted that they were added), TITLE, RESTORED or CONTINUED
    (room_marks.py; `by` is this person if nobody is named). `part` and `place` give the order of lines at one position.

    Every other field is None where it does not apply. `subject`: the person concerned. `role`: their role after it;
    `was`, for the kind "role": their role before. `history`: whether the added person may read the history. `obj`: the
    object that was destroyed or pruned, or of which a change was left out; `obj_title` and `obj_kind` are those that
    this device knows; `period`: the month of the conversation that it is (app/core/months.py); `until`: the
    position up to which it was pruned. `title`: the room's new title; for the kind CONTINUED, that of the room which
    continues this one; `old`: the title before. `why`, for a new key: the kind of the event that required it, "leave",
    "role", "pin" (a device was revoked) or "reset"; None if no event did. For the room's first entry, `why` is "origin"
    if the room continues another.
    """

    n: int
    t: int
    kind: str
    by: Uid
    part: int = 0
    place: int = 0
    subject: Uid | None = None
    role: Role | None = None
    was: Role | None = None
    history: bool | None = None
    obj: ObjId | None = None
    obj_title: str | None = None
    obj_kind: str | None = None
    until: int | None = None
    period: int | None = None
    title: str | None = None
    old: str | None = None
    why: str | None = None

    @property
    def key(self) -> tuple[int, int, str, int]:
        """Identifies the line in its room: (position, part, kind, place)."""
        return self.n, self.part, self.kind, self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines to read. `kinds`: only of these kinds. `uid`: only by or about this person. `since`: only from this
    time (ms, the server's clock) on. `at`: only at these positions, at most 1,000. None: no restriction."""

    kinds: Collection[str] | None = None
    uid: Uid | None = None
    since: int | None = None
    at: Sequence[int] | None = None


ALL = Wanted()
_RAISES = "('epoch', 'rm', 'leave', 'role', 'pin', 'reset')"
"""The kinds of events after which a room owes a rotation, and of those that bring the new key."""
_EVENTS = f"""SELECT e.n AS n, 0 AS part, e.kind AS kind, e.place AS place, e.t, e.by, e.subject, e.role,
    CASE e.kind WHEN 'role' THEN (SELECT p.role FROM events p INDEXED BY events_by_subject
        WHERE p.room = e.room AND p.subject = e.subject AND p.n < e.n AND p.kind <> 'leave-out'
        AND p.kind IN ('add', 'role', 'heir') ORDER BY p.n DESC LIMIT 1) END,
    e.history, e.obj, o.title, o.kind, e.until, NULL, NULL,
    CASE e.kind WHEN 'genesis' THEN (SELECT 'origin' FROM origins r WHERE r.room = e.room)
        WHEN 'epoch' THEN (SELECT p.kind FROM events p WHERE p.room = e.room AND p.n < e.n
        AND p.kind IN {_RAISES} ORDER BY p.n DESC LIMIT 1) END,
    (SELECT s.period FROM series s WHERE s.obj = e.obj AND s.room = e.room)
    FROM events e LEFT JOIN objects o ON o.obj = e.obj AND o.room = e.room
    WHERE e.room = ? AND e.n > ? AND e.n <= ?
    AND (e.kind <> 'epoch' OR EXISTS (SELECT 1 FROM events p WHERE p.room = e.room AND p.n < e.n
        AND p.kind IN {_RAISES}))"""
_JOINS = """SELECT n, 1, 'joined', 0, t, uid, uid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM joins WHERE room = ? AND n > ? AND n <= ?"""
_TITLES = f"""SELECT sort >> {PLACE_BITS} AS n, 2, 'title', sort & {(1 << PLACE_BITS) - 1}, t, by, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, title, old, NULL, NULL
    FROM titles WHERE room = ? AND sort > ? AND sort <= ? AND old <> title"""
_MARKS = """SELECT n, 3, kind, place, t, by, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, title, NULL, NULL, NULL
    FROM (
        SELECT n, kind, t, coalesce(m.by, ?) AS by, (SELECT r.title FROM rooms r WHERE r.room = m.other) AS title,
            (SELECT count(*) FROM room_marks b WHERE (b.room, b.n, b.kind) = (m.room, m.n, m.kind)
                AND b.other < m.other) AS place
        FROM room_marks m WHERE room = ? AND n > ? AND n <= ?) WHERE true"""
_OWN = """SELECT n, kind, history FROM events INDEXED BY events_by_subject WHERE room = ?1 AND subject = ?2
        AND kind <> 'leave-out' AND kind IN ('add', 'hist', 'rm', 'reset')
    UNION ALL SELECT n, kind, NULL FROM events WHERE room = ?1 AND by = ?2 AND kind IN ('genesis', 'leave')
    ORDER BY n"""
_MARK = """SELECT (SELECT max(n) FROM events WHERE room = ?1), (SELECT count(*) FROM joins WHERE room = ?1),
    (SELECT count(*) FROM titles WHERE room = ?1 AND sort < ?2), (SELECT count(*) FROM room_marks WHERE room = ?1)"""
PEOPLE, _LATEST = 300, 2000
"""PEOPLE: the most people that `people` returns. _LATEST: in how many of the latest events they are looked for; 10,000
would take 10 ms."""
_PEOPLE = f"""SELECT by, subject FROM events WHERE room = ? AND n BETWEEN ? AND ? ORDER BY n DESC LIMIT {_LATEST}"""
Mark = tuple[int, int, int, int]


class _Branch:
    """A statement for the lines of one table, its parameters, and the columns by which it is ordered."""

    def __init__(self, sql: str, params: list[object], order: Sequence[str]) -> None:
        self.sql, self.params, self.order = sql, params, order

    def add(self, condition: str, *values: object) -> None:
        self.sql += f" AND {condition}"
        self.params += values


class RoomLines:
    """Reads the lines of rooms that this account's person may see."""

    def __init__(self, db: Database, me: Me) -> None:
        self._db = db
        self._me = me
        self._spans: dict[RoomId, tuple[int | None, list[tuple[int, int]]]] = {}

    def mark(self, room: RoomId) -> Mark:
        """A value that changes when a line is added to the room."""
        n, joins, titles, marks = self._db.rows(_MARK, (room, PENDING))[0]
        return n or 0, joins, titles, marks

    def spans(self, room: RoomId) -> list[tuple[int, int]]:
        """The ranges of positions whose lines this person may see: (first, last), both included, ascending."""
        mark = self._db.value("SELECT max(n) FROM events WHERE room = ?", (room,))  # they follow from events alone
        kept = self._spans.get(room)
        if kept is None or kept[0] != mark:
            kept = self._spans[room] = mark, visible(self._db.rows(_OWN, (room, self._me.uid)))
        return kept[1]

    def between(
        self, room: RoomId, after: int, upto: int, limit: int, wanted: Wanted = ALL, *, skip: int = 0
    ) -> list[RoomLine]:
        """The lines above the position `after` and up to `upto`, ascending: after the first `skip`, which are left out,
        at most `limit`. `next_after` returns the `after` and `skip` of the next page."""
        found: list[RoomLine] = []
        for first, last in self.spans(room):
            low, high = max(after, first - 1), min(upto, last)
            if low < high and len(found) < skip + limit:
                found += self._read(room, low, high, skip + limit - len(found), wanted, "ASC")
        return found[skip:]

    def before(self, room: RoomId, n: int, limit: int, wanted: Wanted = ALL, *, skip: int = 0) -> list[RoomLine]:
        """The lines below the position `n`, the latest first: after the first `skip`, which are left out, at most
        `limit`. There may be fewer, so that the lines of one position are returned together; only a position with more
        than `limit` lines is cut. [] if there are none. `next_before` returns the `n` and `skip` of the next page."""
        found: list[RoomLine] = []
        for first, last in reversed(self.spans(room)):
            low, high = first - 1, min(n - 1, last)
            if low < high and len(found) < skip + limit:
                found += self._read(room, low, high, skip + limit - len(found), wanted, "DESC")
        found = found[skip:]
        if len(found) == limit and found[0].n != found[-1].n:  # the last position may have more
            found = [line for line in found if line.n != found[-1].n]
        return found

    def positions(self, room: RoomId, after: int, upto: int, kinds: Collection[str]) -> list[int]:
        """The positions of all lines of these kinds above the position `after` and up to `upto`, ascending; one for
        each line, so a position may be there several times. 10,000 take 2 ms."""
        found: list[int] = []
        for first, last in self.spans(room):
            for branch in self._branches(room, max(after, first - 1), min(upto, last), Wanted(kinds=kinds)):
                found += (n for (n,) in self._db.rows(f"SELECT n FROM ({branch.sql})", branch.params))
        return sorted(found)

    def people(self, room: RoomId) -> list[Uid]:
        """The people who did something in the room or whom something concerned, as far as this person may see it; the
        latest first, at most PEOPLE."""
        found: dict[Uid, None] = {}
        for first, last in reversed(self.spans(room)):
            for pair in self._db.rows(_PEOPLE, (room, first, last)):
                found |= dict.fromkeys(uid for uid in pair if uid is not None)
        return list(found)[:PEOPLE]

    def _read(self, room: RoomId, low: int, high: int, limit: int, wanted: Wanted, direction: str) -> list[RoomLine]:
        parts, params = [], list[object]()
        for branch in self._branches(room, low, high, wanted):
            order = ", ".join(f"{column} {direction}" for column in branch.order)
            parts.append(f"SELECT * FROM ({branch.sql} ORDER BY {order} LIMIT ?)")
            params += [*branch.params, limit]
        if not parts:
            return []
        order = ", ".join(f"{number} {direction}" for number in (1, 2, 3, 4))
        sql = f"{' UNION ALL '.join(parts)} ORDER BY {order} LIMIT ?"
        return [_line(row) for row in self._db.rows(sql, [*params, limit])]

    def _branches(self, room: RoomId, low: int, high: int, wanted: Wanted) -> list[_Branch]:
        """The statements whose rows are the wanted lines above `low` and up to `high`. Each reads along an index, so
        that a LIMIT stops it early."""
        first, last = low + 1 << PLACE_BITS, min(high + 1 << PLACE_BITS, PENDING)
        found = []
        kinds = wanted.kinds
        if kinds is None or set(kinds) - {JOINED, TITLE, RESTORED, CONTINUED}:
            events = _Branch(_EVENTS, [room, low, high], ("e.n", "e.kind", "e.place"))
            if kinds is not None:
                events.add(f"e.kind IN ({', '.join('?' * len(kinds))})", *kinds)
            found.append(_narrowed(events, wanted, "e.n", "e.t", "e.by", "e.subject"))
        if kinds is None or JOINED in kinds:
            found.append(_narrowed(_Branch(_JOINS, [room, low, high], ("n",)), wanted, "n", "t", "uid", "uid"))
        if kinds is None or TITLE in kinds:
            titles = _Branch(_TITLES, [room, first - 1, last - 1], ("sort",))
            found.append(_narrowed(titles, wanted, f"sort >> {PLACE_BITS}", "t", "by", "by"))
        if kinds is None or {RESTORED, CONTINUED} & set(kinds):
            marks = _Branch(_MARKS, [self._me.uid, room, low, high], ("n", "kind", "place"))
            if kinds is not None:
                marks.add(f"kind IN ({', '.join('?' * len(kinds))})", *kinds)
            found.append(_narrowed(marks, wanted, "n", "t", "by", "by"))
        return found


Place = tuple[int, int]
"""Where a page begins: the parameters (`n`, `skip`) of `RoomLines.before`, or (`after`, `skip`) of `between`."""


def next_before(page: Sequence[RoomLine], limit: int, place: Place) -> Place:
    """Where the next page begins. `page`: what `before` returned for `limit` and `place`, at least one line."""
    n, skip = place
    last = page[-1].n
    if len(page) < limit or page[0].n != last:
        return last, 0
    return last + 1, limit + (skip if n == last + 1 else 0)  # the lines of one position go on


def next_after(page: Sequence[RoomLine], limit: int, place: Place) -> Place:
    """Where the next page begins. `page`: what `between` returned for `limit` and `place`, at least one line."""
    after, skip = place
    last = page[-1].n
    if len(page) < limit:
        return last, 0
    return last - 1, sum(line.n == last for line in page) + (skip if after == last - 1 else 0)


def _narrowed(branch: _Branch, wanted: Wanted, n: str, t: str, by: str, subject: str) -> _Branch:
    if wanted.uid is not None:
        branch.add(f"? IN ({by}, {subject})", wanted.uid)
    if wanted.since is not None:
        branch.add(f"{t} >= ?", wanted.since)
    if wanted.at is not None:
        branch.add(f"{n} IN (SELECT value FROM json_each(?))", str(list(wanted.at)))
    return branch


def visible(own: Sequence[Row]) -> list[tuple[int, int]]:
    """The ranges of positions, (first, last), whose lines a person may see. `own`: (position, kind, history) of the
    events that began or ended their membership or gave them the history, ascending by position."""
    spans: list[tuple[int, int]] = []
    begun: int | None = None if own and own[0][1] in ("genesis", "add") else 0
    for n, kind, history in own:
        if kind in ("genesis", "hist") or (kind == "add" and history):
            spans, begun = [], 0  # a member who may read the history sees the room's lines from its beginning
        elif kind == "add":
            begun = n if begun is None else begun
        elif begun is not None:
            spans.append((begun, n))
            begun = None
    if begun is not None:
        spans.append((begun, MAX_INT))
    return spans


def _line(row: Row) -> RoomLine:
    n, part, kind, place, t, by, subject, role, was, history, obj, obj_title, obj_kind, until, title, old, *rest = row
    why, period = rest
    return RoomLine(
        n=n,
        t=t,
        kind=kind,
        by=by,
        part=part,
        place=place,
        subject=subject,
        role=Role(role) if role else None,
        was=Role(was or Role.OWNER) if kind == "role" else None,
        history=None if history is None else bool(history),
        obj=obj,
        obj_title=obj_title,
        obj_kind=obj_kind,
        until=until,
        title=title,
        old=old,
        period=period,
        why=why if why in ("leave", "role", "pin", "reset", "origin") else None,
    )
