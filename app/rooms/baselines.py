# SPDX-License-Identifier: EUPL-1.2
"""Writes the present state of a room's objects for members who were added without the history (protocol §7).

This device owes the state from the moment the room's log shows its add until the state is in the outbox. Both are read
from the store, so a program that ended in between writes the state at its next start.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from app.core import log
from app.core.ids import ChangeId, ObjId, RoomId
from app.errors import WorkerDied, WorldError
from app.rooms.announcements import announcements
from app.rooms.records import ObjectRetired, RoomNamed, encode
from app.store.rows import ObjectRow
from app.store.store import Store

RETRY_S = 30.0
"""Seconds until a room or an object is tried again after a fault."""
LOOK_S = 1.0
"""Seconds until a room that is not complete here is tried again. Nothing wakes `run` when the missing slice is
stored."""

Baseline = Callable[[ObjId], Awaitable[Sequence[bytes]]]


class Baselines:
    """Writes the present state of objects for members who were added without the history, where this device owes it.
    `kinds`: for each kind of objects a function that gets an object's id and gives its state as changes; after an error
    it is called again later. A kind that only grows (chat) has none. `whole` gets a room and returns whether the local
    copy of it is complete. ▲ If it is not, nothing is written: a newcomer would receive a part as if it were all."""

    def __init__(self, store: Store, whole: Callable[[RoomId], bool]) -> None:
        self._store = store
        self._whole = whole
        self.kinds: dict[str, Baseline] = {}
        self._woken = asyncio.Event()
        self._rooms: set[RoomId] = {row.room for row in store.rooms_list.all()}
        self._due: set[ObjId] = set(store.newcomers.owing())
        """Objects whose state is still to be given to newcomers, and of which no change may be held back any more."""

    def wake(self, room: RoomId) -> None:
        """Notes that a member without access to the history may have been added to the room, so that `run` checks
        it."""
        self._rooms.add(room)
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Writes the states that this device owes, first in all rooms of the store, then in each
        room for which `wake` was called."""
        while True:
            self._woken.clear()  # cleared first: a wake-up while a state is made must not be lost
            waits_s = [await self._round(), await self._pay_round()]
            try:
                async with asyncio.timeout(min((s for s in waits_s if s is not None), default=None)):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _round(self) -> float | None:
        """Tries once, in each room for which `wake` was called, to write the states that new members need. Returns the
        seconds to wait before the failed ones are tried again; None if none failed."""
        rooms, self._rooms = self._rooms, set()
        waits_s: list[float] = []
        for room in rooms:
            wait_s = await self._tried(room)
            if wait_s is not None:
                waits_s.append(wait_s)
                self._rooms.add(room)
            await asyncio.sleep(0)
        return min(waits_s, default=None)

    async def _pay_round(self) -> float | None:
        """Tries once to write the states of single objects that new members still need, after the objects had to wait.
        Returns the seconds to wait before the failed ones are tried again; None if none failed."""
        due, self._due = self._due, set()
        waits_s = {obj: wait_s for obj in due if (wait_s := await self._paid(obj)) is not None}
        self._due.update(waits_s)
        return min(waits_s.values(), default=None)

    async def _tried(self, room: RoomId) -> float | None:
        """Writes the present states of a room's objects, if new members without the history still need them from this
        device. Returns the seconds to wait before the next try; None if nothing is left to do."""
        if self._store.newcomers.owed(room) is not None and not self._whole(room):
            return LOOK_S
        return None if await self._done(self.give(room)) else RETRY_S

    async def _done(self, work: Coroutine[None, None, None]) -> bool:
        """Awaits `work`. Returns False, so that it is tried again, after an error of the disk, of the worker process or
        of a kind's function; True if it succeeded."""
        try:
            await work
            return True
        except WorldError as e:
            log.store.warning("baselines-wait", code=e.code)
        except Exception as e:  # a kind's own fault: tried again, never the end
            log.store.exception("baselines", e)
        return False

    async def give(self, room: RoomId) -> None:
        """Makes the states that are owed to new members of a room, then writes them and notes that they are given, in
        one transaction. Does nothing if nothing is owed. If another member was added while the states were made, writes
        nothing and has the room checked again."""
        n = self._store.newcomers.owed(room)
        if n is None:
            return
        states = {found.obj: await self._state(found) for found in self._objects(room)}
        with self._store.transaction():
            row = self._store.rooms_list.get(room)
            if self._store.newcomers.owed(room) != n or row is None:
                self.wake(room)
                return
            root, objects = ObjId(room), self._objects(room)
            self._append(room, root, encode(RoomNamed(title=row.title, type=row.written_type)))
            for record in announcements(self._store, room, objects):
                self._append(room, root, encode(record))
            for found in objects:
                if found.deleted:
                    self._append(room, root, encode(ObjectRetired(obj=found.obj, on=True)))
            for found in objects:  # newcomers can read the changes of an object that was added meanwhile
                self._append_state(room, found, states.get(found.obj, ()))
            self._store.newcomers.set_given(room, n)

    def _objects(self, room: RoomId) -> list[ObjectRow]:
        """The room's objects, those in the trash too: a newcomer could not read one of them when it is restored."""
        return [*self._store.objects.all(room), *self._store.objects.all(room, deleted=True)]

    async def _state(self, found: ObjectRow) -> Sequence[bytes] | None:
        """An object's present state as changes; () for a kind that has none. None if it cannot be made now: a change of
        the object is held back on this device (stored, and not merged, since merging might end the program or take too
        long), or the worker process ended at it. WorkerUnavailable if that process cannot be started."""
        baseline = self.kinds.get(found.kind)
        if baseline is None:
            return ()
        try:
            return await baseline(found.obj) if self._store.trials.is_sound(found.obj) else None
        except WorkerDied as e:
            log.store.warning("no-baseline", code=e.code, obj=found.obj)
            return None

    def _append_state(self, room: RoomId, found: ObjectRow, state: Sequence[bytes] | None) -> list[ChangeId]:
        """Writes one object's `state`, within the caller's transaction, and returns the ids of the changes that it
        consists of. ▲ If it is None, or a change of the object is held back (not merged) on this device, notes instead
        that the state is still owed, and returns []."""
        if found.kind not in self.kinds:
            return []
        if state is None or not self._store.trials.is_sound(found.obj):
            self._store.newcomers.owe(found.obj)
            return []
        return [self._append(room, found.obj, data) for data in state]

    async def renew(self, room: RoomId, obj: ObjId) -> list[ChangeId]:
        """Writes one object's present state again, for members without the history; returns the ids of the changes that
        it consists of. Empty for an object that is not here, or of a kind that has no state. Empty also if the state
        cannot be made now; then it is owed. WorkerUnavailable if the worker process cannot be started."""
        found = self._store.objects.get(obj)
        if found is None:
            return []
        state = await self._state(found)
        with self._store.transaction():
            return self._append_state(room, found, state)

    def pay(self, obj: ObjId) -> None:
        """Notes that it has changed whether changes of an object are held back (kept from being merged on this device).
        If none is any more, and the object's state is still owed to new members, `run` writes it; otherwise nothing
        happens."""
        if self._store.newcomers.owes(obj):
            self._due.add(obj)
            self._woken.set()

    async def _paid(self, obj: ObjId) -> float | None:
        """Writes an object's state if it is owed. Returns the seconds to wait before it is tried again, as while the
        copy of its room is not complete. None also where nothing can be done now: a state that waits for a held-back
        change (one not merged here) is written after the next `pay`, one at which the worker process ended after the
        next start."""
        found = self._store.objects.get(obj)
        if found is None or not self._store.newcomers.owes(obj) or not self._store.trials.is_sound(obj):
            return None
        if not self._whole(found.room):
            return LOOK_S
        return None if await self._done(self._give_one(found)) else RETRY_S

    async def _give_one(self, found: ObjectRow) -> None:
        state = await self._state(found)
        if state is None:
            return
        with self._store.transaction():
            self._store.newcomers.paid(found.obj)
            self._append_state(found.room, found, state)

    def _append(self, room: RoomId, obj: ObjId, data: bytes) -> ChangeId:
        return self._store.changes.append(room, obj, data, baseline=True)
