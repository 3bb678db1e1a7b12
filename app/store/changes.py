# SPDX-License-Identifier: EUPL-1.2
"""Changes: those written here and those received from others, each stored once, with its projection, in one
transaction.

Knows neither ciphers nor the network. A change is the opaque data of one edit of one object.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from app.core import clock, log
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid, new_change
from app.core.signal import Signal
from app.errors import BugError
from app.store import statements as sql
from app.store.connection import Row
from app.store.database import Database
from app.store.journal import Journal
from app.store.known import Name, known_of, place_of
from app.store.outbox import Outbox
from app.store.people import Me
from app.store.projecting import Projecting, Tried
from app.store.rows import Flush, StoredChange
from app.store.verdicts import Verdicts, at_position
from sync.client.placed_changes import position_of
from sync.client.ports import OpenedChange


class Changes:
    """The changes of all objects: those written here and those received. One change is one edit. Signals are emitted
    after the commit, on the loop's thread: `appended` with a change that was written here, `received_first` and then
    `received` with changes to merge, `positioned` with own ones that the server has placed, `taken_back` with an object
    to read again."""

    def __init__(self, db: Database, me: Me, projecting: Projecting, journal: Journal, outbox: Outbox) -> None:
        self._db = db
        self._me = me
        self._projecting = projecting
        self._outbox = outbox
        self.merging = journal.merging
        """A context manager for code that merges changes of others: it names them in the journal on the disk while the
        merge runs, so that the next start knows what it was doing if the process ended."""
        self.appended: Signal[StoredChange] = Signal()
        """A change was written here and waits in the outbox."""
        self.received_first: Signal[list[StoredChange]] = Signal()
        """Emitted with the same changes right before `received`, in the same turn of the event loop, and before the
        lists of rooms and objects are notified. Open documents and boards merge the changes here. So what a colleague
        types is shown before the lists are refreshed."""
        self.received: Signal[list[StoredChange]] = Signal()
        """Changes of others (or of this person's other devices) that are to be merged: new ones, and those whose trial
        is over. The open models have merged them, or do so as soon as they can."""
        self.taken_back: Signal[ObjId] = Signal()
        """A change that was merged into the object is merged no more: read the object again from its changes."""
        projecting.taken_back.connect(self.taken_back.emit)
        self.positioned: Signal[list[StoredChange]] = Signal()
        """Own changes have received their position and the server's time."""

    def append(
        self,
        room: RoomId,
        obj: ObjId,
        data: bytes,
        *,
        live: bool = False,
        baseline: bool = False,
        blobs: Sequence[bytes] = (),
        change_id: ChangeId | None = None,
        t: int | None = None,
    ) -> ChangeId:
        """Stores a change that was made on this device, its outbox row and its projection (the rows for lists and
        search), durably, in one transaction. If nothing else waits to be sent, it is encrypted for sending in the
        same transaction (`Outbox.set_encrypter`). Returns the change's id. `data`: the change, opaque here.

        `live`: a document edit, which the engine batches; otherwise a record, which is sent at once. `blobs` are the
        ids of file parts that must be uploaded before the change is sent. `baseline`: the change is the object's
        present state, for a new member without the history. `change_id` and `t` (ms) are given only for a change that
        is offered again in another room; otherwise both are new. If the projection of a new change fails, the error is
        raised and nothing is stored; but a change of an object that merges (a document) is kept and marked if the error
        has no code, since that is a fault of ours. An offered change is kept and marked at every error, like a received
        one. BugError without an account, or if the object belongs to another room.
        """
        author = self._me.uid
        if author is None:
            raise BugError("no account yet")
        now = clock.now_ms() if t is None else t
        offered, change_id = change_id, change_id or new_change()

        def write() -> None:
            with self._db.transaction() as conn:
                row: int = conn.execute(sql.ADD_CHANGE, (room, obj, change_id, author, None, now, None, data)).lastrowid
                change = StoredChange(
                    rowid=row,
                    room=room,
                    obj=obj,
                    change_id=change_id,
                    author=author,
                    t=now,
                    n=None,
                    data=data,
                    own=True,
                )
                self._outbox.add(change, Flush.BASELINE if baseline else Flush(live), blobs)
                if not self._projecting.touch(obj, room, now, author, row):
                    raise BugError("the object belongs to another room")
                self._projecting.run(conn, room, {obj: [change]}, strict=offered is None)
                self._projecting.notify_changed(room)
                self._db.after_commit(lambda: self.appended.emit(change))

        self._db.again(write)
        return change_id

    def withdraw(self, changes: Sequence[StoredChange]) -> None:
        """Takes own changes out of their objects, in the caller's transaction: they are not sent any more and count
        nowhere, since what they say has been written in another object, or their author discards it. ▲ Those of
        destroyed objects are deleted, in the background also the parts of their files; the others stay stored."""
        conn = self._db.conn
        conn.executemany(sql.MARK_UNPROJECTED, [(sql.MOVED, change.rowid) for change in changes])
        conn.executemany("DELETE FROM outbox WHERE row = ?", [(change.rowid,) for change in changes])
        conn.execute(sql.KEEP_LAST_ROW)
        conn.executemany(sql.DROP_OF_DESTROYED, [(change.rowid,) for change in changes])
        conn.executemany(sql.NOTE_DESTROYING, [(change.room, change.obj) for change in changes])
        for obj in {change.obj for change in changes}:
            self._projecting.take_back(obj)

    def receive(
        self, room: RoomId, changes: Sequence[OpenedChange], tried: Tried, verdicts: Verdicts | None = None
    ) -> None:
        """Stores changes of a room that the server sent. Called by `Store.receive` inside its transaction. `tried`: the
        changes that passed their trial in the worker and may be merged at once (None: all; see `Projecting.run`).
        `verdicts`: the judges' verdicts on the changes; None if none of the objects has a judge."""
        verdicts = verdicts if verdicts is not None else Verdicts()
        with self._db.transaction() as conn:
            known = known_of(self._db.conn.execute, room, changes)
            fresh: list[OpenedChange] = []
            placed: list[tuple[int, int, int, int, int]] = []
            for change in {place_of(c): c for c in changes}.values():
                row = known.written_here(change)
                if row is not None:
                    placed.append((change.n, change.t, change.place, change.baseline, row))
                elif not known.is_stored(change):
                    fresh.append(change)
            new = self._store(room, fresh, verdicts)
            if placed:
                self._place(placed)
                self._check_own(placed, verdicts)
            again = self._mark_doubles(room, known.doubles) if known.doubles else set()
            new = [change for change in new if change.rowid not in again]
            by_obj: dict[ObjId, list[StoredChange]] = {
                change.obj: [] for change in fresh if change.obj in verdicts.codes
            }
            for stored in new:
                by_obj.setdefault(stored.obj, []).append(stored)
            kept = self._projecting.run(conn, room, by_obj, strict=False, tried=tried)
            merged = [change for change in new if change.rowid not in kept]
            if merged:
                self._db.after_commit(lambda: self.received_first.emit(merged))
            if by_obj:
                self._projecting.notify_changed(room)
            # After the room's `changed`: a conversation then drops its lines from memory. Otherwise a view that is
            # notified of these changes would show the lines without them.
            if merged:
                self._db.after_commit(lambda: self.received.emit(merged))
            covered = [
                (obj, p) for obj, codes in verdicts.codes.items() for p, code in codes.items() if code == sql.COVERED
            ]
            if covered:
                self._db.after_commit(lambda: self._offer_again(covered))

    def notify_received(self, changes: list[StoredChange]) -> None:
        """Notifies of stored changes that are to be merged, at least one: those whose trial is over, and own
        ones of which the open model does not know. Call it outside of transactions."""
        self.received_first.emit(changes)
        self.received.emit(changes)

    def _offer_again(self, covered: Sequence[tuple[ObjId, int]]) -> None:
        """▲ Writes changes once more under new ids. `covered` are (object, position) of changes that still waited for
        others when a snapshot replaced that part of the history. Only those that were written on this device are
        offered again. Otherwise this person's edit would be lost."""
        for obj, position in covered:
            for change in self._select(sql.WRITTEN_HERE_AT, (obj, *at_position(position))):
                if change.own:
                    self.append(change.room, obj, change.data)

    def _mark_doubles(self, room: RoomId, names: Iterable[Name]) -> set[int]:
        """Of the stored records of each of `names` (object, author, change id), marks all but one as repeated
        (`again`). Returns the row ids of those. ▲ The record at the lowest position is the one that counts, in whatever
        order they were received. An object of which a record's mark changed is read again from its changes. Objects
        whose kind merges are skipped: their judge decides."""
        again, counted_too = set[int](), set[ObjId]()
        for name in names:
            obj, author, change_id = name
            if self._projecting.merges(obj):
                continue
            found = self._db.conn.execute(sql.SAME_NAME, (change_id, room, obj, author)).fetchall()
            for at, (row, mark) in enumerate(found):
                code = sql.AGAIN if at else None
                again.update((row,) if at else ())
                if (mark == sql.AGAIN) != bool(at) and mark not in (sql.OTHER_ROOM, sql.LEFT_OUT_CHANGE):
                    self._db.conn.execute(sql.MARK_UNPROJECTED, (code, row))
                    counted_too.add(obj)
        for obj in counted_too:
            self._projecting.take_back(obj)
        return again

    def _store(self, room: RoomId, fresh: Sequence[OpenedChange], verdicts: Verdicts) -> list[StoredChange]:
        """Stores the new changes `fresh` in the order of their verdicts. Stored changes that waited for one of them
        follow it. Returns the changes that may be merged according to the verdicts."""
        conn, me = self._db.conn, self._me.uid
        row = int(self._db.value(sql.LAST_ROW) or 0)
        stored: list[StoredChange] = []
        held, rows = set[int](), list[tuple[object, ...]]()
        for obj, c, code in _in_order(fresh, verdicts):
            out = code if code in sql.HELD else None
            if isinstance(c, int):
                conn.executemany(sql.ADD_CHANGE_AT, rows)
                rows.clear()
                woken = self._woken(obj, c, out)
                row = max([row, *(change.rowid for change in woken)])
                stored += woken
                continue
            row += 1
            rows.append((row, room, obj, c.change_id, c.uid, c.dev, c.t, c.n, c.place, c.baseline, out, c.payload))
            if out is not None:
                held.add(row)
            stored.append(
                StoredChange(
                    rowid=row,
                    room=room,
                    obj=obj,
                    change_id=c.change_id,
                    author=c.uid,
                    t=c.t,
                    n=c.n,
                    data=c.payload,
                    own=c.uid == me,
                )
            )
        conn.executemany(sql.ADD_CHANGE_AT, rows)
        return [c for c in self._touch(room, stored) if c.rowid not in held] if stored else []

    def _woken(self, obj: ObjId, position: int, out: str | None) -> list[StoredChange]:
        """Applies a new verdict to a stored change of `obj` at `position`. `out`: the code for which the change is kept
        out of the object, None if it is to be merged. Returns the change in a list if it is to be merged now."""
        conn = self._db.conn
        for *_, row, mark in conn.execute(sql.AT_POSITION, (obj, *at_position(position))).fetchall():
            if out is None and mark in sql.JUDGED:
                row = self._projecting.to_end(row)
                conn.execute(sql.MARK_UNPROJECTED, (None, row))
                return self.at(row)
            if out is not None:
                conn.execute(sql.MARK_UNPROJECTED, (out, row))
        return []

    def _check_own(self, placed: Sequence[tuple[int, int, int, int, int]], verdicts: Verdicts) -> None:
        """▲ Applies the judges' verdicts to changes that were written on this device and have now received their
        positions. The verdicts are the same for every member. A change that does not count is marked, and taken out of
        its object (a repeated one is only marked: the first counts). In a room that continues another, an own change
        may have to wait, since others have not offered yet what it builds on. An own change that breaks a rule is a
        fault of this program, and is logged. `placed`: (position, server's time, number in its envelope, is a baseline,
        row) of each change."""
        if not verdicts.codes:
            return
        for n, _, place, _, row in placed:
            for change in self._select(sql.CHANGE_BY_ROW, (row,)):
                code = verdicts.codes.get(change.obj, {}).get(position_of(n, place))
                if code not in (sql.LEFT_OUT_CHANGE, *sql.JUDGED):
                    continue
                self._db.conn.execute(sql.MARK_UNPROJECTED, (code, row))
                if code in sql.VOID:
                    log.store.error("own-change-void", code=code, obj=change.obj)
                if code != sql.AGAIN:
                    self._projecting.take_back(change.obj)

    def _touch(self, room: RoomId, stored: list[StoredChange]) -> list[StoredChange]:
        """Makes or updates the list rows of the objects that these changes belong to. Returns the changes, without
        those that name an object of a different room, which are marked."""
        first: dict[ObjId, StoredChange] = {}
        last: dict[ObjId, StoredChange] = {}
        for change in stored:
            first.setdefault(change.obj, change)
            last[change.obj] = change
        foreign = {
            obj
            for obj, c in first.items()
            if not self._projecting.touch(obj, room, c.t, c.author, last[obj].rowid, last[obj].t)
        }
        if not foreign:
            return stored
        self._projecting.mark([(sql.OTHER_ROOM, c.rowid) for c in stored if c.obj in foreign])
        return [c for c in stored if c.obj not in foreign]

    def _place(self, placed: Sequence[tuple[int, int, int, int, int]]) -> None:
        self._db.conn.executemany(sql.PLACE_CHANGE, placed)
        # in a store that was set back: the server has had it since, though nothing here shows that it was sent
        self._db.conn.executemany(sql.DROP_PLACED, [(row,) for *_, row in placed])
        changes = [c for *_, row in placed for c in self._select(sql.CHANGE_BY_ROW, (row,))]
        self._projecting.positioned(changes)
        self._db.after_commit(lambda: self.positioned.emit(changes))

    def of(self, obj: ObjId, after: int = 0, limit: int = -1) -> list[StoredChange]:
        """The object's changes that are merged, in the order of receipt. `after`: only those whose row id is higher.
        `limit`: at most so many, the first ones; -1: all."""
        return self._select(f"{sql.CHANGES_OF} LIMIT ?", (obj, after, limit))

    def read(self, obj: ObjId) -> list[StoredChange]:
        """The same as `of` with all changes. Any thread, on a reading connection: what an open transaction has written
        is not among them. A board of 10,000 cards takes 0.1 s."""
        me = self._me.uid
        with self._db.reader() as reader:
            return [stored_change(row, me) for row in reader.execute(sql.CHANGES_OF, (obj, 0))]

    def unplaced(self, obj: ObjId) -> list[bytes]:
        """The data of the object's changes that were written here and have no position yet."""
        return [data for (data,) in self._db.rows(sql.UNPLACED, (obj,))]

    def lacking(self, room: RoomId) -> bool:
        """Whether changes of the room are known to be missing: they wait for a key, or were pruned before this device
        received them."""
        return self._db.value(sql.LACKING, (room, f"gaps-{room.hex()}")) is not None

    def latest_by_device(self, room: RoomId) -> list[tuple[DevId | None, int]]:
        """(device, the server's time in ms of its newest change) for each device that wrote in a room; None is this
        device. A snapshot is no sign of life of any."""
        return [(dev, t) for dev, t in self._db.rows(sql.LATEST_BY_DEVICE, (room,))]

    def writers_after(self, obj: ObjId, row: int) -> list[tuple[Uid, int]]:
        """(author, ms of their newest change) for each person but this account's whose merged changes to an object were
        stored after row `row`, in the order of their latest changes, the newest last. Needed since an object's merged
        state does not say who wrote."""
        return [(Uid(uid), t) for uid, t in self._db.rows(sql.WRITERS_AFTER, (obj, row, self._me.uid))]

    def history(self, obj: ObjId) -> tuple[list[StoredChange], list[StoredChange]]:
        """Everything from which the object's past can be computed, as (the snapshots with which this device began it,
        in place of earlier changes; every other change that is merged). Each list is in the room's order; changes
        without a position come last."""
        return self._select(sql.STATES_OF, (obj,)), self._select(sql.EDITS_OF, (obj,))

    async def latest_in_thread(self, room: RoomId) -> list[tuple[DevId | None, int]]:
        """The same as `latest_by_device`: (device, the server's time in ms of its newest change) for each device that
        wrote in a room, None for this device. Read in a thread: a long room has hundreds of thousands of changes."""

        def read() -> list[tuple[DevId | None, int]]:
            with self._db.reader() as reader:
                return [(dev, t) for dev, t in reader.execute(sql.LATEST_BY_DEVICE, (room,))]

        return await asyncio.to_thread(read)

    def get(self, rowid: int) -> StoredChange | None:
        """One change by its rowid."""
        return next(iter(self._select(sql.CHANGE_BY_ROW, (rowid,))), None)

    def at(self, rowid: int) -> list[StoredChange]:
        """The change of a rowid, if there is one, in a list."""
        return self._select(sql.CHANGE_BY_ROW, (rowid,))

    def unprojected(self, room: RoomId | None = None) -> list[tuple[int, str]]:
        """(rowid, code) of kept changes that their kind could not read, of one room or all."""
        return [(row, code) for row, code in self._db.rows(sql.UNPROJECTED, (room, room))]

    def _select(self, statement: str, params: Iterable[object]) -> list[StoredChange]:
        me = self._me.uid
        return [stored_change(row, me) for row in self._db.rows(statement, tuple(params))]


def _in_order(
    fresh: Sequence[OpenedChange], verdicts: Verdicts
) -> Iterator[tuple[ObjId, OpenedChange | int, str | None]]:
    """Puts new changes, and stored changes whose verdict changed, into the order in which they are to be written.
    Yields (object, a new change or the position of a stored one, the code for which it is kept out or None). Changes of
    objects without verdicts keep the order of receipt."""
    by_obj: dict[ObjId, list[OpenedChange]] = {}
    for change in fresh:
        by_obj.setdefault(change.obj, []).append(change)
    for obj in dict.fromkeys((*by_obj, *verdicts.codes)):
        codes = verdicts.codes.get(obj, {})
        here = {position_of(c.n, c.place): c for c in by_obj.get(obj, ()) if c.dev and not c.baseline}
        for change in by_obj.get(obj, ()):
            if position_of(change.n, change.place) not in codes or not change.dev or change.baseline:
                yield obj, change, None
        for position, code in codes.items():
            yield obj, here.get(position, position), code


def stored_change(row: Row, me: Uid | None) -> StoredChange:
    """Makes a stored change out of a row with `statements.CHANGE`'s columns. `me`: this account's person, whose changes
    are marked as own (None, without an account: no change is own)."""
    rowid, room, obj, change_id, author, t, n, data = row
    return StoredChange(
        rowid=rowid,
        room=room,
        obj=obj,
        change_id=change_id,
        author=author,
        t=t,
        n=n,
        data=data,
        own=author == me,
    )
