# SPDX-License-Identifier: EUPL-1.2
"""The rooms as lists need them: titles, unread, members, timeline events.

`name` is for the room kind's projection. Unread, mentions and the latest are made from the objects' counters
(app/store/counters.py).
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from app.core.enums import Level, Role, RoomType
from app.core.ids import RoomId, Uid
from app.store import counters
from app.store.connection import Connection, Row
from app.store.database import Database
from app.store.projecting import Projecting
from app.store.rows import RoomRow
from sync.client.ports import MemberRow, RoomEvent

_ROOM = """SELECT room, title, type, created, role, left, muted, pinned, unread, mentions, last_t, last_by,
    last_preview FROM rooms"""
LEVELS = (Level.ALL, Level.MENTIONS, Level.NOTHING)
"""By the number that the column `muted` has."""


def name(conn: Connection, room: RoomId, title: str, type_: str, t: int) -> None:
    """Stores the `title` and the type `type_` of a room, as the room's own records give them. Makes the row if the room
    is new, with `t` (ms) as the time of its creation. In the caller's transaction."""
    conn.execute(
        """INSERT INTO rooms (room, title, type, created) VALUES (?, ?, ?, ?)
           ON CONFLICT (room) DO UPDATE SET title = excluded.title, type = excluded.type""",
        (room, title, type_, t),
    )
    counters.add_up(conn, room)


