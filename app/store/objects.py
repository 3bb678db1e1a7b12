# SPDX-License-Identifier: EUPL-1.2
"""The objects of all rooms as lists need them, and what belongs to each beside its changes: draft, read mark, CRDT
state.

Functions that take a Connection are for projections (inside the store's transaction); methods are for services.
"""

import os

from app.core import clock
from app.core.ids import ObjId, RoomId, Uid
from app.store import counters
from app.store import statements as sql
from app.store.connection import Connection
from app.store.counters import Counter, Latest
from app.store.database import Database
from app.store.projecting import Projecting
from app.store.rows import ObjectRow, object_row
from app.store.series import SeriesRows
from sync.trust.room.envelope import object_of


def announce(conn: Connection, room: RoomId, obj: ObjId, kind: str, t: int, by: Uid) -> bool:
    """Stores that a room has an object of this kind: `t` (ms) and `by` say when and by whom it was made. Called when
    the rows of the room's own record of the object are written, in that transaction. The first such record counts. An
    object of which changes were received before keeps the time and author of the first of them. Returns False if the
    object belongs to another room.

    Changes of the object that were received before get their rows for lists and search at the end of that transaction.
    """
    conn.execute(
        """INSERT INTO objects (obj, room, kind, created, updated, by) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (obj) DO UPDATE SET kind = excluded.kind WHERE room = excluded.room AND kind = ''""",
        (obj, room, kind, t, t, by),
    )
    home: RoomId | None = conn.value("SELECT room FROM objects WHERE obj = ?", (obj,))
    if home != room and conn.announced_elsewhere is not None:
        conn.announced_elsewhere(room, obj, t)
    return home == room


def set_title(conn: Connection, obj: ObjId, title: str) -> None:
    """The object's title as lists show it."""
    conn.execute("UPDATE objects SET title = ? WHERE obj = ?", (title, obj))


def set_deleted(conn: Connection, room: RoomId, obj: ObjId, deleted: bool) -> None:
    """Puts an object into the trash (`deleted` True) or restores it; its changes stay. In the caller's transaction. ▲
    Does nothing to an object of another room: a room's record counts for its own objects only."""
    conn.execute("UPDATE objects SET deleted = ? WHERE obj = ? AND room = ?", (deleted, obj, room))
    counters.add_up(conn, room)


def keep(conn: Connection, room: RoomId, kind: str) -> None:
    """Takes all objects of the kind `kind` out of the room's trash, in the caller's transaction."""
    conn.execute("UPDATE objects SET deleted = 0 WHERE room = ? AND kind = ? AND deleted", (room, kind))
    counters.add_up(conn, room)


def cached_state(conn: Connection, room: RoomId, obj: ObjId, upto: int) -> tuple[int, bytes] | None:
    """(row id of the last change in it, state) of an object's cached CRDT state, for projections: they merge only later
    changes into it. None if there is none, if it contains changes after row `upto`, or if it contains a change at which
    a projection failed by a fault of this program."""
    found = conn.execute(sql.CACHED_STATE, (obj, upto, room)).fetchone()
    return (found[0], found[1]) if found else None


def lacks(conn: Connection, room: RoomId) -> bool:
    """As `Changes.lacking`. What the running transaction resolves or fills is still missing."""
    return conn.execute(sql.LACKING, (room, f"gaps-{room.hex()}")).fetchone() is not None


def cache_state(conn: Connection, obj: ObjId, row: int, state: bytes) -> None:
    """As `Objects.set_crdt_state`."""
    conn.execute("INSERT OR REPLACE INTO crdt_states (obj, row, state) VALUES (?, ?, ?)", (obj, row, state))


def read_mark(conn: Connection, obj: ObjId) -> int:
    """As `Objects.read_mark`, for projections: what an object counts as unread is what others wrote behind it."""
    return int(conn.value("SELECT row FROM read_markers WHERE obj = ?", (obj,)) or 0)


