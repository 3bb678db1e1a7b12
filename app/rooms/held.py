# SPDX-License-Identifier: EUPL-1.2
"""Changes of a room's objects that this computer holds back, or that an administrator had left out: who wrote them, and
what a person can do about them. Holding back is this computer's own caution; no other member learns of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core import clock
from app.core.ids import ChangeId, ObjId, RoomId
from app.core.signal import Signal
from app.errors import NotFound
from app.people.person import Person
from app.people.service import PeopleService
from app.rooms.copying import Copying
from app.rooms.service import RoomService
from app.store.left_out import LEAVE_OUT
from app.store.long_writes import Progress
from app.store.rows import StoredChange
from app.store.store import Store

Copier = Callable[[ObjId, Progress], Coroutine[Any, Any, ObjId]]
"""Makes a new object with the content of the given one on this device, and returns its id. Each kind has its own."""

SHOWN_FOR_MS = 7 * 86_400_000
"""How long a room shows that something was left out of one of its objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChange:
    """A change of a document or board that is not merged here, written at `t` (server time, ms). `void`: it breaks the
    rules of its format and counts for nobody, and `why` is the code of the rule. Otherwise this computer holds it back,
    and `why` is "crash" (at its trial in another process that process ended or did not answer), "failed" (it could not
    be merged), "slow" (merging it takes too long) or "program" (this program ended at it several times). `row`: its row
    in this store; the rows below that give the object as it was before."""

    obj: ObjId
    kind: str
    title: str
    author: Person
    change: ChangeId
    t: int
    why: str
    row: int
    void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutChange:
    """A change by `author` that the administrator `by` had left out of the object with this `title`, at `t` ms (the
    server's)."""

    title: str
    author: Person
    by: Person
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingChanges:
    """How many changes of one person in one object wait, because they build on changes which are not in the room
    yet."""

    title: str
    author: Person
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidChanges:
    """How many changes of `author` in the object with this `title` are void: they break the rules of their format and
    count for nobody."""

    title: str
    author: Person
    count: int


class HeldBack:
    """Lists the changes of an account's rooms that are not merged on this computer, or that an administrator had left
    out, and offers what a person can do about them."""

    def __init__(self, store: Store, people: PeopleService, rooms: RoomService) -> None:
        self.changed: Signal[RoomId] = Signal()
        """A room in which more or fewer changes are held back or left out than before."""
        self.copiers: dict[str, Copier] = {}
        self._store = store
        self._people = people
        self._rooms = rooms
        self.copying = Copying()
        """The copies that are being made."""
        self._end = store.trials.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops following the store."""
        self._end()

    def held(self, room: RoomId) -> tuple[HeldChange, ...]:
        """The changes of the room's documents and boards that are not merged here: first those that this computer holds
        back, then the void ones, which break the rules of their format; each group oldest first. At most
        `held_changes.MOST_VOID` void ones are listed, the oldest; `void` counts all of them."""
        held = [(q.change, q.why) for q in self._store.held_changes.quarantined() if q.change.room == room]
        changes = [self._of(change, why, void=False) for change, why in held]
        changes += [self._of(change, why, void=True) for change, why in self._store.held_changes.void(room)]
        return tuple(change for change in changes if change is not None)

    def _of(self, change: StoredChange, why: str, *, void: bool) -> HeldChange | None:
        row = self._store.objects.get(change.obj)
        if row is None:
            return None
        return HeldChange(
            obj=row.obj,
            kind=row.kind,
            title=row.title,
            author=self._people.person(change.author),
            change=change.change_id,
            t=change.t,
            why=why,
            row=change.rowid,
            void=void,
        )

    def void(self, room: RoomId) -> tuple[VoidChanges, ...]:
        """Counts the void changes of the room's documents and boards, by object and author. They break the rules of
        their format; the verdict is the same for every member."""
        return tuple(
            VoidChanges(title=title, author=self._people.person(uid), count=count)
            for title, uid, count in self._store.held_changes.void_counts(room)
        )

    def waiting(self, room: RoomId) -> tuple[WaitingChanges, ...]:
        """Counts the room's changes, by object and author, that wait because they build on changes which are not in the
        room yet. They wait for every member."""
        return tuple(
            WaitingChanges(title=title, author=self._people.person(uid), count=count)
            for title, uid, count in self._store.held_changes.late(room)
        )

    def left_out(self, room: RoomId) -> tuple[LeftOutChange, ...]:
        """The changes that administrators had left out of the room's objects within the last SHOWN_FOR_MS, oldest
        first."""
        since, found = clock.now_ms() - SHOWN_FOR_MS, []
        for event in self._store.rooms_list.events(room):
            row = self._store.objects.get(event.obj) if event.obj is not None else None
            if event.kind == LEAVE_OUT and event.t >= since and row is not None and event.subject is not None:
                author, by = self._people.person(event.subject), self._people.person(event.by)
                found.append(LeftOutChange(title=row.title, author=author, by=by, t=event.t))
        return tuple(found)

    def stalled(self, room: RoomId) -> bool:
        """Whether changes of the room wait because the process in which changes are tried cannot be started on this
        computer."""
        return self._store.trials.stalled and any(
            row is not None and row.room == room for row in map(self._store.objects.get, self._store.trials.untried)
        )

    def large(self, room: RoomId) -> tuple[str, ...]:
        """The titles of the room's objects that take too long to merge on this computer. What colleagues write in them
        now is stored and not merged."""
        rows = map(self._store.objects.get, self._store.trials.large)
        return tuple(row.title for row in rows if row is not None and row.room == room)

    def may_leave_out(self, room: RoomId) -> bool:
        """Whether this person may have a change left out for everybody."""
        return self._rooms.is_admin(room) and self._rooms.may_write(room)

    def leave_out(self, room: RoomId, held: HeldChange) -> None:
        """Leaves the change out of its object for every member, from now on. Forbidden if this person is no
        administrator."""
        self._rooms.leave_out(room, held.obj, held.author.uid, held.change)

    def may_copy(self, room: RoomId, held: HeldChange) -> bool:
        """Whether the object of a held change can be copied: its kind can be, this person may write in the room, and no
        copy of it is being made."""
        return held.kind in self.copiers and not self.copying.is_made(room, held.obj) and self._rooms.may_write(room)

    async def copy(self, held: HeldChange) -> ObjId:
        """Makes a new object in the same room with the content that the object of the held change has here, that is,
        without the changes that this computer does not merge. Returns its id. If this is cancelled, or stopped by
        `copying`, before it returns, no object was made, or it is completed all the same (app/store/long_writes.py).
        NotFound if its kind cannot be copied, or if it is gone."""
        copier = self.copiers.get(held.kind)
        if copier is None:
            raise NotFound
        row = self._store.objects.get(held.obj)
        if row is None:
            raise NotFound
        return await self.copying.run(row.room, held.obj, held.title, partial(copier, held.obj))

    def _on_changed(self, obj: ObjId) -> None:
        row = self._store.objects.get(obj)
        if row is not None:
            self.changed.emit(row.room)
