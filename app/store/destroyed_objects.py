# SPDX-License-Identifier: EUPL-1.2
"""▲ Deletes what a destroyed object has on this computer: its changes, the rows that lists and search read, its share,
and the parts of its files. An administrator's entry in the room's log destroys an object for everybody.

Changes that this person wrote in the object and the server never received stay, so that the person can send them in
another object. Objects that merge (documents, boards) stay too: this program does not offer to destroy them, and an
open one could not go on.

A month may have thousands of messages. So only a part is deleted in the transaction that receives the entry, and the
rest in the background; `destroying` names what is left, also after a crash.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from app.core.ids import ObjId, PartId, RoomId
from app.errors import StoreFault
from app.store import search, series, tables, working_copies
from app.store import statements as sql
from app.store.blobs import Blobs
from app.store.cached_parts import forget_object
from app.store.database import Database
from app.store.notice_rows import forget
from app.store.outbox import Outbox
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.projection import Projector
from sync.client.ports import OpenedChange, SealedBatch

SLICE = 8
"""The most rows of each table that one transaction deletes: 2 ms of the loop, of which the search index takes 1.5; a
month of 2,000 messages is gone in a second or two."""
FIRST = 2
"""Of how many objects the transaction that receives their entries deletes a first part: 4 ms."""
_PARTS = 8
"""The most parts of files whose bytes are deleted at once: they may have 4 MiB each."""

_UNSENT = "(c.n IS NULL AND EXISTS (SELECT 1 FROM outbox o WHERE o.row = c.row))"
_GOING = f"SELECT c.row FROM changes c WHERE c.obj = ? AND c.room = ? AND NOT {_UNSENT} LIMIT {SLICE}"  # noqa: S608 - constants
_OWN_PARTS = f"""SELECT part FROM parts WHERE obj = ? AND room = ? AND NOT EXISTS
    (SELECT 1 FROM outbox_parts named WHERE named.part = parts.part) LIMIT {_PARTS}"""  # noqa: S608 - constants
_WRITTEN_HERE = "SELECT row FROM changes WHERE obj = ? AND room = ? AND change_id = ? AND author = ? AND n IS NULL"
_PLACED_BEFORE = """SELECT o.row, o.obj FROM outbox o JOIN batches b ON b.id = o.batch JOIN changes c ON c.row = o.row
    JOIN events e ON e.obj = o.obj AND e.room = o.room AND e.kind = 'destroy'
    WHERE b.room = ? AND b.first_seq = ? AND b.last_id = ? AND c.n IS NULL AND e.n > ?"""
_HOME = "SELECT room, created FROM objects WHERE obj = ?"
_NOTE = "INSERT OR IGNORE INTO destroying (room, obj) VALUES (?, ?)"


class DestroyedObjects:
    """Deletes destroyed objects from the store. `kinds`: the kinds of objects by id. Call the methods within a
    transaction, except `run`, `complete` and `shown`, which have their own."""

    def __init__(
        self, db: Database, me: Me, projecting: Projecting, outbox: Outbox, kinds: Mapping[str, Projector], blobs: Blobs
    ) -> None:
        self._db = db
        self._me = me
        self._projecting = projecting
        self._outbox = outbox
        self._kinds = dict(kinds)
        self._blobs = blobs
        self._woken = asyncio.Event()
        projecting.taken_back.connect(lambda _obj: self._woken.set())  # `Changes.withdraw` may have left parts of files
        self._elsewhere: set[ObjId] = set()
        """Of the delivery that is being stored: the objects that it destroys and that another room has here."""
        self._ours: set[ObjId] = set()
        """Those of them that are the delivery's room's own (`_on_announced`)."""
        db.conn.announced_elsewhere = self._on_announced
        self._refused: StoreFault | None = None
        """Why the disk refused to end an object, until `complete` has raised it."""

    # -- what is received

    def note(self, room: RoomId, obj: ObjId) -> None:
        """Notes that the room's log destroys the object, and deletes its share, its notices, and what is kept of its
        files. `begin` then deletes the rest. ▲ Does nothing to an object of another room that has the same id.
        Otherwise an administrator of one room could destroy what is in another."""
        conn = self._db.conn
        if self._is_elsewhere(room, obj):
            self._elsewhere.add(obj)
            return
        kind = self._kinds.get(conn.value("SELECT kind FROM objects WHERE obj = ?", (obj,)) or "")
        if kind is not None and kind.release_files is not None:
            kind.release_files(conn, obj)
        forget_object(conn, obj)
        working_copies.forget_object(conn, obj)
        forget(conn, obj)
        if self._projecting.merges(obj):
            return
        conn.execute("DELETE FROM shares WHERE room = ? AND obj = ?", (room, obj))
        conn.execute(_NOTE, (room, obj))

    def _on_announced(self, room: RoomId, obj: ObjId, t: int) -> None:
        """Called when a record of `room`, of the time `t` (ms), names an object as one of the room's, and this device
        has the object as another room's. Notes it for `take_back`, which makes it the room's own, if all of this holds:
        the log of `room` destroys the object, and that of the other room does not; neither its share nor an older room
        binds it to the other room; and the record is older, by the server's time, than the object's first use there.

        ▲ Without this rule a former member of `room`, who knows the id of its conversation's first object, could name
        the object as one of a different room. The share that bound it to `room` is gone since it was destroyed. So a
        new device that reads the different room first would take it for that room's, and show no conversation in
        `room`."""
        home, created = self._db.conn.only(_HOME, (obj,))
        is_gone_here = series.is_destroyed(self._db, room, obj) and not series.is_destroyed(self._db, home, obj)
        if is_gone_here and t < created and not self._projecting.is_of(obj, home):
            self._ours.add(obj)

    def begin_delivery(self) -> None:
        """Call it before a delivery is stored: nothing is known of its objects yet, also if an earlier one failed."""
        self._elsewhere.clear()
        self._ours.clear()

    def take_back(self, room: RoomId) -> None:
        """Makes destroyed objects those of this room again that another room has used here first (`_on_announced`).
        Call it when the room's records are projected."""
        if self._elsewhere:
            self._projecting.announce_again(room)
        for obj in sorted(self._ours):
            self._projecting.clear_others(obj, room)
            self._projecting.announce_again(room)
            self._projecting.regroup()
            self.note(room, obj)

    def is_gone(self, room: RoomId, obj: ObjId) -> bool:
        """Whether nothing of the object may be stored any more but this person's changes that were not sent: the room's
        log destroys it, and its kind does not merge."""
        return series.is_destroyed(self._db, room, obj) and not self._projecting.merges(obj)

    def without(self, room: RoomId, changes: Sequence[OpenedChange]) -> Sequence[OpenedChange]:
        """Those of the `changes` from the server that may be stored: all but those of destroyed objects. If this person
        wrote one of the others, deletes this device's copy of it: the server has placed it, so it is a part of what was
        destroyed."""
        gone = {obj for obj in {change.obj for change in changes} if self.is_gone(room, obj)}
        if not gone:
            return changes
        for change in changes:
            if change.obj in gone and change.uid == self._me.uid:
                written_here = self._db.rows(_WRITTEN_HERE, (change.obj, room, change.change_id, change.uid))
                self._delete_sent(room, change.obj, written_here)
        return [change for change in changes if change.obj not in gone]

    def shown(self, batch: SealedBatch, first: int) -> bool:
        """As `Outbox.shown`, which notes that the server has placed a batch of this device from the position `first`
        on, in one transaction. ▲ What was placed before its object was destroyed is deleted, also if the server has
        deleted the content before this device saw it there. Otherwise it would count as not sent, and be offered to the
        person once more."""
        with self._db.transaction(durable=False):
            for row, obj in self._db.rows(_PLACED_BEFORE, (batch.room, batch.first_seq, batch.last_id, first)):
                if not self._projecting.merges(obj):
                    self._delete_sent(batch.room, obj, [(row,)])
            return self._outbox.shown(batch, first)

    def _delete_sent(self, room: RoomId, obj: ObjId, rows: Sequence[tuple[int]]) -> None:
        """Deletes this device's copy of changes that it wrote and that the server gave a position before their object
        was destroyed. `rows`: their rows in the table `changes`. In the caller's transaction. What else the object has
        here is deleted by `begin` and `run`."""
        conn = self._db.conn
        conn.execute(sql.KEEP_LAST_ROW)
        for row in rows:
            conn.execute("DELETE FROM outbox WHERE row = ?", row)
            conn.execute("DELETE FROM changes WHERE row = ?", row)
        if rows:
            conn.execute(_NOTE, (room, obj))
            self._db.after_commit(self._woken.set)

    # -- deleting

    def begin(self, room: RoomId) -> None:
        """Deletes a first part of FIRST objects of the room that are being destroyed: all of a short one. The rest is
        deleted by `run`. ▲ Of no more: an administrator may destroy thousands of objects at once, and everybody's
        event loop would be held for seconds."""
        found = self._db.rows("SELECT obj FROM destroying WHERE room = ? LIMIT ?", (room, FIRST))
        for (obj,) in found:
            self._step(room, obj)
        if found:
            self._db.after_commit(self._woken.set)

    async def run(self) -> None:
        """Runs until cancelled: deletes what is left of destroyed objects, a part at a time. StoreFault if the disk
        refuses."""
        while True:
            await self.complete()
            await self._woken.wait()
            self._woken.clear()

    async def complete(self) -> None:
        """Deletes all that is left of destroyed objects now. StoreFault if the disk refuses."""
        while (found := self._db.one("SELECT room, obj FROM destroying LIMIT 1")) is not None:
            room, obj = found
            parts = [PartId(part) for (part,) in self._db.rows(_OWN_PARTS, (obj, room))]
            if parts:
                self._blobs.drop(parts)
            else:
                await self._db.apart(partial(self._step, room, obj), durable=False)
            fault, self._refused = self._refused, None
            if fault is not None:  # ▲ otherwise this would try again at once, for ever
                raise fault
            await asyncio.sleep(0)

    def _step(self, room: RoomId, obj: ObjId) -> None:
        """Deletes at most SLICE rows of each table of an object. If nothing is left, the rows of what was not sent are
        made again, and lists are counted again; the object is ended after the commit (`_end`)."""
        conn = self._db.conn
        rows = conn.execute(_GOING, (obj, room)).fetchall()
        conn.execute(sql.KEEP_LAST_ROW)
        conn.executemany("DELETE FROM unjudged WHERE row = ?", rows)
        conn.executemany("DELETE FROM changes WHERE row = ?", rows)
        more = len(rows) == SLICE
        is_here = not self._is_elsewhere(room, obj)
        if is_here:
            kind = self._kinds.get(conn.value("SELECT kind FROM objects WHERE obj = ?", (obj,)) or "")
            more = (kind is not None and tables.clear_some(conn, kind.tables, obj, SLICE)) or more
            more = search.drop_some(conn, obj, SLICE) or more
            self._projecting.notify_changed(room)
        if more or conn.execute(_OWN_PARTS, (obj, room)).fetchone() is not None:
            return
        if is_here:
            conn.execute("UPDATE objects SET title = '' WHERE obj = ?", (obj,))
            self._projecting.take_back(obj)
            self._projecting.count_again(obj)
        self._db.after_commit(partial(self._end, room, obj))

    def _end(self, room: RoomId, obj: ObjId) -> None:
        """Notes that nothing is left of the object. ▲ Only after `Projecting.taken_back` was emitted for it: tools then
        drop what they keep of the object elsewhere, such as the text of a draft. Otherwise a crash between the commit
        and that would leave it for ever. If the disk refuses, the object is ended later, by `complete`."""
        try:
            with self._db.transaction(durable=False) as conn:
                conn.execute("DELETE FROM destroying WHERE room = ? AND obj = ?", (room, obj))
        except StoreFault as fault:
            self._refused = fault

    def _is_elsewhere(self, room: RoomId, obj: ObjId) -> bool:
        found = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
        return found is not None and found != room
