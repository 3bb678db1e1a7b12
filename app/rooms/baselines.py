# SPDX-License-Identifier: EUPL-1.2
"""The present state of a room's objects, for whoever was added without the history (protocol §7).

Owed from the moment the room's log shows my add, until it lies in the outbox; both are read from the store, so that a
program that ended in between pays at its next start.
"""

import asyncio
from collections.abc import Callable, Sequence

from app.core import log
from app.core.ids import ChangeId, ObjId, RoomId
from app.errors import StoreFault
from app.rooms.records import ObjectAnnounced, RoomNamed, encode
from app.store.rows import ObjectRow
from app.store.store import Store

RETRY_S = 30.0

Baseline = Callable[[ObjId], Sequence[bytes]]


class Baselines:
    """Gives what is owed. `kinds`: an object's present state as changes; a kind that only grows (chat) has none.
    `whole`: whether a room is all here; ▲ else a newcomer would be given a part for the whole."""

    def __init__(self, store: Store, whole: Callable[[RoomId], bool]) -> None:
        self._store = store
        self._whole = whole
        self.kinds: dict[str, Baseline] = {}
        self._woken = asyncio.Event()
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
                if not self._tried(room):
                    failed.add(room)
                await asyncio.sleep(0)
            self._rooms |= failed
            self._woken.clear()
            try:
                async with asyncio.timeout(RETRY_S if failed else None):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _tried(self, room: RoomId) -> bool:
        try:
            if self._store.newcomers.owed(room) is not None and not self._whole(room):
                return False
            self.give(room)
            return True
        except StoreFault as e:
            log.store.warning("baselines-wait", code=e.code)
        except Exception as e:  # a kind's own fault: tried again, never the end
            log.store.exception("baselines", e)
        return False

    def give(self, room: RoomId) -> None:
        """Writes what is owed in a room and that it is given, in one transaction; nothing if nothing is."""
        with self._store.transaction():
            n = self._store.newcomers.owed(room)
            row = self._store.rooms_list.get(room)
            if n is None or row is None:
                return
            root, objects = ObjId(room), self._store.objects.all(room)
            self._append(room, root, encode(RoomNamed(title=row.title, type=row.type)))
            for found in objects:
                if found.obj != root:
                    self._append(room, root, encode(ObjectAnnounced(obj=found.obj, kind=found.kind)))
            for found in objects:
                self._append_state(room, found)
            self._store.newcomers.set_given(room, n)

    def _append_state(self, room: RoomId, found: ObjectRow) -> list[ChangeId]:
        """Writes one object's present state. ▲ Not while a change of it is held back here: until then it is owed."""
        baseline = self.kinds.get(found.kind)
        if baseline is None:
            return []
        if not self._store.trials.is_sound(found.obj):
            self._store.newcomers.owe(found.obj)
            return []
        return [self._append(room, found.obj, data) for data in baseline(found.obj)]

    def renew(self, room: RoomId, obj: ObjId) -> list[ChangeId]:
        """Writes one object's present state again; gives the ids of the changes that carry it. Nothing for an object
        that is not here, or of a kind that has none."""
        found = self._store.objects.get(obj)
        with self._store.transaction():
            return self._append_state(room, found) if found is not None else []

    def pay(self, obj: ObjId) -> None:
        """Gives the state of an object that was held back when newcomers were given the others."""
        found = self._store.objects.get(obj)
        if found is None or not self._store.newcomers.owes(obj) or not self._store.trials.is_sound(obj):
            return
        with self._store.transaction():
            self._store.newcomers.paid(obj)
            self._append_state(found.room, found)

    def _append(self, room: RoomId, obj: ObjId, data: bytes) -> ChangeId:
        return self._store.changes.append(room, obj, data, baseline=True)