class Rooms:
    """The rooms with their titles and unread counts, their members, and the events of their logs, for lists."""

    def __init__(self, db: Database, projecting: Projecting) -> None:
        self._db = db
        self._projecting = projecting
        self.changed = projecting.changed
        """A room's rows changed (title, members, unread, objects, events); after the commit."""

    def all(self, *, left: bool = False) -> list[RoomRow]:
        """All rooms that this person is a member of; if `left`, those that they have left instead. Pinned rooms first,
        then by latest activity."""
        rows = self._db.rows(f"{_ROOM} WHERE left = ? ORDER BY pinned DESC, max(last_t, created) DESC", (left,))
        return [_room(row) for row in rows]

    def get(self, room: RoomId) -> RoomRow | None:
        """The stored row of a room, as lists show it; None if this device does not know the room."""
        row = self._db.one(f"{_ROOM} WHERE room = ?", (room,))
        return _room(row) if row else None

    def members(self, room: RoomId) -> list[MemberRow]:
        """The room's present members: owners first, down to readers; within a role the longest-standing first."""
        rows = self._db.rows(
            "SELECT uid, role, since_n, history FROM members WHERE room = ? ORDER BY role DESC, since_n", (room,)
        )
        return [MemberRow(uid=u, role=Role(r), since_n=n, history=bool(h)) for u, r, n, h in rows]

    def in_use(self, since: int) -> list[tuple[RoomId, int]]:
        """The rooms that this person is in and in which something was written after `since` (server's time, ms), each
        with the number of its members; the one that was used last first. 2 to 3 ms for 500 rooms with 10,000
        objects."""
        rows = self._db.rows(
            """SELECT r.room, (SELECT count(*) FROM members m WHERE m.room = r.room),
                   (SELECT max(o.updated) FROM objects o WHERE o.room = r.room) AS used
               FROM rooms r WHERE r.left = 0 AND used > ? ORDER BY used DESC""",
            (since,),
        )
        return [(RoomId(room), members) for room, members, _ in rows]

    def kinds_in(self, room: RoomId) -> list[str]:
        """The kinds of the objects that the room lists, also of those that this program does not know."""
        return [kind for (kind,) in self._db.rows("SELECT DISTINCT kind FROM objects WHERE room = ?", (room,)) if kind]

    def both_wrote(self, one: Uid, other: Uid) -> bool:
        """Whether the people `one` and `other` are the only members of a direct room, and each has written something in
        it."""
        wrote = """EXISTS (SELECT 1 FROM objects o JOIN changes c ON c.obj = o.obj
            WHERE o.room = r.room AND o.obj <> o.room AND c.unprojected IS NULL AND c.author = {})"""
        return bool(
            self._db.value(
                f"""SELECT 1 FROM rooms r WHERE r.type = 'direct' AND r.left = 0
                    AND (SELECT group_concat(hex(uid)) FROM (SELECT uid FROM members WHERE room = r.room ORDER BY uid))
                        = ?3 AND {wrote.format("?1")} AND {wrote.format("?2")} LIMIT 1""",
                (one, other, ",".join(sorted((one.hex().upper(), other.hex().upper())))),
            )
        )

    def time_of(self, room: RoomId, n: int) -> int | None:
        """The server's time in ms of the entry or change at position `n` of the room; None if neither is there."""
        found = self._db.value(
            """SELECT t FROM events WHERE room = ?1 AND n = ?2
               UNION ALL SELECT t FROM changes WHERE room = ?1 AND n = ?2 LIMIT 1""",
            (room, n),
        )
        return None if found is None else int(found)

    def resets(self, room: RoomId) -> list[tuple[Uid, int]]:
        """(person, server's time in ms) for each member whose account the agency has ended, in the order of the
        room's log."""
        rows = self._db.rows(
            "SELECT subject, t FROM events WHERE room = ? AND kind = 'reset' ORDER BY n, place", (room,)
        )
        return [(Uid(uid), t) for uid, t in rows]

    def left_at(self, room: RoomId, uid: Uid) -> int:
        """The position at which a person left a room by themselves. 0 if they never did, or if they were added or
        removed after that, as far as this store has the room's entries."""
        found = self._db.one(
            """SELECT n, kind FROM events WHERE room = ?1 AND (kind = 'leave' AND by = ?2
               OR kind IN ('rm', 'add') AND subject = ?2) ORDER BY n DESC LIMIT 1""",
            (room, uid),
        )
        return int(found[0]) if found is not None and found[1] == "leave" else 0

    def removals(self, room: RoomId, *, limit: int) -> list[RoomEvent]:
        """The newest entries by which somebody removed a member, at most `limit`, newest first. Members who left by
        themselves are not among them."""
        return [
            RoomEvent(n=n, t=t, kind="rm", by=by, subject=subject, note=note)
            for n, t, by, subject, note in self._db.rows(
                "SELECT n, t, by, subject, note FROM events WHERE room = ? AND kind = 'rm' ORDER BY n DESC LIMIT ?",
                (room, limit),
            )
        ]

    def promoted_at(self, room: RoomId, uid: Uid) -> int | None:
        """The position of the newest event that made the person `uid` an administrator or owner, or None; also if a
        later entry lowered the role or ended the membership. For the room's founder, if no later entry did: 1, the
        position of the genesis."""
        found = self._db.value(
            """SELECT max(n) FROM events WHERE room = ?1
               AND (subject = ?2 AND role >= ?3 OR kind = 'genesis' AND by = ?2)""",
            (room, uid, Role.ADMIN),
        )
        return int(found) if found is not None else None

    def entry_time(self, room: RoomId, n: int) -> int | None:
        """The server's time in ms of the log entry at position `n`; None if there is no entry. A record that leaves a
        change out counts as one; the notice that an account has ended does not, nor that somebody inherited. Changes
        are not looked at: fast, however many there are."""
        query = "SELECT t FROM events WHERE room = ? AND n = ? AND kind NOT IN ('reset', 'heir')"
        found = self._db.value(query, (room, n))
        return None if found is None else int(found)

    def events(self, room: RoomId, *, after_n: int = 0, limit: int = -1) -> list[RoomEvent]:
        """The entries of the room's log after position `after_n`, in order, at most `limit` (all if it is negative):
        who was added, removed and so on, and the records that leave a change out, for the timeline."""
        rows = self._db.rows(
            """SELECT n, t, kind, by, subject, role, history, obj, until, note, place FROM events
               WHERE room = ? AND n > ? ORDER BY n, place LIMIT ?""",
            (room, after_n, limit),
        )
        return [
            RoomEvent(
                n=n,
                t=t,
                kind=kind,
                by=by,
                subject=subject,
                role=Role(role) if role else None,
                history=None if h is None else bool(h),
                obj=obj,
                until=until,
                note=note,
                place=place,
            )
            for n, t, kind, by, subject, role, h, obj, until, note, place in rows
        ]

    def set_level(self, room: RoomId, level: Level) -> None:
        """Sets what of the room rings: this person's choice."""
        self._set("muted", room, LEVELS.index(level))

    def set_pinned(self, room: RoomId, pinned: bool) -> None:
        """Puts the room first in its group of the list, or back: this person's choice."""
        self._set("pinned", room, pinned)

    def _set(self, column: str, room: RoomId, value: int) -> None:
        with self._db.transaction():
            self._db.conn.execute(f"UPDATE rooms SET {column} = ? WHERE room = ?", (value, room))
            self._projecting.notify_changed(room)


def _room(row: Row) -> RoomRow:
    room, title, type_, created, role, left, muted, pinned, count, mentions, last_t, last_by, preview = row
    return RoomRow(
        room=room,
        title=title,
        written_type=type_ or RoomType.GROUP,  # no title came yet, so no list shows the room
        created=created,
        role=Role(role) if role else None,
        left=bool(left),
        level=LEVELS[muted],
        pinned=bool(pinned),
        unread=count,
        mentions=mentions,
        last_t=last_t,
        last_by=last_by,
        last_preview=preview,
    )