class Objects:
    """The objects of all rooms for lists, and what is stored beside an object's changes: its unsent draft, how far this
    person has read it, when they opened it, and its cached merged state."""

    def __init__(self, db: Database, projecting: Projecting) -> None:
        self._db = db
        self._projecting = projecting
        self.series = SeriesRows(db, projecting.is_of)

    def new(self, room: RoomId) -> ObjId:
        """Makes the id of a new object of the room `room`. The id is computed from the room's and from a random secret,
        the share, which is stored here to be sent with the object's first change."""
        share = os.urandom(32)
        obj = object_of(room, share)
        with self._db.transaction():
            self._db.conn.execute(sql.PUT_SHARE, (room, obj, share))
        return obj

    def get(self, obj: ObjId) -> ObjectRow | None:
        """The stored row of an object, as lists show it, also of one in the trash; None if this device has neither a
        change nor the room's record of it."""
        row = self._db.one(f"{sql.SELECT_OBJECTS} WHERE obj = ?", (obj,))
        return object_row(row) if row else None

    def all(self, room: RoomId | None = None, kind: str | None = None, *, deleted: bool = False) -> list[ObjectRow]:
        """The objects of the room `room` (None: of all rooms) and of the kind `kind` (None: of all kinds), latest
        changed first; an object whose kind is not known yet is left out. `deleted`: only those in the trash; otherwise
        only those that are not in it."""
        rows = self._db.rows(
            f"""{sql.SELECT_OBJECTS} WHERE (?1 IS NULL OR room = ?1) AND (?2 IS NULL OR kind = ?2)
                AND kind <> '' AND deleted = ?3 ORDER BY updated DESC, obj""",
            (room, kind, deleted),
        )
        return [object_row(row) for row in rows]

    def first(self, room: RoomId, kind: str) -> ObjectRow | None:
        """The oldest object of the kind `kind` in the room, without those in the trash: for kinds of which a room has
        one, such as its chat. None if there is none."""
        row = self._db.one(
            f"{sql.SELECT_OBJECTS} WHERE room = ? AND kind = ? AND NOT deleted ORDER BY created, obj LIMIT 1",
            (room, kind),
        )
        return object_row(row) if row else None

    def counter(self, obj: ObjId) -> Counter:
        """The object's share of its room's unread numbers and latest line, as its tool stored it last; zeros if it
        stored none."""
        row = self._db.one("SELECT unread, mentions, last_t, last_by, last_preview FROM counters WHERE obj = ?", (obj,))
        if row is None:
            return Counter()
        unread, mentions, t, by, preview = row
        return Counter(unread=unread, mentions=mentions, last=Latest(t=t, by=by, preview=preview) if by else None)

    # -- drafts: texts that are typed and not sent
    def draft(self, obj: ObjId) -> bytes | None:
        """The draft of an object: text that was typed and not sent, as its tool wrote it. None if there is none."""
        value: bytes | None = self._db.value("SELECT data FROM drafts WHERE obj = ?", (obj,))
        return value

    def set_draft(self, room: RoomId, obj: ObjId, data: bytes | None) -> None:
        """Stores the draft of an object, a text that was typed and not sent, as `data`; None or empty removes it."""

        def write() -> None:
            with self._db.transaction() as conn:
                if data:
                    draft = "INSERT OR REPLACE INTO drafts (obj, room, data, t) VALUES (?, ?, ?, ?)"
                    conn.execute(draft, (obj, room, data, clock.now_ms()))
                else:
                    conn.execute("DELETE FROM drafts WHERE obj = ?", (obj,))

        self._db.again(write)

    # -- read marks: changes up to this row have been seen
    def read_mark(self, obj: ObjId) -> int:
        """The rowid up to which the object has been read; 0 for never."""
        return int(self._db.value("SELECT row FROM read_markers WHERE obj = ?", (obj,)) or 0)

    def set_read_mark(self, room: RoomId, obj: ObjId, row: int) -> None:
        """Notes that this person has read every change of the object up to row `row`. The mark never moves back. The
        room's `changed` is emitted."""
        with self._db.transaction():
            self._db.conn.execute(
                """INSERT INTO read_markers (obj, room, row, t) VALUES (?, ?, ?, ?)
                   ON CONFLICT (obj) DO UPDATE SET row = max(row, excluded.row), t = excluded.t""",
                (obj, room, row, clock.now_ms()),
            )
            self._projecting.notify_changed(room)

    # -- recently opened
    def opened(self, obj: ObjId) -> None:
        """Notes that this person has opened the object now."""
        with self._db.transaction():
            self._db.conn.execute("INSERT OR REPLACE INTO recent (obj, t) VALUES (?, ?)", (obj, clock.now_ms()))

    def recent(self, limit: int = 10) -> list[tuple[ObjectRow, int]]:
        """The last `limit` objects that this person opened, each with the time in ms, latest first. Without those in
        the trash."""
        rows = self._db.rows(
            """SELECT o.obj, o.room, o.kind, o.title, o.created, o.updated, o.deleted, o.by, r.t
               FROM recent r JOIN objects o ON o.obj = r.obj WHERE NOT o.deleted ORDER BY r.t DESC LIMIT ?""",
            (limit,),
        )
        return [(object_row(row[:-1]), row[-1]) for row in rows]

    # -- CRDT states: loading may begin with one instead of the first change
    def crdt_state(self, obj: ObjId) -> tuple[int, bytes] | None:
        """The cached state of an object, as (rowid of the last change in it, state); None if none is cached."""
        row = self._db.one("SELECT row, state FROM crdt_states WHERE obj = ?", (obj,))
        return (row[0], row[1]) if row else None

    def is_long(self, obj: ObjId, size_bytes: int, changes: int) -> bool:
        """Whether an object's cached state is longer than `size_bytes`, or has more than `changes` changes after it."""
        row, size = self._db.one("SELECT row, length(state) FROM crdt_states WHERE obj = ?", (obj,)) or (0, 0)
        after = "SELECT count(*) FROM (SELECT 1 FROM changes WHERE obj = ? AND row > ? LIMIT ?)"
        return bool(size > size_bytes or self._db.value(after, (obj, row, changes + 1)) > changes)

    def set_crdt_state(self, obj: ObjId, row: int, state: bytes) -> None:
        """Caches `state`, the object's changes merged up to and with the one in row `row`, in place of an older state,
        so that opening the object need not merge them all."""
        with self._db.transaction():
            self._db.conn.execute(
                "INSERT OR REPLACE INTO crdt_states (obj, row, state) VALUES (?, ?, ?)", (obj, row, state)
            )

    def state_drops(self, obj: ObjId) -> int:
        """What `add_crdt_state` is given of an object: take it when the state is made."""
        return self._projecting.state_drops[obj]

    def add_crdt_state(self, obj: ObjId, row: int, state: bytes, drops: int) -> None:
        """As `set_crdt_state`, some time after the state was made, within the caller's transaction. Does nothing if the
        state may no longer have just the changes up to `row`, or if a later one is cached. `drops`: what `state_drops`
        was when it was made."""
        if self._projecting.state_drops[obj] == drops:
            self._db.conn.execute(
                """INSERT INTO crdt_states (obj, row, state) VALUES (?, ?, ?) ON CONFLICT (obj) DO UPDATE SET
                   row = excluded.row, state = excluded.state WHERE excluded.row > row""",
                (obj, row, state),
            )
