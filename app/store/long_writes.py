# SPDX-License-Identifier: EUPL-1.2
"""Writes many changes of one object, all or none, in parts between which the event loop runs.

A copied board has a change for each card, and storing one takes 0.3 ms. One transaction for all of them would hold the
loop for seconds; several would leave half a board after a crash. So the changes are first stored apart from the object
(`long_write_changes`), where nothing reads them. Then one short transaction decides the write: from here on it is
completed. Its changes are moved into the object, some in each turn of the loop. The next start drops what was not
decided, and completes what was.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

from app.core import log
from app.core.ids import ObjId, RoomId, short
from app.errors import DiskFull, StoreFault
from app.store.changes import Changes
from app.store.database import Database

KEPT_AT_ONCE, KEPT_BYTES = 100, 256 * 1024
"""The most changes, and bytes of them together, that one transaction stores apart from the object: 1 ms."""
MOVED_AT_ONCE, MOVED_BYTES = 5, 64 * 1024
"""The most that one transaction moves into the object, with the rows for lists and search: 2 ms."""
AGAIN_S = 60.0
"""Seconds until what the disk has refused to move is tried again."""

Progress = Callable[[int, int, bool], object]
"""`progress(done, total, may_stop)`: how far the work is. `total` 0: it is not known. `may_stop`: nothing is decided
yet, so that a cancellation leaves nothing."""

Decided = Callable[[], object]
"""Called in the transaction that decides a write: what it stores is stored if and only if the write is completed."""

_BEGIN = "INSERT OR REPLACE INTO long_writes (number, kind, room, retires) VALUES (?, ?, ?, ?)"
_KEEP = "INSERT OR REPLACE INTO long_write_changes (number, place, data) VALUES (?, ?, ?)"
_NEXT = "SELECT place, data FROM long_write_changes WHERE number = ? ORDER BY place LIMIT ?"
_DROP = "DELETE FROM long_write_changes WHERE number = ? AND place = ?"
_DROP_SOME = """DELETE FROM long_write_changes WHERE rowid IN
    (SELECT rowid FROM long_write_changes WHERE number = ? LIMIT ?)"""


def no_progress(done: int, total: int, may_stop: bool) -> None:
    """A `Progress` that shows nothing."""


def no_more() -> None:
    """A `Decided` that stores nothing."""


class LongWrites:
    """Writes many changes of one object of the kind `kind`, all or none. `retire` gets (room, object) and puts the
    object into the trash, within the caller's transaction. Lives on the event loop."""

    def __init__(self, db: Database, changes: Changes, kind: str, retire: Callable[[RoomId, ObjId], object]) -> None:
        self._db = db
        self._changes = changes
        self._kind = kind
        self._retire = retire
        self._moving: dict[int, asyncio.Task[None]] = {}
        """By number of a decided write: the task that moves its changes into the object."""
        self._dropping = set[asyncio.Task[None]]()
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def start(self) -> None:
        """Completes what an earlier run of the program has decided, and drops what it has not, in the background. Call
        it once, when the loop runs."""
        for number, obj in self._db.rows("SELECT number, obj FROM long_writes WHERE kind = ?", (self._kind,)):
            if obj is None:
                self._drop(number)
            else:
                self._move(number)

    def close(self) -> None:
        """Stops; the next start completes what is decided. A second call does nothing."""
        for timer in self._timers.values():
            timer.cancel()
        for task in (*self._moving.values(), *self._dropping):
            task.cancel()

    async def write(
        self,
        room: RoomId,
        changes: Sequence[bytes],
        begin: Callable[[], ObjId],
        *,
        retires: ObjId | None = None,
        progress: Progress = no_progress,
    ) -> ObjId:
        """Stores `changes` (encoded) as changes of one object in `room`, in order, all or none. Returns the object's id
        when all are stored. Only as many as MOVED_AT_ONCE are stored in one transaction. Otherwise the write has two
        steps:

        1. All changes are stored apart from the object. If the caller is cancelled or the disk refuses (StoreFault) in
           this step, nothing is left.
        2. One transaction decides the write: it calls `begin`, which returns the object's id and may create the object.
           From then on the object receives the changes one after the other, so others may see it half full. An error or
           a cancellation is still raised to the caller, but the write goes on: at once after a cancellation, after
           AGAIN_S if the disk refuses, and after the next start of the program.

        `retires`: an object of the room that is put into the trash after the last change. `progress` is called after
        each transaction, but not if the write goes on after a restart.
        """
        if next(_parts(changes, MOVED_AT_ONCE, MOVED_BYTES), 0) == len(changes):
            return self._db.again(partial(self._write_here, room, changes, begin, retires))
        number = await self._keep(room, changes, retires, progress)
        try:
            obj = self._db.again(partial(self._decide, number, begin))
        except BaseException:
            self._drop(number)
            raise
        moving = self._move(number, len(changes), progress)
        progress(len(changes), 2 * len(changes), False)  # before the next wait, in which the person may want to stop it
        await asyncio.shield(moving)
        return obj

    def retiring(self, obj: ObjId) -> ObjId | None:
        """The object that a decided write is making, and that puts `obj` into the trash; None if there is none."""
        found = self._db.one("SELECT obj FROM long_writes WHERE retires = ? AND obj IS NOT NULL", (obj,))
        return ObjId(found[0]) if found is not None else None

    async def complete(self, obj: ObjId) -> None:
        """Waits until all that is decided is written in the object. What the disk refused is tried again: StoreFault if
        it still refuses."""
        for (number,) in self._db.rows("SELECT number FROM long_writes WHERE obj = ?", (obj,)):
            await asyncio.shield(self._move(number))

    # ---- before it is decided

    def _write_here(
        self, room: RoomId, changes: Sequence[bytes], begin: Callable[[], ObjId], retires: ObjId | None
    ) -> ObjId:
        with self._db.transaction():
            obj = begin()
            for data in changes:
                self._changes.append(room, obj, data)
            if retires is not None:
                self._retire(room, retires)
        return obj

    async def _keep(self, room: RoomId, changes: Sequence[bytes], retires: ObjId | None, progress: Progress) -> int:
        """Stores the changes apart from the object, durably. Returns the number of the write: a random one, so that one
        whose transaction was rolled back is never another's."""
        number, at = int.from_bytes(os.urandom(7)), 0
        try:
            await self._store(partial(self._db.conn.execute, _BEGIN, (number, self._kind, room, retires)))
            for count in _parts(changes, KEPT_AT_ONCE, KEPT_BYTES):
                rows = [(number, at + i, data) for i, data in enumerate(changes[at : at + count])]
                await self._store(partial(self._db.conn.executemany, _KEEP, rows))
                at += count
                progress(at, 2 * len(changes), True)
            # All is flushed here, in a thread. Otherwise the loop would wait for that when the write is decided.
            await self._db.apart(lambda: None)
        except BaseException:
            self._drop(number)
            raise
        return number

    def _decide(self, number: int, begin: Callable[[], ObjId]) -> ObjId:
        with self._db.transaction() as conn:
            obj = begin()
            conn.execute("UPDATE long_writes SET obj = ? WHERE number = ?", (obj, number))
        return obj

    def _drop(self, number: int) -> None:
        """Deletes, in the background, the changes of a write that was not decided."""
        self._begin(self._dropping.add, self._dropping.discard, self._drop_all(number))

    async def _drop_all(self, number: int) -> None:
        try:
            left = True
            while left:
                left = False

                def drop() -> None:
                    nonlocal left
                    left = self._db.conn.execute(_DROP_SOME, (number, KEPT_AT_ONCE)).rowcount == KEPT_AT_ONCE
                    if not left:
                        self._db.conn.execute("DELETE FROM long_writes WHERE number = ? AND obj IS NULL", (number,))

                await self._db.apart(drop, durable=False)
        except StoreFault as fault:  # the next start drops it
            log.store.warning("long-write-not-dropped", code=fault.code)

    # ---- once it is decided

    def _move(self, number: int, total: int = 0, progress: Progress = no_progress) -> asyncio.Task[None]:
        """The task that moves the changes of a decided write into its object; begun if none runs."""
        task = self._moving.get(number)
        if task is None:
            if (timer := self._timers.pop(number, None)) is not None:
                timer.cancel()  # it would find nothing of a write that is completed by then
            task = self._begin(
                partial(self._moving.__setitem__, number),
                lambda _: self._moving.pop(number, None),
                self._move_all(number, total, progress),
            )
        return task

    async def _move_all(self, number: int, total: int, progress: Progress) -> None:
        room, obj, retires = self._db.rows("SELECT room, obj, retires FROM long_writes WHERE number = ?", (number,))[0]
        done = 0
        try:
            while rows := self._db.rows(_NEXT, (number, MOVED_AT_ONCE)):
                some = rows[: next(_parts([data for _, data in rows], MOVED_AT_ONCE, MOVED_BYTES))]
                await self._store(partial(self._move_some, number, room, obj, some))
                done += len(some)
                progress(total + done, 2 * total, False)
                await asyncio.sleep(0)
            self._db.again(partial(self._end, number, room, retires))
        except StoreFault as fault:
            log.store.warning("long-write-waits", code=fault.code, obj=short(obj))
            self._timers[number] = asyncio.get_running_loop().call_later(AGAIN_S, self._move, number)
            raise

    def _move_some(self, number: int, room: RoomId, obj: ObjId, rows: Sequence[tuple[int, bytes]]) -> None:
        for place, data in rows:
            if self._db.conn.execute(_DROP, (number, place)).rowcount:
                self._changes.append(room, obj, data)

    def _end(self, number: int, room: RoomId, retires: bytes | None) -> None:
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM long_writes WHERE number = ?", (number,))
            if retires is not None:
                self._retire(room, ObjId(retires))

    # ---- both

    async def _store(self, write: Callable[[], object]) -> None:
        """Calls `write` in a transaction that is committed apart, and is not flushed. If the disk is full, gives up
        what can be fetched again and tries once more, as every edit does. `write` writes the same if it is called
        twice."""
        try:
            await self._db.apart(write, durable=False)
        except DiskFull:

            def here() -> None:
                with self._db.transaction():
                    write()

            self._db.again(here)

    def _begin(
        self,
        note: Callable[[asyncio.Task[None]], object],
        forget: Callable[[asyncio.Task[None]], object],
        work: Coroutine[Any, Any, None],
    ) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        note(task)
        task.add_done_callback(forget)
        task.add_done_callback(_note_fault)
        return task


def _note_fault(task: asyncio.Task[None]) -> None:
    """Logs an error of this program, since nobody may wait for the task. The next start completes the write."""
    fault = task.exception() if not task.cancelled() else None
    if fault is not None and not isinstance(fault, StoreFault):
        log.store.exception("long-write", fault)


def _parts(changes: Sequence[bytes], most: int, most_bytes: int) -> Iterator[int]:
    """Into how many changes each the parts are cut: at most `most`, with at most `most_bytes` together, but at least
    one."""
    count = size = 0
    for data in changes:
        if count and (count == most or size + len(data) > most_bytes):
            yield count
            count = size = 0
        count, size = count + 1, size + len(data)
    if count:
        yield count
