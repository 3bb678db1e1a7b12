# SPDX-License-Identifier: EUPL-1.2
"""▲ A colleague's change to a document or a board is merged here only after another process has merged it and survived.

`judge` tries received changes before they are stored. A change that could not be tried then, or that ended the worker,
is stored as untried. `run` tries it again, change by change, each from the state before it: a change that ends the
worker alone is quarantined. Quarantine is this computer's own caution, and no verdict: no other member learns of it,
the change is kept, and each start tries it again in a fresh worker.

A merge that ended the program itself is found in the journal at the next start. The object is then suspect, and its
changes are tried in the same manner.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from app.core import clock, log
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import StoreFault, WorkerUnavailable
from app.store import statements as sql
from app.store.behind import Behind
from app.store.changes import Changes, stored_change
from app.store.database import Database
from app.store.held_changes import HeldChanges
from app.store.journal import Journal
from app.store.judges import Judges
from app.store.known import known_of, place_of
from app.store.pauses import Pauses
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.projection import Projector, Tester
from app.store.rehearsal import CRASH, SLOW, Given, Rehearsal
from app.store.rows import StoredChange
from app.store.settling import Settling
from app.store.suspects import PROGRAM, Suspects
from app.store.verdicts import Verdicts
from sync.client.ports import OpenedChange

P = ParamSpec("P")
T = TypeVar("T")

RETRY_S = 30.0
"""Seconds to wait after the worker could not be started, or the disk refused a write."""
READ_AFTER_S = 1.0
"""Objects are read whole in the worker at least so long after a change."""
READ_SHARE = 50
AT_ONCE = 64
"""How many untried changes of an object are tried in one go."""
DOUBTS = 3
"""How often an object is tried from its first change in one run of the program."""
RETRIED_WITHIN_S, RETRIED_ALL_S = 10.0, 60.0
"""▲ Seconds after which a start tries no more quarantined changes of one object, and of all objects. Otherwise a member
who sends hundreds of slow changes could keep the worker busy for an hour at each start."""


class Trials:
    """Tries others' changes in the worker process before they are merged, and decides which are quarantined (not
    merged). Call `judge` and `run` on the loop. The worker is asked in its own thread, or on the loop about few short
    changes."""

    def __init__(
        self,
        db: Database,
        me: Me,
        kinds: dict[str, Projector],
        projecting: Projecting,
        changes: Changes,
        journal: Journal,
        tester: Tester | None,
        judges: Judges,
        behind: Behind,
        held_changes: HeldChanges,
    ) -> None:
        """Without a `tester` (the worker process) nothing is tried, and all is merged: for tests of the store alone."""
        self.changed: Signal[ObjId] = Signal()
        """An object has more or fewer changes that are held back."""
        self._db = db
        self._me = me
        self._kinds = kinds
        self._projecting = projecting
        self._changes = changes
        self._tester = tester
        self._judges = judges
        self._behind = behind
        self._held_changes = held_changes
        self._settling = Settling(behind)
        self._rehearsal = Rehearsal(db, tester) if tester is not None else None
        self._thread = ThreadPoolExecutor(1, "trials")
        self._asking = asyncio.Lock()
        """One question at a time: held while the worker is asked, in the thread or on the loop."""
        self._in_thread: Future[Any] | None = None
        """The last job of the thread. It continues if the task that awaited it was cancelled."""
        self._woken = asyncio.Event()
        self._suspects = Suspects(db, journal, self._quarantine, projecting.taken_out)
        self._untried, self._doubts = dict[ObjId, None](), dict[ObjId, int]()
        self._pauses = Pauses()
        self._read_at, self._read_after_s = 0.0, READ_AFTER_S
        self.stalled = False
        """The worker could not be started: received changes wait, and are tried again."""
        self._listen()

    def _listen(self) -> None:
        self._behind.completed.connect(self._woken.set)
        self._projecting.untried.connect(self._on_untried)
        self._projecting.taken_back.connect(self._on_taken_back)
        self._projecting.taken_out.connect(self._on_untried)  # changes that build on it are judged again
        self._changes.appended.connect(self._on_appended)

    def prepare(self) -> None:
        """Notes which objects an earlier run was merging when it ended, and which have changes that were not tried
        (merged in the worker process first) yet. Called at opening, before any merge."""
        self._suspects.prepare()
        self._untried = dict.fromkeys(obj for (obj,) in self._db.rows(sql.OBJECTS_WITH, (sql.UNTRIED,)))

    def close(self) -> None:
        """Ends the worker process, and with it a running trial. A second call does nothing."""
        if self._tester is not None:
            self._tester.close()
        self._thread.shutdown()

    async def warm(self) -> None:
        """Starts the worker process, in which others' changes are tried, before the first change needs it. If it cannot
        be started, nothing is raised: the first change reports that."""
        if self._tester is not None:
            with contextlib.suppress(WorkerUnavailable):
                await self._apart(self._tester.start)

    # -- received changes -----------------------------------------------------------------------------------------

    async def judge(
        self, room: RoomId, changes: Sequence[OpenedChange], verdicts: Verdicts
    ) -> Collection[tuple[ObjId, Uid, ChangeId]]:
        """Tries a room's newly received changes, and stored ones that waited for them, in the worker. `verdicts`: the
        judges' verdicts on them. Returns those that may be merged at once, as (object, author, change id): of an object
        all or none (none if it has untried changes or ended the worker before). The other changes of objects that merge
        must be stored as untried, also if the worker cannot start. Objects that do not merge are not tried."""
        self._settling.note_received()
        by_obj: dict[ObjId, list[Given]] = {}
        for c in self._new(room, changes):
            if c.obj not in verdicts.merged or not c.dev or c.baseline:
                by_obj.setdefault(c.obj, []).append(Given(c.uid, c.change_id, c.payload))
        for obj, merged in verdicts.merged.items():
            if merged:
                by_obj.setdefault(obj, []).extend(Given(p.uid, p.change_id, p.data) for p in merged)
        passed: set[tuple[ObjId, Uid, ChangeId]] = set()
        for obj, given in by_obj.items():
            kind = self._merging(obj)
            if kind is None or self._rehearsal is None:
                continue
            if obj in self._untried or obj in self._suspects or obj in verdicts.stale or obj in verdicts.deferred:
                continue  # in their order, one by one
            if self._pauses.has_crashed(obj):
                continue  # ▲ tried in the background: each crash would delay the changes of all other objects
            if self._rehearsal.is_large(obj):
                continue
            try:
                if await self._passes(self._rehearsal, obj, kind, given):
                    passed.update((obj, g.author, g.change_id) for g in given)
            except WorkerUnavailable:
                continue
        return passed

    async def without_worker(self, objs: Collection[ObjId]) -> None:
        """For a store that has no worker process to try changes in: judges these objects, and those begun with a
        snapshot of which every change is here by now, from their first change at once, and merges the changes that
        count. Does nothing in a store with a worker."""
        for obj in objs if self._rehearsal is None else ():
            if (kind := self._merging(obj)) is not None:
                await self._judges.again(obj, kind)
                self._merge_untried(obj)
        for obj in self._behind.complete if self._rehearsal is None else ():
            if (kind := self._merging(obj)) is not None:
                await self._behind.settle(obj, kind)
                self._merge_untried(obj)
                if obj in self._behind:
                    await self._behind.settle(obj, kind)

    def _merge_untried(self, obj: ObjId) -> None:
        self._untried.pop(obj, None)
        rows = self._rows(obj, sql.UNTRIED, sql.MAX_INT)
        with self._db.transaction():
            self._projecting.release(obj, rows)
        if rows:
            self._changes.notify_received(rows)

    def _new(self, room: RoomId, changes: Sequence[OpenedChange]) -> list[OpenedChange]:
        """These changes without this person's own that are stored already: the server sends those back with their
        position, and they are merged. Others' changes are not looked up. All changes in a store without a worker."""
        own = [c for c in changes if c.uid == self._me.uid]
        if not own or self._rehearsal is None:
            return list(changes)
        known = known_of(self._db.rows, room, own)
        return [c for c in changes if c.uid != self._me.uid or place_of(c) not in known.rows]

    def _merging(self, obj: ObjId) -> Projector | None:
        """The kind of the object `obj`, if objects of that kind merge (documents, boards); None for any other."""
        kind = self._kinds.get(self._db.value("SELECT kind FROM objects WHERE obj = ?", (obj,)) or "")
        return kind if kind is not None and kind.merging is not None else None

    async def _passes(self, rehearsal: Rehearsal, obj: ObjId, kind: Projector, given: Sequence[Given]) -> bool:
        """Whether the worker process can merge the changes `given`, and none of them nor all together take too long.
        False also if they end it. Asks on the loop if possible, otherwise in the thread. WorkerUnavailable."""
        async with self._asking:
            if self._in_thread is None or self._in_thread.done():
                passed = await rehearsal.passes_soon(obj, given)
                if passed is not None:
                    return passed
        return await self._apart(rehearsal.passes, obj, kind, given)

    async def _apart(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Runs `act` with these arguments in the trials' thread, after any other question to the worker, and returns
        its result or raises its error."""
        async with self._asking:
            job = self._in_thread = self._thread.submit(partial(act, *given, **named))
            return await asyncio.wrap_future(job)

    def _on_appended(self, change: StoredChange) -> None:
        if self._rehearsal is not None:
            self._rehearsal.note(change.obj, Given.of(change))

    def _on_taken_back(self, obj: ObjId) -> None:
        if self._rehearsal is not None:
            self._rehearsal.weigh(obj)
            self._woken.set()
        self.changed.emit(obj)

    def _on_untried(self, obj: ObjId) -> None:
        self._untried[obj] = None
        self._woken.set()
        self.changed.emit(obj)

    # -- trying again ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled. Tries the quarantined changes (that failed before) once more, then untried changes
        whenever there are some. In a store without a worker it judges and merges at once what an earlier run of the
        program had not come to, and returns."""
        if self._rehearsal is None:
            self._judges.prepare()
            await self.without_worker(self.untried)
            return
        with contextlib.suppress(StoreFault):
            await self._try_quarantined(self._rehearsal)
        while True:
            wait_s: float | None = RETRY_S
            try:
                wait_s = await self._round(self._rehearsal)
            except StoreFault as e:  # ▲ a full disk does not end the trials: it will have room again
                log.store.warning("trials", code=e.code)
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def _round(self, rehearsal: Rehearsal) -> float | None:
        """Tries untried changes of every object that is due once (at most AT_ONCE each), and does the judges'
        background work. Returns how many seconds to wait before the next call, None to wait until something happens."""
        try:
            for obj in self._due():
                await self._resolve(rehearsal, obj)
            await self._read(rehearsal)
        except WorkerUnavailable:
            self._stall(True)
            return RETRY_S
        self._stall(False)
        stored_s = await self._judges.store_idle()
        if self._due():
            return 0.0
        settled_s = await self._settle_one()
        rests = self._pauses.left_s(self._untried)
        read_s = self._read_after_s if rehearsal.unread else None
        return min((s for s in (stored_s, read_s, settled_s, *rests) if s is not None), default=None)

    async def _settle_one(self) -> float | None:
        """Judges one object of which every change is here, but which was begun with a snapshot, from its first change,
        if its time has come (app/store/settling.py). Returns how many seconds to wait for the next one, None if none
        can be judged: there is none, or all have untried changes."""
        left_s = self._settling.left_s()
        if left_s is None or left_s > 0:
            return left_s
        for obj in self._behind.complete:
            kind = self._merging(obj) if obj not in self._untried else None
            if kind is not None:
                await self._behind.settle(obj, kind)
                self.changed.emit(obj)
                return 0.0
        return None

    def _due(self) -> list[ObjId]:
        """Objects whose untried changes may be tried in the worker now: not too large, and no pause after a crash."""
        large = self.large
        return [obj for obj in self._untried if self._pauses.is_over(obj) and obj not in large]

    async def _read(self, rehearsal: Rehearsal) -> None:
        """Has the worker read objects whole that were changed, as opening and indexing will do it in this program.
        Tries an object from its first change if that ends the worker. Takes at most a fiftieth of the time, since a
        keystroke waits for it: before its time it does nothing."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._read_at:
            return
        began = loop.time()
        for obj in rehearsal.unread:
            if not await self._apart(rehearsal.read, obj):
                await self._doubt(rehearsal, obj)
        self._read_after_s = max(READ_AFTER_S, (loop.time() - began) * READ_SHARE)
        self._read_at = loop.time() + self._read_after_s

    def _stall(self, on: bool) -> None:
        if self.stalled != on:
            self.stalled = on
            for obj in list(self._untried):
                self.changed.emit(obj)

    async def _resolve(self, rehearsal: Rehearsal, obj: ObjId) -> None:
        """Tries the next untried changes of an object in their order. Those that pass are merged; the others are
        quarantined (not merged). Of an object that is too large nothing is merged or quarantined. If a change that was
        merged before ends the worker, all changes of the object are tried again instead, DOUBTS times at most; after
        that, the ones tried now are quarantined. ▲ A change that was marked during the trial keeps its mark."""
        kind = self._merging(obj)
        if kind is not None and self._judges.is_due(obj):
            await self._judges.again(obj, kind)
        rows = self._rows(obj, sql.UNTRIED, AT_ONCE)
        if kind is None or not rows:
            self._untried.pop(obj, None)
            self._suspects.clear(obj)
            return
        singly = self._suspects.deaths(obj) > 1
        rows = rows[:1] if singly else rows
        began = asyncio.get_running_loop().time()
        found = await self._apart(rehearsal.one_by_one, obj, kind, [Given.of(row) for row in rows])
        if rehearsal.is_large(obj):
            self.changed.emit(obj)
            return
        if found is None and self._doubts.get(obj, 0) < DOUBTS:  # the changes merged before end the worker already
            await self._doubt(rehearsal, obj)
            return
        tried = list(zip(rows, found or [CRASH] * len(rows), strict=False))  # changes beyond these are still untried
        if any(why in (CRASH, SLOW) for _, why in tried):
            self._pauses.begin(obj, asyncio.get_running_loop().time() - began)
        with self._db.transaction():
            still = self._held_changes.still(rows, sql.UNTRIED)
            passed = [row for row, why in tried if why is None and row.rowid in still]
            for row, why in tried:
                if why is not None and row.rowid in still:
                    self._quarantine(row.rowid, why)
            self._projecting.release(obj, passed)
        if len(still) < len(rows):
            rehearsal.lose(obj)  # the worker may have merged a change that is not merged here
        if passed:
            self._changes.notify_received(passed)
        # The next round asks the store again. Changes received during this trial are untried too, as the object was in
        # doubt; if they were removed from the list here, they would wait until the next start.
        self.changed.emit(obj)

    async def _doubt(self, rehearsal: Rehearsal, obj: ObjId) -> None:
        """Marks every merged change of an object as untried, since one of them ends the worker. All are then tried
        again, beginning with the first."""
        log.store.warning("object-doubted", obj=obj)
        self._doubts[obj] = self._doubts.get(obj, 0) + 1
        with self._db.transaction():
            self._db.conn.execute(sql.HOLD_BETWEEN, (sql.UNTRIED, obj, 0, sql.MAX_INT))
            self._projecting.from_start(obj)
        rehearsal.lose(obj)
        self._on_untried(obj)
        self._changes.taken_back.emit(obj)

    async def _try_quarantined(self, rehearsal: Rehearsal) -> None:
        """Tries each quarantined change alone, each in a fresh worker process: another version of the program, or a
        faster machine, may merge it. The order is random, so that each is tried at some start. Those that ended the
        program stay; those that pass are merged. Stops after RETRIED_ALL_S, for one object RETRIED_WITHIN_S."""
        held_back, spent_s = self._held_changes.quarantined(), dict[ObjId, float]()
        random.shuffle(held_back)
        for held in held_back:
            kind, obj = self._merging(held.change.obj), held.change.obj
            if kind is None or held.why == PROGRAM or spent_s.get(obj, 0.0) > RETRIED_WITHIN_S:
                continue
            if sum(spent_s.values()) > RETRIED_ALL_S:
                return
            began = asyncio.get_running_loop().time()
            try:
                found = await self._apart(rehearsal.alone, obj, kind, Given.of(held.change))
            except WorkerUnavailable:
                return
            spent_s[obj] = spent_s.get(obj, 0.0) + asyncio.get_running_loop().time() - began
            if not found:
                continue
            with self._db.transaction():
                passed = [held.change] if self._held_changes.still([held.change], sql.QUARANTINED) else []
                self._db.conn.executemany("DELETE FROM quarantined WHERE row = ?", [(c.rowid,) for c in passed])
                self._projecting.release(obj, passed)
            if passed:
                self._changes.notify_received(passed)
            else:
                rehearsal.lose(obj)  # marked otherwise during the trial: only the worker has merged it
            self.changed.emit(obj)

    def _quarantine(self, row: int, why: str) -> None:
        """Marks the change with the row id `row` as not to be merged, within the caller's transaction. `why`: the code
        of the reason."""
        log.store.warning("quarantined", why=why)
        conn = self._db.conn
        conn.execute(sql.MARK_UNPROJECTED, (sql.QUARANTINED, row))
        conn.execute(
            "INSERT OR REPLACE INTO quarantined (row, why, since) VALUES (?, ?, ?)", (row, why, clock.now_ms())
        )

    # -- what others ask ------------------------------------------------------------------------------------------

    def noted(self, verdicts: Verdicts) -> None:
        """Called when the verdicts are stored. Emits `changed` for each object of which a change now waits, no longer
        waits, or is void, and has the worker read merged objects whole soon."""
        if self._rehearsal is not None and self._rehearsal.unread:
            self._woken.set()
        for obj, codes in verdicts.codes.items():
            if verdicts.waits.get(obj) or any(code in sql.JUDGED for code in codes.values()):
                self.changed.emit(obj)

    @property
    def untried(self) -> list[ObjId]:
        """Objects with changes that wait for their trial."""
        return list(self._untried)

    @property
    def large(self) -> list[ObjId]:
        """Objects with untried changes that take too long to merge as a whole. Changes that others write in them after
        that is noticed are not merged in this run of the program. Each start tries again, and so does leaving a change
        out of the object."""
        rehearsal = self._rehearsal
        return [obj for obj in self._untried if rehearsal.is_large(obj)] if rehearsal is not None else []

    def waiting(self, obj: ObjId) -> int:
        """How many changes of an object are not tried yet."""
        return int(self._db.value(sql.COUNT_UNTRIED, (obj,)) or 0) if obj in self._untried else 0

    def is_sound(self, obj: ObjId) -> bool:
        """▲ Whether nothing of the object is held back here: no change is untried or quarantined, and it is not
        suspected of ending the program. If not, this device may not make or confirm a snapshot of it, nor a baseline,
        prune or successor: changes would be missing there."""
        return obj not in self._untried and obj not in self._suspects and not self._db.value(sql.IS_HELD, (obj,))

    def _rows(self, obj: ObjId, code: str, limit: int) -> list[StoredChange]:
        return [stored_change(row, self._me.uid) for row in self._db.rows(sql.HELD_OF, (obj, code, limit))]
