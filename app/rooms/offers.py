# SPDX-License-Identifier: EUPL-1.2
"""▲ What of one's own is not offered in a successor yet, since what it builds on has no position there (protocol §4).

It waits on this device. Whenever something comes to the successor it is looked at again. After 30 days by this device's
own clock the person is asked whether to offer a copy instead: the other person may never come. The answer is kept.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.errors import BadChange, NotFound
from app.objects.offering import offerable
from app.objects.replay import Unpack
from app.store.origins import OriginRow
from app.store.rows import StoredChange
from app.store.store import Store
from sync.trust.succession import object_in

ASK_AFTER_MS = 30 * 86_400_000

Copier = Callable[[ObjId, RoomId, ObjId], object]
"""Makes of an object of the old room, as it stands here, something new in the successor (a room), beside or in the
object that continues it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOffer:
    """Own changes of an object that wait. `obj` is the object in the successor, `since` (ms) when they were first seen
    to wait, `asks` whether it is time to ask for a copy."""

    obj: ObjId
    kind: str
    title: str
    count: int
    since: int
    asks: bool


class Offers:
    """Of one account."""

    def __init__(self, store: Store) -> None:
        self.changed: Signal[RoomId] = Signal()
        """Something more, or less, waits in a successor, or a question was answered."""
        self.moved: Signal[()] = Signal()
        """Something came to a successor that was looked at: what waits may have got what it lacks."""
        self.unpack: dict[str, Unpack] = {}
        """By kind whose objects merge."""
        self.copiers: dict[str, Copier] = {}
        self._store = store
        self._seen: set[RoomId] = set()
        """Successors that were looked at in this run, and to which nothing has come since."""
        store.changes.received.connect(self._on_changes)
        store.changes.positioned.connect(self._on_changes)
        store.trials.changed.connect(self._on_object)

    def due(self, room: RoomId) -> bool:
        """Whether something waits in a successor and may have got what it lacks."""
        return room not in self._seen and bool(self._kept(room))

    async def lacking(self, origin: OriginRow, own: Sequence[tuple[StoredChange, ObjId]]) -> set[int]:
        """Rows of the old room's changes that are not to be offered now, of own ones with their objects in the
        successor. Notes what waits."""
        self._seen.add(origin.room)
        by_obj: dict[ObjId, list[StoredChange]] = {}
        for change, into in own:
            by_obj.setdefault(into, []).append(change)
        kept, left, held = self._kept(origin.room), dict[str, Any](), set[int]()
        for into, changes in by_obj.items():
            answer = kept.get(into.hex(), {})
            rows = await self._held(into, changes)
            if answer.get("copied"):
                rows = {c.rowid for c in changes if not self._store.origins.is_there(origin.room, c)}
            if rows:
                now = clock.now_ms()
                fresh = {"old": changes[0].obj.hex(), "since": now, "ask": now + ASK_AFTER_MS}
                left[into.hex()] = {**fresh, **answer, "count": len(rows)}
                held |= rows
        if left != kept:
            self._keep(origin.room, left)
        return held

    async def _held(self, into: ObjId, changes: Sequence[StoredChange]) -> set[int]:
        found = self._store.objects.get(changes[0].obj)
        unpack = self.unpack.get(found.kind) if found is not None else None
        if unpack is None:
            return set()
        rows: dict[bytes | int, list[tuple[int, int, bytes]]] = {}
        for change in changes:
            try:
                unpacked = unpack(change.data)
            except BadChange:
                continue
            key = unpacked.group if unpacked.group is not None else change.rowid
            rows.setdefault(key, []).append((unpacked.index, change.rowid, unpacked.update))
        updates = {key: b"".join(update for *_, update in sorted(parts)) for key, parts in rows.items()}
        has = await self._store.judges.knows(into)
        ready = set(offerable(updates, has))
        return {row for key, parts in rows.items() if key not in ready for _, row, _ in parts}

    # -- what is shown, and the answers

    def held(self, room: RoomId) -> tuple[HeldOffer, ...]:
        """What waits in a successor, but for what was copied."""
        found, now = list[HeldOffer](), clock.now_ms()
        for key, kept in self._kept(room).items():
            old = self._store.objects.get(ObjId(bytes.fromhex(kept["old"])))
            if kept.get("copied") or old is None:
                continue
            asks = kept["ask"] is not None and now >= kept["ask"] and old.kind in self.copiers
            obj = ObjId(bytes.fromhex(key))
            found.append(
                HeldOffer(
                    obj=obj, kind=old.kind, title=old.title, count=kept["count"], since=kept["since"], asks=asks
                )
            )  # fmt: skip
        return tuple(found)

    def copy(self, room: RoomId, obj: ObjId) -> None:
        """Offers a copy: the person's own, in the successor. What waited is not offered any more. NotFound."""
        kept = self._kept(room)
        answer = kept.get(obj.hex())
        old = self._store.objects.get(ObjId(bytes.fromhex(answer["old"]))) if answer else None
        copier = self.copiers.get(old.kind) if old is not None else None
        if answer is None or old is None or copier is None or object_in(room, old.room, old.obj) != obj:
            raise NotFound
        copier(old.obj, room, obj)
        self._keep(room, {**kept, obj.hex(): {**answer, "copied": True}})

    def later(self, room: RoomId, obj: ObjId) -> None:
        """The question comes again after another 30 days."""
        self._answer(room, obj, clock.now_ms() + ASK_AFTER_MS)

    def refuse(self, room: RoomId, obj: ObjId) -> None:
        """No copy: it is not asked again. What waits is still offered if what it builds on comes."""
        self._answer(room, obj, None)

    def _answer(self, room: RoomId, obj: ObjId, ask: int | None) -> None:
        kept = self._kept(room)
        if obj.hex() in kept:
            self._keep(room, {**kept, obj.hex(): {**kept[obj.hex()], "ask": ask}})

    def _kept(self, room: RoomId) -> dict[str, dict[str, Any]]:
        """By object of the successor, in hexadecimal digits."""
        found: dict[str, dict[str, Any]] = json.loads(self._store.notes.get(_note(room)) or "{}")
        return found

    def _keep(self, room: RoomId, kept: dict[str, dict[str, Any]]) -> None:
        self._store.notes.set(_note(room), json.dumps(kept) if kept else "")
        self.changed.emit(room)

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
