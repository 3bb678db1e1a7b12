# SPDX-License-Identifier: EUPL-1.2
"""▲ Own changes that wait before they are offered in a successor: what they build on has no position there (protocol
§4).

They wait on this device, and are checked again whenever the successor receives a change. After 30 days by this device's
clock the person is asked whether to offer a copy instead, since the author of what is missing may never return. The
answer is stored.

▲ The person is asked at once if another person has used a client of these changes in the successor: there the changes
would be void for ever. The same question is asked about changes that were offered before this was known and are void
already. A copy has clients of its own.
"""

import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.errors import BadChange, NotFound
from app.objects.offering import names_taken, offerable
from app.objects.pieces import unpack
from app.rooms.copying import Copying
from app.store.long_writes import Decided, Progress
from app.store.origins import OriginRow
from app.store.rows import StoredChange
from app.store.store import Store
from sync.trust.room.successor_claim import object_in

ASK_AFTER_MS = 30 * 86_400_000

Copier = Callable[[ObjId, RoomId, ObjId, Progress, Decided], Coroutine[Any, Any, object]]
"""(object in the old room, successor, object in the successor, progress, decided): copies the old object's content on
this device into the successor, as a new object or into the one that continues it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOffer:
    """This person's changes of one object that wait before they can be offered (written once more) in a successor room.
    `obj`: the object in that room; `count`: how many changes wait; `since` (ms): when they began to wait, by this
    device's clock; `asks`: whether the person is to be asked now about a copy. `taken`: another person has used a
    client number that the changes name, so that they can never be offered."""

    obj: ObjId
    kind: str
    title: str
    count: int
    since: int
    asks: bool
    taken: bool = False


class Offers:
    """This person's own changes of stopped rooms that cannot be offered (copied) yet to the rooms that continue those,
    and the person's answers about them."""

    def __init__(self, store: Store) -> None:
        self.changed: Signal[RoomId] = Signal()
        """The waiting changes of a successor have changed, or the person has answered."""
        self.moved: Signal[()] = Signal()
        """A successor that was checked before has received a change: waiting changes may have become ready."""
        self.copiers: dict[str, Copier] = {}
        """By kind. Changes of objects of other kinds never wait."""
        self._store = store
        self._seen: set[RoomId] = set()
        """Successors that were checked in this run of the program, and have received nothing since."""
        self.copying = Copying()
        """The copies that are being made, by successor and object there."""
        store.changes.received.connect(self._on_changes)
        store.changes.positioned.connect(self._on_changes)
        store.trials.changed.connect(self._on_object)

    def due(self, room: RoomId) -> bool:
        """Whether changes wait in the successor `room`, and it may have received something since they were last
        checked."""
        return room not in self._seen and (bool(self._kept(room)) or bool(self._store.origins.refused(room)))

    async def lacking(self, origin: OriginRow, own: Sequence[tuple[StoredChange, ObjId]]) -> set[int]:
        """The rows of those own changes that must not be offered (written again) in a successor now: what they build on
        is not there, their client number belongs to another person there, or a copy was made instead. Stores that they
        wait. `origin` names the successor and the old room.

        `own`: changes of the old room that are not offered yet, or that count for nobody in the successor, each with
        its object there. ▲ The stored answers are read after the last pause. Otherwise an answer that the person gives
        meanwhile would be overwritten, and content would be offered beside its copy.
        """
        self._seen.add(origin.room)
        by_obj: dict[ObjId, list[StoredChange]] = {}
        for change, into in own:
            by_obj.setdefault(into, []).append(change)
        found = {into: await self._held(into, changes) for into, changes in by_obj.items()}
        kept, left, held = self._kept(origin.room), dict[str, Any](), set[int]()
        for into, changes in by_obj.items():
            answer, (rows, taken) = kept.get(into.hex(), {}), found[into]
            if answer.get("copied") or self.copying.is_made(origin.room, into):
                rows = {c.rowid for c in changes}
            if rows:
                now = clock.now_ms()
                fresh = {"old": changes[0].obj.hex(), "since": now, "ask": now + ASK_AFTER_MS}
                kept_now = {**fresh, **answer, "count": len(rows)}
                if taken and not answer.get("taken"):
                    kept_now |= {"taken": True, "ask": now}
                left[into.hex()] = kept_now
                held |= rows
        if left != kept:
            self._keep(origin.room, left)
        return held

    async def _held(self, into: ObjId, changes: Sequence[StoredChange]) -> tuple[set[int], bool]:
        """Checks the own changes of one object, which is `into` in the successor. Returns (the rows of those that must
        not be offered now, because what they build on is not there or a client number that they name belongs to another
        person there; whether one of them names such a number)."""
        found = self._store.objects.get(changes[0].obj)
        if found is None or found.kind not in self.copiers:
            return set(), False
        rows: dict[bytes | int, list[tuple[int, int, bytes]]] = {}
        for change in changes:
            try:
                unpacked = unpack(change.data)
            except BadChange:
                continue
            key = unpacked.group if unpacked.group is not None else change.rowid
            rows.setdefault(key, []).append((unpacked.index, change.rowid, unpacked.update))
        updates = {key: b"".join(update for *_, update in sorted(parts)) for key, parts in rows.items()}
        before = await self._store.judges.known(changes[0].obj)
        there = await self._store.judges.known(into)

        def is_taken(client: int, own: bool) -> bool:
            owner = there.owner(client)
            expected = changes[0].author if own else before.owner(client)
            return owner is not None and expected is not None and owner != expected

        ready = set(offerable(updates, there.has, is_taken))
        held = {key: update for key, update in updates.items() if key not in ready}
        return {row for key in held for _, row, _ in rows[key]}, names_taken(held.values(), is_taken)

    # -- what is shown, and the person's answers

    def held(self, room: RoomId) -> tuple[HeldOffer, ...]:
        """This person's changes that wait to be offered (written again) in the successor `room`, by object, without
        objects of which a copy was made instead."""
        found, now = list[HeldOffer](), clock.now_ms()
        for key, kept in self._kept(room).items():
            old = self._store.objects.get(ObjId(bytes.fromhex(kept["old"])))
            if kept.get("copied") or old is None:
                continue
            asks = kept["ask"] is not None and now >= kept["ask"] and old.kind in self.copiers
            obj = ObjId(bytes.fromhex(key))
            asks = asks and not self.copying.is_made(room, obj)
            found.append(
                HeldOffer(
                    obj=obj, kind=old.kind, title=old.title, count=kept["count"], since=kept["since"], asks=asks,
                    taken=bool(kept.get("taken")),
                )
            )  # fmt: skip
        return tuple(found)

    async def copy(self, room: RoomId, obj: ObjId) -> bool:
        """Puts a copy of the object into the successor `room`, as the person's own content; `obj` is the object there.
        The changes that waited are never offered then. Nor are they while the copy is made, which takes a moment:
        otherwise the same content could be there twice. Returns whether this call made the copy; a second one, also
        while the first still runs, does nothing. NotFound if nothing of the object waited there, or its kind cannot be
        copied. After an error or a cancellation they wait again, unless the copy is completed all the same
        (app/store/long_writes.py). That a copy is made is stored in the transaction that decides it. Otherwise the
        program could end between the two, and the same content would be there twice."""
        key = obj.hex()
        answer = self._kept(room).get(key)
        old = self._store.objects.get(ObjId(bytes.fromhex(answer["old"]))) if answer else None
        copier = self.copiers.get(old.kind) if old is not None else None
        if answer is None or old is None or copier is None or object_in(room, old.room, old.obj) != obj:
            raise NotFound
        if answer.get("copied") or self.copying.is_made(room, obj):
            return False

        def copied() -> None:
            kept = self._kept(room)
            self._store_kept(room, {**kept, key: {**kept.get(key, answer), "copied": True}})

        async def make(progress: Progress) -> None:
            self.changed.emit(room)  # nobody is asked meanwhile
            await copier(old.obj, room, obj, progress, copied)
            copied()  # also if there was nothing to write

        try:
            await self.copying.run(room, obj, old.title, make)
        finally:
            self._move({room})  # changes that were held back meanwhile are checked again
            self.changed.emit(room)
        return True

    def later(self, room: RoomId, obj: ObjId) -> None:
        """Has the question asked again 30 days from now."""
        self._answer(room, obj, clock.now_ms() + ASK_AFTER_MS)

    def refuse(self, room: RoomId, obj: ObjId) -> None:
        """Declines the copy of an object for good: the question is not asked again. The changes that wait are still
        offered once they are ready. `room`: the successor; `obj`: the object there. Does nothing if nothing waits."""
        self._answer(room, obj, None)

    def _answer(self, room: RoomId, obj: ObjId, ask: int | None) -> None:
        kept = self._kept(room)
        if obj.hex() in kept:
            self._keep(room, {**kept, obj.hex(): {**kept[obj.hex()], "ask": ask}})

    def _kept(self, room: RoomId) -> dict[str, dict[str, Any]]:
        """What is stored about the waiting changes of the successor `room` (store/FORMAT.md, `note-offers`), by the
        object's id in hexadecimal digits."""
        found: dict[str, dict[str, Any]] = json.loads(self._store.notes.get(_note(room)) or "{}")
        return found

    def _keep(self, room: RoomId, kept: dict[str, dict[str, Any]]) -> None:
        self._store_kept(room, kept)
        self.changed.emit(room)

    def _store_kept(self, room: RoomId, kept: dict[str, dict[str, Any]]) -> None:
        self._store.notes.set(_note(room), json.dumps(kept) if kept else "")

    def _on_changes(self, changes: Sequence[StoredChange]) -> None:
        self._move({change.room for change in changes})

    def _on_object(self, obj: ObjId) -> None:
        row = self._store.objects.get(obj)
        self._move({row.room} if row is not None else set())

    def _move(self, rooms: set[RoomId]) -> None:
        moved = rooms & self._seen
        self._seen -= moved
        if moved:
            self.moved.emit()


def _note(room: RoomId) -> str:
    return f"offers-{room.hex()}"
