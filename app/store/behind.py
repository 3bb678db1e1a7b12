# SPDX-License-Identifier: EUPL-1.2
"""The changes that a snapshot already contains.

A newcomer reads an object from a snapshot: a state in which all changes up to a position are merged. The changes
themselves are pulled afterwards. They are stored with the mark BEHIND, and are neither judged, tried nor merged as long
as the snapshot replaces them. An object is complete when all its changes are here. `settle` then judges it from its
first change, in the background. After that its changes count like those of any other object, and the snapshot is
deleted.

One of two things is known about the snapshot then. Either this computer has made the same state itself: another process
has merged all these changes (`sync.client.exchange.snapshot_maker.Snapshots.check`), and did not crash, so none is
tried once more. Or the snapshot was only believed: each change is tried first.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from app.core.ids import ObjId
from app.core.signal import Signal
from app.store import statements as sql
from app.store.database import Database
from app.store.judges import Judges
from app.store.kept_judges import complete_name
from app.store.projecting import Projecting
from app.store.projection import Projector
from app.store.snapshots import Snapshots

AT_ONCE = 128
"""How many changes are marked before the loop may run other tasks."""
_MADE_HERE, _BELIEVED = b"made", b"believed"
"""Values of the row `complete-<object>` in `meta`, written once the changes are judged: whether the snapshot's state
was made on this computer too, or is a colleague's word. Before that the row is empty."""


class Behind:
    """Handles complete objects: objects that this device began to read from a snapshot, and of which it has every
    single change by now. Judges them from their first change (decides which changes count) and deletes the snapshot.
    Use it on the event loop."""

    def __init__(self, db: Database, judges: Judges, projecting: Projecting, snapshots: Snapshots) -> None:
        self._db = db
        self._judges = judges
        self._snapshots = snapshots
        self._projecting = projecting
        self._complete: dict[ObjId, None] = {}
        self.completed: Signal[()] = Signal()
        """More objects are complete. Emitted after the commit."""

    def prepare(self) -> None:
        """Reads from the store which objects are complete (every change of them is here) and still began with a
        snapshot when the program's last run ended: they are yet to be judged from their first change, or their changes
        to be tried. Called when the store is opened."""
        names = self._db.rows("SELECT name FROM meta WHERE name GLOB 'complete-*'")
        self._complete = {ObjId(bytes.fromhex(name.partition("-")[2])): None for (name,) in names}

    @property
    def complete(self) -> Sequence[ObjId]:
        """Objects of which every change is here and that still begin with a snapshot."""
        return list(self._complete)

    def __contains__(self, obj: ObjId) -> bool:
        return obj in self._complete

    def note(self, objs: Sequence[ObjId]) -> None:
        """Notes that every change of these objects is stored now, though each is still computed from a snapshot. Call
        it within the transaction that stores the changes."""
        for obj in objs:
            self._db.conn.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?, x'')", (complete_name(obj),))
        self._db.after_commit(partial(self._on_noted, objs))

    def _on_noted(self, objs: Sequence[ObjId]) -> None:
        self._complete.update(dict.fromkeys(objs))
        self.completed.emit()

    def begin(self, objs: Sequence[ObjId]) -> None:
        """▲ Notes that these objects were given a newer snapshot to begin with, so that they no longer count as
        complete: the changes that the snapshot replaces may have been pruned and may not be here. Call it within the
        transaction that stores the snapshot."""
        for obj in objs:
            self._db.conn.execute("DELETE FROM meta WHERE name = ?", (complete_name(obj),))
        self._db.after_commit(partial(self._on_begun, objs))

    def _on_begun(self, objs: Sequence[ObjId]) -> None:
        for obj in objs:
            self._complete.pop(obj, None)
        self._judges.forget([obj for obj in objs if self._judges.is_due(obj)])

    async def settle(self, obj: ObjId, kind: Projector) -> None:
        """Judges an object of which every change is here from its first change (decides which count), and deletes the
        snapshot with which it was begun. `kind`: the object's kind. Call it again until `obj` is no longer in
        `complete`: if changes must first be tried in the worker process, the first call only marks them as untried, and
        a later call that finds none untried deletes the snapshot."""
        if not self._db.value("SELECT value FROM meta WHERE name = ?", (complete_name(obj),)):
            await self._judges.again(obj, kind)
            if obj not in self:
                return
            await self._release(obj, _MADE_HERE if self._snapshots.stands_on_base(obj) else _BELIEVED)
        if obj in self and self._db.value(sql.ANY_UNTRIED, (obj,)) is None:
            await self._drop_state(obj)

    async def _release(self, obj: ObjId, state: bytes) -> None:
        code, after = None if state == _MADE_HERE else sql.UNTRIED, 0
        if state == _MADE_HERE:
            for last, row in await asyncio.to_thread(self._cached, obj):
                with self._db.transaction(durable=False):
                    self._db.conn.execute(sql.CACHE_HAS_BEHIND, (last, obj, row))
        while rows := self._db.rows(sql.SOME_BEHIND, (obj, after, AT_ONCE)):
            with self._db.transaction(durable=False):
                self._db.conn.executemany(sql.MARK_UNPROJECTED, [(code, row) for (row,) in rows])
            after = rows[-1][0]
            await asyncio.sleep(0)
        with self._db.transaction(durable=False):
            self._db.conn.execute("UPDATE meta SET value = ? WHERE name = ?", (state, complete_name(obj)))
            if code is not None:
                self._db.after_commit(partial(self._projecting.untried.emit, obj))

    def _cached(self, obj: ObjId) -> Sequence[tuple[int, int]]:
        """Finds the cached merged state of an object: [(the object's last row, the row up to which the cached state
        reaches)]. [] if there is no cached state, or if it lacks a merged change: one that is stored after the row up
        to which it reaches. Runs in a thread: it reads everything that the snapshot replaces, up to 200,000 changes of
        a long object."""
        with self._db.reader() as reader:
            return [(last, row) for last, row in reader.execute(sql.CACHE_WITH_BEHIND, (obj,))]

    async def _drop_state(self, obj: ObjId) -> None:
        """Deletes the snapshot of a complete object. ▲ A snapshot that a colleague's device made and this one did not
        check may be false, or contain changes that were left out since. In that case the object's rows for lists and
        search are computed again from its changes."""

        def write() -> None:
            state = self._db.value("SELECT value FROM meta WHERE name = ?", (complete_name(obj),))
            if state is None:  # the object begins with another snapshot by now
                return
            made_here = state == _MADE_HERE and self._snapshots.stands_on_base(obj)
            self._db.conn.execute("DELETE FROM meta WHERE name = ?", (complete_name(obj),))
            self._db.conn.execute(sql.KEEP_LAST_ROW)
            self._db.conn.execute(sql.DROP_STATE, (obj,))
            if not made_here:
                self._projecting.take_back(obj)
            self._db.after_commit(partial(self._complete.pop, obj, None))

        await self._db.apart(write)
