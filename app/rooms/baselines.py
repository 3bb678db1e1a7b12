# SPDX-License-Identifier: EUPL-1.2
"""The present state of a room's objects, for whoever was added without the history (protocol §7).

Owed from the moment the room's log shows my add, until it lies in the outbox; both are read from the store, so that a
program that ended in between pays at its next start.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from app.core import log
from app.core.ids import ChangeId, ObjId, RoomId
from app.errors import StoreFault
from app.rooms.records import ObjectAnnounced, RoomNamed, encode
from app.store.rows import ObjectRow
from app.store.store import Store

RETRY_S = 30.0

Baseline = Callable[[ObjId], Awaitable[Sequence[bytes]]]
"""An object's present state as changes. It may take seconds: it is computed before the transaction that writes it."""


class Baselines:
    """Gives what is owed. `kinds`: an object's present state as changes; a kind that only grows (chat) has none.
    `whole`: whether a room is all here; ▲ else a newcomer would be given a part for the whole."""

    def __init__(self, store: Store, whole: Callable[[RoomId], bool]) -> None:
        self._store = store
        self._whole = whole
        self.kinds: dict[str, Baseline] = {}
        self._woken = asyncio.Event()
        self._due: set[ObjId] = set()
        """Objects of which something changed: what newcomers are owed of them may be given now."""
        self._rooms: set[RoomId] = {row.room for row in store.rooms_list.all()}

    def wake(self, room: RoomId) -> None:
        """The room's log may show an add."""
        self._rooms.add(room)
        self._woken.set()

    async def run(self) -> None:
        """Gives what is owed in the rooms of the store, then in those that moved, until cancelled."""
        while True:
            failed = set()
            while self._rooms:
                room = self._rooms.pop()
                if not await self._tried(room):
                    failed.add(room)
                await asyncio.sleep(0)
            due, self._due = self._due, set()
            unpaid = {obj for obj in due if not await self._paid(obj)}
            self._rooms |= failed
            self._due |= unpaid
            self._woken.clear()
            try:
                async with asyncio.timeout(RETRY_S if failed or unpaid else None):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _tried(self, room: RoomId) -> bool:
        try:
            if self._store.newcomers.owed(room) is not None and not self._whole(room):
                return False
            await self.give(room)
            return True
        except StoreFault as e:
            log.store.warning("baselines-wait", code=e.code)
        except Exception as e:  # a kind's own fault: tried again, never the end
            log.store.exception("baselines", e)
        return False

    async def give(self, room: RoomId) -> None:
        """Writes what is owed in a room and that it is given, in one transaction; nothing if nothing is."""
        n = self._store.newcomers.owed(room)
        if n is None:
            return
        states = {found.obj: await self._state(found) for found in self._store.objects.all(room)}
        with self._store.transaction():
            row = self._store.rooms_list.get(room)
            if self._store.newcomers.owed(room) != n or row is None:
                self.wake(room)
                return
            root, objects = ObjId(room), self._store.objects.all(room)
            self._append(room, root, encode(RoomNamed(title=row.title, type=row.type)))
            for found in objects:
                if found.obj != root:
                    self._append(room, root, encode(ObjectAnnounced(obj=found.obj, kind=found.kind)))
            for found in objects:  # one that came meanwhile has a later position, which the newcomer reads
                self._append_state(room, found, states.get(found.obj, ()))
            self._store.newcomers.set_given(room, n)

    async def _state(self, found: ObjectRow) -> Sequence[bytes] | None:
        """None while a change of the object is held back here."""
        baseline = self.kinds.get(found.kind)
        if baseline is None:
            return ()
        return await baseline(found.obj) if self._store.trials.is_sound(found.obj) else None

    def _append_state(self, room: RoomId, found: ObjectRow, state: Sequence[bytes] | None) -> list[ChangeId]:
        """Writes one object's present state. ▲ Not while a change of it is held back here: until then it is owed."""
        if found.kind not in self.kinds:
            return []
        if state is None or not self._store.trials.is_sound(found.obj):
            self._store.newcomers.owe(found.obj)
            return []
        return [self._append(room, found.obj, data) for data in state]

    async def renew(self, room: RoomId, obj: ObjId) -> list[ChangeId]:
        """Writes one object's present state again; gives the ids of the changes that carry it. Nothing for an object
        that is not here, or of a kind that has none."""
        found = self._store.objects.get(obj)
        if found is None:
            return []
        state = await self._state(found)
        with self._store.transaction():
            return self._append_state(room, found, state)

    def pay(self, obj: ObjId) -> None:
        """Gives the state of an object that was held back when newcomers were given the others, soon."""
        if self._store.newcomers.owes(obj):
            self._due.add(obj)
            self._woken.set()

    async def _paid(self, obj: ObjId) -> bool:
        """Gives what is owed of one object, if it can be given now; False to try again later."""
        found = self._store.objects.get(obj)
        if found is None or not self._store.newcomers.owes(obj) or not self._store.trials.is_sound(obj):
            return True
        try:
            state = await self._state(found)
            with self._store.transaction():
                if state is not None and self._store.trials.is_sound(obj):
                    self._store.newcomers.paid(obj)
                    self._append_state(found.room, found, state)
            return True
        except StoreFault as e:
            log.store.warning("baselines-wait", code=e.code)
        except Exception as e:  # a kind's own fault: tried again, never the end
            log.store.exception("baselines", e)
        return False

    def _append(self, room: RoomId, obj: ObjId, data: bytes) -> ChangeId:
        return self._store.changes.append(room, obj, data, baseline=True)
