# SPDX-License-Identifier: EUPL-1.2
"""Runs the kinds' projections: the root object first, then objects with unprojected changes. One bad change never stops
the rest."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from app.core import log
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.store import counters, notice_rows, tables
from app.store import statements as sql
from app.store.connection import Connection
from app.store.database import Database, is_fatal
from app.store.journal import Journal
from app.store.people import Me
from app.store.projection import Project, Projector
from app.store.rows import ObjectRow, StoredChange, object_row
from app.store.search import drop, drop_kind
from app.store.unprojected import missing
from sync.trust.room.envelope import object_of
from sync.trust.room.successor_claim import object_in

ROOM = "room"
_AGAIN = 32
_BESIDE = ("drafts", "read_markers", "read_apart", "recent", "crdt_states", "judges", "waits", "series")
"""The tables with an object's rows beside its changes and the rows of its kind. A draft is among them: it was meant for
another room."""

Batches = Mapping[ObjId, Sequence[StoredChange]]
Tried = Collection[tuple[ObjId, Uid, ChangeId]] | None
"""Changes, by author and id, that passed their trial; None: all did."""


class Projecting:
    """Runs the projections: the functions of the kinds of objects that turn stored changes into rows for lists and
    search. Its methods but `prepare` run within the caller's transaction. The only writer of `objects.last` (the
    object's last row) and `objects.projected` (the last one that is projected)."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector], journal: Journal, *, tries: bool) -> None:
        """`kinds`: the kinds of objects by id. `tries`: changes that others wrote to an object that merges are kept
        untried, unless the caller names them as tried."""
        self._db = db
        self._me = me
        self._kinds = dict(kinds)
        self._journal = journal
        self._tries = tries
        self.state_drops = Counter[ObjId]()
        """How often a cached state of each object has been dropped in this run, also if none was cached."""
        self.untried: Signal[ObjId] = Signal()
        """Changes of the object were kept for a trial; after the commit."""
        self.taken_out: Signal[ObjId] = Signal()
        """A change of the object was left out by an administrator's record. Emitted after the commit."""
        self.taken_back: Signal[ObjId] = Signal()
        """A change that was merged into the object is merged no more, by any rule. Emitted after the commit."""
        self.taken_out.connect(self.taken_back.emit)
        self.changed: Signal[RoomId] = Signal()
        """The room whose read models changed. Emitted after the commit, once for each transaction and room."""

    def prepare(self) -> None:
        """Makes the tables of kinds of objects that are new, makes the rows of kinds with a new version or format
        again, and runs the projections (functions of the kinds that turn stored changes into rows for lists and search)
        for changes for which they have not run yet. A change that a projection refuses is marked with the error's code,
        and the rest continue. In a store with a worker, changes to objects that merge, of a kind that is new, are kept
        for a trial. Called when the store is opened."""
        kept = {kind: (version, format_) for kind, version, format_ in self._db.rows("SELECT * FROM kinds")}
        new = [kind for kind in self._kinds.values() if kind.id not in kept]
        for kind in self._kinds.values():
            if kept.get(kind.id) != (kind.version, kind.format):
                self._rebuild(kind)
        for kind in self._kinds.values():
            for room, obj in self._db.rows(sql.OBJECTS_BEHIND_OF, (kind.id,)):
                with self._db.transaction() as conn:
                    self.run(conn, room, {obj: ()}, strict=False, tried=None if kind not in new else frozenset())

    def _rebuild(self, kind: Projector) -> None:
        with self._db.transaction() as conn:
            tables.make_again(conn, kind.tables)
            drop_kind(conn, kind.id)
            counters.drop_kind(conn, kind.id)
            of_kind = "AND obj IN (SELECT obj FROM objects WHERE kind = ?)"
            conn.execute(f"{sql.NOTE_UNJUDGED} {of_kind}", (kind.id,))
            conn.execute(
                f"UPDATE changes SET unprojected = NULL WHERE unprojected IS NOT NULL AND {sql.MERGED} {of_kind}",  # noqa: S608
                (kind.id,),
            )
            conn.execute("UPDATE objects SET projected = 0 WHERE kind = ?", (kind.id,))
            conn.execute("INSERT OR REPLACE INTO kinds VALUES (?, ?, ?)", (kind.id, kind.version, kind.format))
        log.store.info("read-model", kind=kind.id, version=kind.version)

    def touch(self, obj: ObjId, room: RoomId, t: int, by: Uid, last_row: int, last_t: int | None = None) -> bool:
        """Makes or updates the object's row in the list of objects. `t`, `by` and `last_row`: the first new change's
        time (ms) and author, and the row of the last one; `last_t`: its time, if it differs. Returns False if the
        object belongs to another room.

        ▲ The object belongs to the room to which its id is bound; if its id is bound to none, to the first room in
        which it was received. What other rooms wrote under its id no longer counts (`clear_others`).
        """
        root = obj == ObjId(room)
        kind = ROOM if root else ""
        params = (obj, room, kind, t, last_t if last_t is not None else t, by, last_row)
        conn = self._db.conn
        if conn.execute(sql.TOUCH_OBJECT, params).rowcount:
            return True
        if not root and not self.is_of(obj, room):
            return False
        self.clear_others(obj, room)
        conn.execute(sql.TOUCH_OBJECT, params)
        if not root:
            self.announce_again(room)
        return True

    def is_of(self, obj: ObjId, room: RoomId) -> bool:
        """Whether the object's id is bound to this room: by the object's share (the secret that its id was made from),
        or because the room is a successor and the object continues one of the old room."""
        conn = self._db.conn
        kept = conn.execute(sql.SHARE, (room, obj)).fetchone()
        if kept is not None and object_of(room, kept[0]) == obj:
            return True
        old = conn.execute("SELECT old FROM origins WHERE room = ?", (room,)).fetchone()
        if old is None:
            return False
        ids = conn.execute("SELECT obj FROM objects WHERE room = ?", old)
        return any(object_in(room, RoomId(old[0]), ObjId(o)) == obj for (o,) in ids)

    def clear_others(self, obj: ObjId, room: RoomId) -> None:
        """Marks the changes that other rooms than `room` wrote under the id `obj`, since the object belongs to `room`,
        and deletes what was made from them: the object's row, the rows for lists and search, the draft, the read mark,
        the cached state. In the caller's transaction. Emits `taken_out` after the commit.

        ▲ None of these changes stays quarantined. Otherwise one would be tried at the next start, and merged here. Nor
        is the object suspected any more of ending the program: a different room wrote the changes at which it did.
        """
        conn = self._db.conn
        conn.execute(sql.DROP_QUARANTINED_OF, (obj, room))
        conn.execute("DELETE FROM suspects WHERE obj = ? AND room <> ?", (obj, room))
        conn.execute("UPDATE changes SET unprojected = 'other-room' WHERE obj = ? AND room <> ?", (obj, room))
        conn.execute(
            "UPDATE changes SET unprojected = NULL WHERE obj = ? AND room = ? AND unprojected = 'other-room'",
            (obj, room),
        )
        self._drop_rows(obj, *self._kinds.values())
        self.state_drops[obj] += 1
        for beside in _BESIDE:
            conn.execute(f"DELETE FROM {beside} WHERE obj = ?", (obj,))  # noqa: S608 - constants
        notice_rows.forget_other_rooms(conn, obj, room)
        conn.execute("DELETE FROM objects WHERE obj = ?", (obj,))
        self._db.after_commit(partial(self.taken_out.emit, obj))

    def announce_again(self, room: RoomId) -> None:
        """Runs the projection of all the room's own records once more, which writes the lists of its objects. One of
        the records announces an object, and did not count while the object belonged to another room. In the caller's
        transaction."""
        conn, root = self._db.conn, ObjId(room)
        conn.execute("UPDATE objects SET projected = 0 WHERE obj = ?", (root,))
        self._object(self._db.conn, root, (), strict=False, tried=None)

    def mark(self, marks: Sequence[tuple[str, int]]) -> None:
        """Marks stored changes as not projected (no rows for lists and search come from them), in the caller's
        transaction. `marks`: (code of the reason, row id), at least one. A code in `statements.HELD` also keeps a
        change out of its object."""
        self._db.conn.executemany(sql.MARK_UNPROJECTED, marks)
        log.store.warning("unprojected", count=len(marks), code=marks[0][0])

    def run(
        self,
        conn: Connection,
        room: RoomId,
        batches: Batches,
        *,
        strict: bool,
        tried: Tried = frozenset(),
    ) -> set[int]:
        """Makes rows for lists and search out of a room's new changes, in the caller's transaction. `batches`: the
        changes by object; an object with an empty list gets those that were stored before. If `strict` (own
        changes), an error is raised; but in an object that merges, only an error that has a code. Any other error marks
        the change, and the rest continue. The caller has `changed` emitted (`notify_changed`).

        ▲ Of an object that merges, only the changes in `tried` are projected (None: all of them were tried before). The
        others are kept as untried, and their row ids are returned.
        """
        root, kept = ObjId(room), set[int]()
        of_others: Tried = None if not self._tries else frozenset() if strict else tried
        of_these = None if strict else of_others
        if root in batches:
            self._object(conn, root, batches[root], strict, of_these)
            self._take_out()
            self.regroup()
            for kind in self._kinds:
                for (obj,) in self._db.conn.execute(sql.OBJECTS_BEHIND, (room, kind)).fetchall():
                    if obj not in batches:
                        kept |= self._object(conn, obj, (), False, of_others)
        for obj, changes in batches.items():
            if obj != root:
                kept |= self._object(conn, obj, changes, strict, of_these)
        return kept

    def notify_changed(self, room: RoomId) -> None:
        """Emits `changed` for the room after the commit."""
        self._db.after_commit(lambda: self.changed.emit(room))

    def _object(
        self,
        conn: Connection,
        obj: ObjId,
        changes: Sequence[StoredChange],
        strict: bool,
        tried: Tried,
    ) -> set[int]:
        """Runs the kind's projection, which writes rows for lists and search, for those changes of one object for which
        it has not run yet. `changes`: those of them that the caller has; empty: all are read. `strict`: an error is
        raised; but in an object that merges, only an error that has a code. Otherwise the change is marked. `tried`: of
        an object that merges only these are projected (None: all). Returns the row ids of the changes that are kept for
        a trial; empty for an unknown object or kind."""
        found = self._db.conn.execute(sql.OBJECT, (obj,)).fetchone()
        if found is None:
            return set()
        *fields, last, projected = found
        row = object_row(fields)
        kind = self._kinds.get(row.kind)
        if kind is None or projected >= last:
            return set()
        if not changes or changes[0].rowid > projected + 1:
            changes = missing(self._db.conn, self._me.uid, obj, projected, changes)
        kept = set[int]()
        if kind.merging is not None:
            changes = self._without_left_out(obj, changes)
        if kind.merging is not None and tried is not None:
            kept = {c.rowid for c in changes if (c.obj, c.author, c.change_id) not in tried}
            changes = [c for c in changes if c.rowid not in kept]
        if kept:
            self.hold(obj, sorted(kept))
        if strict and kind.merging is not None:
            self._project_own(conn, kind, row, changes)
        elif strict:
            kind.project(conn, row, changes)  # own changes: they make no notices
        elif changes:
            self._project(conn, kind, row, changes)
        self._db.conn.execute(sql.SET_PROJECTED, (last, obj))
        return kept

    def _without_left_out(self, obj: ObjId, changes: Sequence[StoredChange]) -> Sequence[StoredChange]:
        """Marks those of the `changes` that an administrator's earlier record leaves out of the object. Returns the
        others."""
        gone = {(author, change_id) for author, change_id in self._db.conn.execute(sql.LEFT_OUT_OF, (obj,))}
        if not gone:
            return changes
        rows = [c.rowid for c in changes if (c.author, c.change_id) in gone]
        self._db.conn.executemany(sql.MARK_UNPROJECTED, [(sql.LEFT_OUT_CHANGE, row) for row in rows])
        return [c for c in changes if c.rowid not in rows]

    def _take_out(self) -> None:
        """Applies records by which an administrator has changes left out, if they are not applied yet: marks the
        changes and makes their objects' rows for lists and search again without them. In the caller's transaction."""
        conn, again = self._db.conn, set[ObjId]()
        for obj, author, change_id, row, was in conn.execute(sql.LEFT_OUT_NEWLY).fetchall():
            name = (obj, author, change_id)
            conn.execute("UPDATE left_out SET applied = 1 WHERE obj = ? AND author = ? AND change_id = ?", name)
            if row is None or was == sql.OTHER_ROOM:
                continue
            conn.execute(sql.MARK_UNPROJECTED, (sql.LEFT_OUT_CHANGE, row))
            conn.execute("DELETE FROM quarantined WHERE row = ?", (row,))
            again.add(obj)
        for obj in again:
            conn.execute(sql.DROP_JUDGE_STATE, (obj,))  # ▲ so that it is judged again after a restart, too
            self.from_start(obj)
            self._db.after_commit(partial(self.taken_out.emit, obj))

    def regroup(self) -> None:
        """Makes the rows again of objects that have become part of a series, or are none any more, in the caller's
        transaction (app/store/series.py). An object without rows gets them with its changes."""
        for obj, is_new in self._db.conn.execute(sql.REGROUPED).fetchall():
            self._db.conn.execute(sql.SET_REGROUPED, (obj,))
            if self._db.conn.value("SELECT projected FROM objects WHERE obj = ?", (obj,)):
                self.from_start(obj, shown_first=bool(is_new))

    def hold(self, obj: ObjId, rows: Sequence[int]) -> None:
        """Keeps the changes with the row ids `rows` for a trial in the worker. Nothing merges them until it is over. In
        the caller's transaction."""
        self._db.conn.executemany(sql.MARK_UNPROJECTED, [(sql.UNTRIED, row) for row in rows])
        self._db.after_commit(lambda: self.untried.emit(obj))

    def to_end(self, row: int) -> int:
        """In the caller's transaction, moves the change in the row `row` behind all stored ones, since it is merged
        only now. Returns its new row id. A change of this account keeps its row, which the outbox may name, and `row`
        is returned. Then the object's cached state is dropped instead, so that it is read from its changes."""
        conn = self._db.conn
        author, obj = conn.only("SELECT author, obj FROM changes WHERE row = ?", (row,))
        if author == self._me.uid:
            self.state_drops[obj] += 1
            conn.execute("DELETE FROM crdt_states WHERE obj = ?", (obj,))
            return row
        new = int(conn.value(sql.LAST_ROW)) + 1
        conn.execute(sql.MOVE_CHANGE, (new, row))
        return new

    def merges(self, obj: ObjId) -> bool:
        """Whether the object's kind merges, so that a judge decides about its changes. False for an unknown object."""
        found = self._db.conn.execute("SELECT kind FROM objects WHERE obj = ?", (obj,)).fetchone()
        return found is not None and self._merges(found[0])

    def take_back(self, obj: ObjId) -> None:
        """Computes an object's rows for lists and search again from its changes, because one that had been merged no
        longer counts (an administrator had it left out, or its verdict changed). Opens no transaction: the caller has
        one. Emits `taken_back` after the commit."""
        self.from_start(obj)
        self._db.after_commit(partial(self.taken_back.emit, obj))

    def release(self, obj: ObjId, changes: Sequence[StoredChange]) -> None:
        """Makes the rows for lists and search of changes that were kept for a trial and have passed it. Call it within
        the caller's transaction. Drops a cached state of the object that was made while the changes were kept.
        Otherwise the object would be read without them."""
        conn = self._db.conn
        if changes:
            first = min(change.rowid for change in changes)
            self.state_drops[obj] += 1
            conn.execute("DELETE FROM crdt_states WHERE obj = ? AND row >= ?", (obj, first))
        conn.executemany(sql.MARK_UNPROJECTED, [(None, change.rowid) for change in changes])
        found = conn.execute(sql.OBJECT, (obj,)).fetchone()
        kind = self._kinds.get(found[2]) if found else None
        if found is not None and kind is not None and changes:
            row = object_row(found[:-2])
            self._project(conn, kind, row, changes)
            self.notify_changed(row.room)

    def from_start(self, obj: ObjId, *, shown_first: bool = False) -> None:
        """Deletes the rows for lists and search that an object's changes made, and makes them again from its first
        change, since a change that was merged into it must no longer be. Call it within the caller's transaction.
        `shown_first`: nothing of the object was shown until now, so its changes make their notices now."""
        conn = self._db.conn
        found = conn.execute(sql.OBJECT, (obj,)).fetchone()
        kind = self._kinds.get(found[2]) if found else None
        self.state_drops[obj] += 1
        conn.execute("DELETE FROM crdt_states WHERE obj = ?", (obj,))
        if found is None or kind is None:
            return
        row, last = object_row(found[:-2]), found[-2]
        self._drop_rows(obj, kind)
        conn.execute(f"{sql.NOTE_UNJUDGED} AND obj = ?", (obj,))
        conn.execute(f"UPDATE changes SET unprojected = NULL WHERE obj = ? AND {sql.MERGED}", (obj,))  # noqa: S608
        conn.execute(sql.SET_PROJECTED, (0, obj))
        changes = missing(conn, self._me.uid, obj, 0, ())
        if shown_first:
            changes = [replace(change, replayed=False) for change in changes]
        if changes:
            self._project(conn, kind, row, changes)
        conn.execute(sql.SET_PROJECTED, (last, obj))
        notice_rows.hide_uncounted(conn, obj, sql.HELD)
        self.notify_changed(row.room)

    def count_again(self, obj: ObjId) -> None:
        """Has an object's kind count again what it stores beside the object's own rows, such as the latest line and the
        unread messages of a conversation. In the caller's transaction."""
        found = self._db.conn.execute(sql.OBJECT, (obj,)).fetchone()
        kind = self._kinds.get(found[2]) if found else None
        if found is not None and kind is not None:
            self._project(self._db.conn, kind, object_row(found[:-2]), ())

    def _drop_rows(self, obj: ObjId, *kinds: Projector) -> None:
        """Deletes an object's rows for lists and search, and what the kinds `kinds` keep of the object in memory."""
        conn = self._db.conn
        for kind in kinds:
            tables.clear(conn, kind.tables, obj)
            if kind.forget is not None:
                kind.forget(conn, obj)
        drop(conn, obj)
        counters.drop(conn, obj)

    def _project(self, conn: Connection, kind: Projector, row: ObjectRow, changes: Sequence[StoredChange]) -> None:
        code = self._try(conn, kind.project, row, changes)
        if code is None:
            return
        if len(changes) == 1:
            self.mark([(code, changes[0].rowid)])
            return
        for change in changes:
            self._project(conn, kind, row, (change,))

    def _project_own(self, conn: Connection, kind: Projector, row: ObjectRow, changes: Sequence[StoredChange]) -> None:
        """Makes the rows for lists and search of changes that were written on this device, in an object that merges.
        Raises an error that has a code. ▲ Any other error is a fault of this program, and the change is sound: it is
        kept and marked, as one of others would be. If it were refused, it would be in memory only, and gone when Kansli
        is locked."""
        error = self._attempt(conn, kind.project, row, changes)
        if error is None:
            return
        if isinstance(getattr(error, "code", None), str):
            raise error
        log.store.exception("projection", error, kind=row.kind, obj=row.obj)
        self.mark([(sql.BUG, change.rowid) for change in changes])

    def _try(self, conn: Connection, project: Project, row: ObjectRow, changes: Sequence[StoredChange]) -> str | None:
        """Runs `project`, which writes rows for lists and search, on the changes of one object. Returns None if it
        succeeded. Otherwise rolls back the rows that it wrote and returns the error's code, or `statements.BUG` if it
        has none. Raises an error that concerns the store or the whole process, such as a full disk."""
        error = self._attempt(conn, project, row, changes)
        if error is None:
            return None
        code = getattr(error, "code", None)
        if len(changes) == 1 and not isinstance(code, str):
            log.store.exception("projection", error, kind=row.kind, obj=row.obj)
        return code if isinstance(code, str) else sql.BUG

    def _attempt(
        self, conn: Connection, project: Project, row: ObjectRow, changes: Sequence[StoredChange]
    ) -> BaseException | None:
        """Runs `project`, which writes rows for lists and search, on the changes of one object. Returns None, or the
        error, after rolling back the rows that were written. Raises an error that concerns the store or the whole
        process, such as a full disk."""
        conn.execute("SAVEPOINT projection")
        try:
            with self._journal.merging(row.room, row.obj, changes if self._merges(row.kind) else ()):
                notices = project(conn, row, changes)
            if notices:
                notice_rows.put_first(conn, self._me.uid, row, self._kinds[row.kind].notices, changes, notices)
        except BaseException as e:  # pycrdt panics with a BaseException of its own
            if is_fatal(e):
                raise
            conn.execute("ROLLBACK TO projection")
            conn.execute("RELEASE projection")
            return e
        conn.execute("RELEASE projection")
        return None

    def _merges(self, kind: str) -> bool:
        found = self._kinds.get(kind)
        return found is not None and found.merging is not None

    def positioned(self, changes: Sequence[StoredChange]) -> None:
        """Has the kinds update the rows of own changes that have received their position in the room from the server,
        in the caller's transaction. An error of a kind is only logged. If records of the room are among the changes,
        those by which an administrator has changes left out are applied."""
        by_obj: dict[ObjId, list[StoredChange]] = defaultdict(list)
        for change in changes:
            by_obj[change.obj].append(change)
        for obj, placed in by_obj.items():
            found = self._db.conn.execute(sql.OBJECT, (obj,)).fetchone()
            kind = self._kinds.get(found[2]) if found else None
            if found is None or kind is None or kind.positioned is None:
                continue
            code = self._try(self._db.conn, kind.positioned, object_row(found[:-2]), placed)
            if code is not None:  # the change itself is stored; only its place in a list is out of date
                log.store.error("positioned", kind=kind.id, code=code, count=len(placed))
            if kind.id == ROOM:
                self._take_out()
                self.regroup()
