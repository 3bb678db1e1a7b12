# SPDX-License-Identifier: EUPL-1.2
"""Clears a room's change history on the server, for an administrator (protocol §7, `prune`).

Documents and boards keep their present state, from a snapshot that colleagues have attested. The single changes behind
it are removed from the server, and stay on the computers that have them. It is not disposal (gallring): everybody can
read the same content as before.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.core.enums import LinkState
from app.core.ids import ChangeId, ObjId, RoomId
from app.people.person import Person
from app.people.service import PeopleService
from app.rooms.baselines import Baselines
from app.store.rows import StoredChange
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.exchange import snapshot_maker
from sync.client.room.prunable import Prunable, RoomPrunes
from sync.errors import Refused, Unreachable

ATTESTERS = 2
SENT_S = 60.0
"""How long the objects' present state may take to reach the server, in seconds."""
LOOK_S = 1.0
TRIES = 3

Progress = Callable[[str, int, int], None]
"""What is being done ("state" or "objects"), objects done, objects in all. Called on the loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunableObject:
    """A document or board whose change history could be cleared on the server. `items`, `size_bytes`: how many changes
    would be removed, and about how many bytes, as stored here. `lacks`: what is missing for that: "snapshot" (a merged
    state that two other people have confirmed), "early" (not before `from_ms`, the server's time), "baseline" (the
    object's present state, which `prune` writes first), or None."""

    obj: ObjId
    kind: str
    title: str
    items: int
    size_bytes: int
    lacks: str | None = None
    from_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """What `prune` would do in a room. `ready`: objects that can be cleared now; `lacking`: those that cannot yet.
    Objects with too few changes to be worth it are in neither. `refusal`: why nothing can be cleared, whatever is
    ready: "forbidden" (no administrator), the code of what stopped the room, "reading" (not everything is here yet), or
    "unreachable" (offline); None if it can. `newcomers`: members who read only from when they
    were added, and who are given the present state of those ready objects that lack it ("baseline"), () if none does;
    `recovery`: so is the agency's recovery. `too_few`: no snapshot (merged state) in this room can be confirmed by two
    other members, as clearing needs, since fewer than three members may read the history."""

    refusal: str | None
    ready: tuple[PrunableObject, ...] = ()
    lacking: tuple[PrunableObject, ...] = ()
    newcomers: tuple[Person, ...] = ()
    recovery: bool = False
    too_few: bool = False


class Pruning:
    """Clears the change history of rooms on the server, for one account. If it is cancelled or fails, what was cleared
    stays cleared; the next attempt does the rest."""

    def __init__(self, store: Store, engine: Engine, people: PeopleService, baselines: Baselines) -> None:
        self._store = store
        self._engine = engine
        self._people = people
        self._baselines = baselines

    def refusal(self, room: RoomId) -> str | None:
        """Why nothing can be cleared in the room now, as in `PrunePlan.refusal`; None if it can."""
        return self._engine.prunes(room).refusal or (None if self._connected else Unreachable.code)

    async def plan(self, room: RoomId) -> PrunePlan:
        """Finds out which objects of the room can be cleared now, and what the others lack. Works offline, and for a
        person who may not clear it: `refusal` in the result says so."""
        found = self._engine.prunes(room)
        objects = await self._objects(room, found)
        ready = tuple(o for o in objects if o.lacks in (None, "baseline"))
        wanted = any(o.lacks == "baseline" for o in ready)
        return PrunePlan(
            refusal=self.refusal(room),
            ready=ready,
            lacking=tuple(o for o in objects if o not in ready),
            newcomers=tuple(self._people.person(uid) for uid in found.alone) if wanted else (),
            recovery=found.recovery and wanted,
            too_few=found.readers <= ATTESTERS,
        )

    async def _objects(self, room: RoomId, found: RoomPrunes) -> list[PrunableObject]:
        """The objects of the room that are worth clearing, with their sizes: latest changed first, then those in the
        trash; [] if this person is no administrator. An object of a kind without snapshots is left out. `found`: what
        the engine says about clearing this room."""
        if found.refusal == "forbidden":
            return []
        rows = [*self._store.objects.all(room), *self._store.objects.all(room, deleted=True)]
        rows = [row for row in rows if self._store.compactor(row.obj) is not None]
        known = {p.obj: p for p in found.objects}
        none = [Prunable(obj=row.obj, after=found.pruned.get(row.obj, 0), lacks="snapshot") for row in rows]
        shared = [known.get(p.obj, p) for p in none]
        sizes = await self._store.snapshots.between([(p.obj, p.after, p.n) for p in shared])
        return [
            PrunableObject(
                obj=row.obj,
                kind=row.kind,
                title=row.title,
                items=items,
                size_bytes=size,
                lacks=p.lacks,
                from_ms=p.from_ms,
            )
            for row, p, (items, size) in zip(rows, shared, sizes, strict=True)
            if row.obj in known or items >= snapshot_maker.EVERY_OPS or size >= snapshot_maker.EVERY_BYTES
        ]

    @property
    def _connected(self) -> bool:
        return self._engine.status.state in (LinkState.ONLINE, LinkState.SYNCING)

    async def prune(self, room: RoomId, progress: Progress) -> tuple[PrunableObject, ...]:
        """Clears the history of the objects that are ready, and returns them. `progress` is called before each step
        with (what is being done: "state" or "objects"; objects done; objects in all). Raises Unreachable; Refused with
        a refusal of `PrunePlan`, with what an object lacks after all, or with the server's code; WorkerUnavailable if
        an object's present state must be written and the worker process cannot be started."""
        before = self._engine.prunes(room).pruned
        plan = await self._settled_plan(room)
        if plan.refusal is not None:
            raise Unreachable("offline") if plan.refusal == Unreachable.code else Refused(plan.refusal)
        total = len(plan.ready)
        lacking = [o.obj for o in plan.ready if o.lacks == "baseline"]
        if lacking:
            progress("state", 0, total)
            await self._give(room, lacking)
        for done, found in enumerate(plan.ready):
            progress("objects", done, total)
            await self._one(room, found.obj, before.get(found.obj, 0))
        progress("objects", total, total)
        return plan.ready

    async def _settled_plan(self, room: RoomId) -> PrunePlan:
        """The plan, made once what the server has announced is read. Made again, at most TRIES times in all, if a
        colleague's change came while it was made. Unreachable or Refused if the announced changes cannot be read."""
        for _ in range(TRIES):
            if self.refusal(room) == "reading":
                await self._engine.operations.settled(room)
            plan = await self.plan(room)
            if plan.refusal != "reading":
                break
        return plan

    async def _one(self, room: RoomId, obj: ObjId, before: int) -> None:
        """Clears one object. If new members need another state first ("baseline"), because of a new key or member,
        writes that and tries again, at most TRIES times in all. `before`: the position up to which the object was
        cleared when this began; if it is cleared further by now, another administrator did it, and nothing is left to
        do. Raises Unreachable, WorkerUnavailable, or Refused with what the object lacks or the server's code."""
        for attempt in range(TRIES):
            try:
                await self._engine.operations.prune(room, obj)
                return
            except Refused as e:
                if self._engine.prunes(room).pruned.get(obj, 0) > before:
                    return
                if e.code != "baseline" or attempt == TRIES - 1:
                    raise
            await self._give(room, [obj])

    def _check(self, room: RoomId) -> None:
        """Raises Unreachable while offline, and Refused if this person cannot clear the room. ▲ A former administrator
        is refused here, so that nobody waits for present states that are never sent."""
        if not self._connected:
            raise Unreachable("offline")
        refusal = self._engine.prunes(room).refusal
        if refusal not in (None, "reading"):
            raise Refused(str(refusal))

    async def _give(self, room: RoomId, objs: Iterable[ObjId]) -> None:
        """Writes the present state of these objects under the room's current key, and returns once the server has it.
        An object whose state cannot be made now is skipped. Unreachable if that takes longer than SENT_S; Refused if
        this person cannot clear the room any more; WorkerUnavailable if the worker process cannot be started."""
        waiting: set[ChangeId] = set()
        moved = asyncio.Event()

        def placed(changes: list[StoredChange]) -> None:
            waiting.difference_update(c.change_id for c in changes)
            moved.set()

        end = self._store.changes.positioned.connect(placed)
        try:
            for obj in objs:
                waiting.update(await self._baselines.renew(room, obj))
                await asyncio.sleep(0)
            async with asyncio.timeout(SENT_S):
                while waiting:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await moved.wait()
                    moved.clear()
                    self._check(room)
        except TimeoutError as e:
            raise Unreachable("no reply in time") from e
        finally:
            end()
