# SPDX-License-Identifier: EUPL-1.2
"""Loads objects into new models, at once or in parts between which the event loop runs. app/objects/live.py calls it,
and holds the open objects."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Generic

from app.core import log
from app.core.ids import ObjId, RoomId, short
from app.core.pieces import driven, finished
from app.errors import NotFound
from app.objects.adapter import Adapter, M
from app.objects.crdt import checking
from app.objects.held import Held
from app.store.changes import Changes
from app.store.objects import Objects
from app.store.rows import StoredChange

LOADED_AT_ONCE = 25
"""Changes that are read, checked and merged in one part: 1.5 ms."""
CHECKED_APART_BYTES = 16 * 1024
"""Longer updates are checked before they are merged, in parts: the check takes 80 ms for each MB."""


@dataclass(slots=True, eq=False)
class _Meanwhile:
    """What has happened to an object since its loading in parts began."""

    received: list[StoredChange] = field(default_factory=list)
    """Changes that are to be merged: also those that were stored before, and whose trial is over now."""
    is_stale: bool = False
    """Something that may have been merged no longer counts."""


class Loading(Generic[M]):
    """Loads objects of one tool. `new` returns an empty one. Holds none of them. Lives on the event loop."""

    def __init__(
        self, changes: Changes, objects: Objects, adapter: Adapter[M], new: Callable[[RoomId, ObjId], Held[M]]
    ) -> None:
        self._changes = changes
        self._objects = objects
        self._adapter = adapter
        self._new = new
        self._running: dict[ObjId, list[_Meanwhile]] = {}

    def at_once(self, obj: ObjId) -> Held[M]:
        """Loads the object `obj` from its cached state and the later changes. Blocks until all is merged. NotFound if
        the store has no object `obj` of the tool's kind."""
        held = self._begin(obj)
        changes = self._changes.of(obj, held.row)
        with self._changes.merging(held.room, obj, changes):
            held.damaged = self._adapter.load(held.model, held.feeder.feed(changes))
        finished(self._adapter.reading(held.model))
        held.note(changes)
        return held

    async def in_parts(self, obj: ObjId) -> Held[M]:
        """Loads the object like `at_once`, in parts of some milliseconds, between which the event loop runs. One part
        is longer: merging the cached state is a single call of the CRDT library, which takes 8 ms for each MB.

        Changes received during the load are in the result's `received`: the caller merges them before the loop runs
        again. If a change is taken back during the load, the object is loaded from scratch. A second call during the
        first loads a second model. A call that is cancelled closes its model."""
        while True:
            meanwhile = _Meanwhile()
            running = self._running.setdefault(obj, [])
            running.append(meanwhile)
            try:
                held = await driven(self._steps(obj))
            finally:
                running.remove(meanwhile)
                if not running:
                    self._running.pop(obj, None)
            if not meanwhile.is_stale:
                held.received = meanwhile.received
                return held
            held.model.close()

    def on_received(self, change: StoredChange) -> None:
        """Notes a received change for the loads of its object that are under way. Call it with each change that is to
        be merged into any object."""
        for meanwhile in self._running.get(change.obj, ()):
            meanwhile.received.append(change)

    def on_taken_back(self, obj: ObjId) -> None:
        """Has the loads of the object that are under way begin from scratch. Call it when a change of the object no
        longer counts."""
        for meanwhile in self._running.get(obj, ()):
            meanwhile.is_stale = True

    def _begin(self, obj: ObjId) -> Held[M]:
        """Returns a new model with the object's cached state, or an empty one if no state is cached or it is damaged.
        NotFound."""
        row = self._objects.get(obj)
        if row is None or row.kind != self._adapter.kind:
            raise NotFound
        held = self._new(row.room, obj)
        cached = self._objects.crdt_state(obj)
        if cached is None:
            return held
        with self._changes.merging(held.room, obj, self._changes.at(cached[0])):
            damaged = self._adapter.load(held.model, [cached[1]])
        if damaged:
            log.store.warning("crdt-state-damaged", obj=short(obj))
            held.model.close()
            return self._new(row.room, obj)
        held.row = cached[0]
        return held

    def _steps(self, obj: ObjId) -> Generator[None, None, Held[M]]:
        cached = self._objects.crdt_state(obj)
        if cached is not None:
            yield  # reading 6 MB takes 5 ms
            yield from checking(cached[1])  # merging it finds it remembered
        held = self._begin(obj)
        is_whole = False
        try:
            while not is_whole:
                yield
                yield from self._merging(held)
                yield from self._adapter.reading(held.model)
                is_whole = not self._changes.of(obj, held.row, 1)
        finally:
            if not is_whole:
                held.model.close()
        return held

    def _merging(self, held: Held[M]) -> Generator[None, None, None]:
        """Merges the changes after the last one that is in the object."""
        while some := self._changes.of(held.obj, held.row, LOADED_AT_ONCE):
            updates = held.feeder.feed(some)
            for update in updates:
                if len(update) > CHECKED_APART_BYTES:
                    yield from checking(update)
            with self._changes.merging(held.room, held.obj, some):
                held.damaged += self._adapter.load(held.model, updates)
            held.note(some)
            yield
