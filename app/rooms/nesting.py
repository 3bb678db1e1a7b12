# SPDX-License-Identifier: EUPL-1.2
"""Rooms that belong to other rooms: makes them, ends and repeats links, and finds who was removed from the parent but
not from the child. Which links count is decided in app/rooms/belonging.py."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core import log
from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId, Uid, short
from app.errors import Forbidden, StoreFault
from app.rooms import belonging
from app.rooms.records import ChildLinked, ParentLinked, encode
from app.rooms.service import RoomService, RoomSummary
from app.rooms.unfinished import UnfinishedRooms
from app.store.store import Store
from sync.client.engine import Engine
from sync.errors import Refused, SyncError

_LEFT = """SELECT e.subject, max(e.n), e.t, e.by FROM members m
    JOIN events e ON e.room = ?1 AND e.subject = m.uid AND e.kind = 'rm' AND e.n > ?3
    WHERE m.room = ?2 AND NOT EXISTS (SELECT 1 FROM members i WHERE i.room = ?1 AND i.uid = m.uid)
    AND e.t > coalesce((SELECT max(a.t) FROM events a WHERE a.room = ?2 AND a.subject = m.uid AND a.kind = 'add'), 0)
    GROUP BY e.subject"""
AGAIN_S = 1.0
"""Seconds until `run` looks again at rooms of which this device lacks something."""
SENT_S = 10.0
"""The most seconds that `make` waits before each addition until the server has what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRoom:
    """A room that was made within another. `left_out`: the people who could not be added to it now."""

    room: RoomId
    left_out: tuple[Uid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedFromParent:
    """A member of the room `child` who was removed from its `parent` by another person: at the position `n` of the
    parent, at `t_ms` (the server's time)."""

    child: RoomId
    parent: RoomId
    uid: Uid
    by: Uid
    n: int
    t_ms: int


class Nesting:
    """Which of an account's rooms belong to which, and what the person does about it. Lists follow `RoomService`'s
    signals. Keep `run` running until it is cancelled: it repeats links for members who cannot read their records, and
    writes them in rooms that continue others."""

    def __init__(self, store: Store, engine: Engine, rooms: RoomService) -> None:
        self._store = store
        self._engine = engine
        self._rooms = rooms
        self._unfinished = UnfinishedRooms(store)
        self._online = False
        self._due = {row.room for row in store.rooms_list.all()}
        self._woken = asyncio.Event()
        self._end = store.changed.connect(self.on_room)

    def close(self) -> None:
        """Stops following the store."""
        self._end()

    # -- what belongs to what -------------------------------------------------------------------------------------

    def parents(self) -> dict[RoomId, RoomId]:
        """The parent of each room that belongs to another, of the rooms that this computer has."""
        return belonging.parents(self._store.db)

    def parent(self, room: RoomId) -> RoomSummary | None:
        """The room that `room` belongs to; None if it belongs to none."""
        found = self.parents().get(room)
        return self._rooms.room(found) if found is not None else None

    def children(self, room: RoomId) -> list[RoomSummary]:
        """The rooms that belong to `room` and that this person is in, in the order of their titles. Nobody sees the
        others."""
        found = [self._rooms.room(child) for child, parent in self.parents().items() if parent == room]
        return sorted((child for child in found if not child.left), key=lambda child: child.title.casefold())

    def titles_within(self, room: RoomId) -> list[tuple[RoomId, str]]:
        """The rooms of `children`, each with its title."""
        return [(child.room, child.title) for child in self.children(room)]

    # -- making and ending ----------------------------------------------------------------------------------------

    def may_make(self, room: RoomId) -> bool:
        """Whether this person may make a room within `room`: an administrator of a case room may, while it may be
        written to. A room that belongs to another has no rooms within it. In a room that only claims to belong to
        another, an owner may: `make` takes the claim back."""
        row = self._store.rooms_list.get(room)
        may = self._rooms.is_admin(room) and self._rooms.may_write(room)
        if row is None or not may or row.type is not RoomType.CASE:
            return False
        named = belonging.named_parent(self._store.db, room)
        return named is None or (room not in self.parents() and self._rooms.my_role(room) is Role.OWNER)

    async def make(self, parent: RoomId, title: str, people: Iterable[Uid] = ()) -> MadeRoom:
        """Makes a room within `parent`, with this person as its owner, and adds `people` to it as writers with the
        history. Those who cannot be added now, as when the connection is lost, are named in the answer. Forbidden if
        `may_make` is False. Unreachable while offline, or Refused by the server: nothing has happened then. Forbidden
        also if the person loses the right while the room is made: the room then exists and belongs to none. StoreFault
        if the disk refuses the title, the link or an invitation.

        After a StoreFault, or if the program ended before `people` were added, the room is unfinished: the next call
        with the same parent and title does the rest in that room and makes no second one, if it is within a day and
        nothing was written in the room, unless the room has members who are not among `people`."""
        if not self.may_make(parent):
            raise Forbidden
        people = tuple(people)
        room = await self._take_unfinished(parent, title, people)
        if room is None:
            room = await self._rooms.create(title, RoomType.CASE, lambda made: self._begin(parent, title, made))
        if not self.may_make(parent):  # the right was lost meanwhile: the room stays, and belongs to none
            raise Forbidden
        made = MadeRoom(room=room, left_out=await self._add_all(room, people))
        self._unfinished.forget(room)
        return made

    def _begin(self, parent: RoomId, title: str, room: RoomId) -> None:
        """Links a new room to its parent, and notes it as unfinished, in the transaction that stores its title. Does
        nothing if the person has lost the right meanwhile."""
        if self.may_make(parent):
            self._link(parent, room)
            self._unfinished.note(room, parent, title)

    async def _take_unfinished(self, parent: RoomId, title: str, people: Collection[Uid]) -> RoomId | None:
        """The room that an earlier call with this parent and title has left unfinished. None if there is none, or if it
        may not be written to or does not belong to `parent` any more. ▲ None also if it has a member who is not among
        `people`, by what the server has confirmed. Otherwise a second restricted room with a usual title would be the
        first one, and its people would read what the others write."""
        for room in self._unfinished.of(parent, title):
            if await self._is_usable(room, parent, people):
                return room
            self._unfinished.forget(room)
        return None

    async def _is_usable(self, room: RoomId, parent: RoomId, people: Collection[Uid]) -> bool:
        try:
            await self._engine.operations.confirmed(room)
        except Refused:  # it is stopped, or not known
            return False
        if not self._rooms.may_write(room) or self.parents().get(room) != parent:
            return False
        return {person.uid for person in self._rooms.people_in(room) if not person.is_me}.issubset(people)

    async def _add_all(self, room: RoomId, people: Iterable[Uid]) -> tuple[Uid, ...]:
        """Adds `people` to the room, and returns those who could not be added. Members are skipped."""
        left_out: list[Uid] = []
        for uid in people:
            await self._sent(room)
            try:
                await self._rooms.add(room, uid, Role.WRITER, True)
            except SyncError as e:
                if e.code != "member":
                    log.store.warning("not-added", code=e.code, room=short(room))
                    left_out.append(uid)
        return tuple(left_out)

    def _link(self, parent: RoomId, room: RoomId) -> None:
        with self._store.transaction():
            if belonging.named_parent(self._store.db, parent) is not None:
                self._write(parent, ParentLinked())
            self._write(room, ParentLinked(room=parent))
            self._write(parent, ChildLinked(room=room, on=True))

    async def _sent(self, room: RoomId) -> None:
        """Waits until the server has everything that was written in a room here, at most SENT_S. Otherwise another
        record could come between an addition and its invitation; the invited person's program reads only the first."""
        moved = asyncio.Event()
        end = self._store.waiting_changed.connect(moved.set)
        try:
            async with asyncio.timeout(SENT_S):
                while self._store.unsent(room):
                    moved.clear()
                    await moved.wait()
        except TimeoutError:
            log.store.warning("not-sent-in-time", room=short(room))
        finally:
            end()

    def may_end(self, room: RoomId) -> bool:
        """Whether this person may end the link between `room` and the room that it belongs to: an owner of `room` may,
        and an administrator of its parent. False if it belongs to none."""
        parent = self.parents().get(room)
        return parent is not None and any(self._sides(room, parent))

    def _sides(self, child: RoomId, parent: RoomId) -> tuple[bool, bool]:
        """Whether this person may speak for the child, and for the parent."""
        owns = self._rooms.my_role(child) is Role.OWNER and self._rooms.may_write(child)
        return owns, self._rooms.is_admin(parent) and self._rooms.may_write(parent)

    def end(self, room: RoomId) -> Callable[[], None]:
        """Ends the link between `room` and the room that it belongs to; works offline. Nobody's membership changes.
        Returns a function that links them again. Forbidden if `may_end` is False; StoreFault from either if the disk
        refuses, and then nothing has changed."""
        parent = self.parents().get(room)
        if parent is None or not any(sides := self._sides(room, parent)):
            raise Forbidden
        self._write_link(room, parent, sides, on=False)
        return lambda: self._write_link(room, parent, sides, on=True)

    def former_parents(self, room: RoomId) -> list[RoomSummary]:
        """The rooms that `room` was once linked to, and to which this person can link it again, on the side of one of
        the two rooms or of both; in the order of their titles. [] while `room` belongs to a room, or other rooms to
        it."""
        parents = self.parents()
        if room in parents or room in parents.values():
            return []
        named = belonging.former_parents(self._store.db, room)
        found = [self._rooms.room(each) for each in named if self._has(each) and any(self._unsaid(room, each))]
        return sorted(found, key=lambda each: each.title.casefold())

    def link_again(self, room: RoomId, parent: RoomId) -> Callable[[], None]:
        """Links `room` to `parent` again: writes the record of each of the two rooms for which this person may do so.
        Works offline. The link counts only if both rooms have their record: `parent(room)` shows that. Returns a
        function that undoes it. Forbidden if `parent` is not in `former_parents`. Both functions raise StoreFault if
        the disk refuses, and then nothing has changed."""
        if parent not in [each.room for each in self.former_parents(room)]:
            raise Forbidden
        unsaid, named = self._unsaid(room, parent), belonging.named_parent(self._store.db, room)
        self._write_link(room, parent, unsaid, on=True)

        def take_back() -> None:
            self._write_link(room, parent, unsaid, on=False, named=named)

        return take_back

    def _unsaid(self, child: RoomId, parent: RoomId) -> tuple[bool, bool]:
        """(child, parent): whether the room has no record of the link yet, and this person may write it. Both False if
        `parent` itself names a parent: a link to it would not count."""
        db, (owns, administers) = self._store.db, self._sides(child, parent)
        if belonging.named_parent(db, parent) is not None:
            return False, False
        is_named, names = belonging.names_child(db, parent, child), belonging.named_parent(db, child) == parent
        return owns and not names, administers and not is_named

    def _write_link(
        self, child: RoomId, parent: RoomId, sides: tuple[bool, bool], *, on: bool, named: RoomId | None = None
    ) -> None:
        """Writes the records of both rooms, or of one. `named`: with `on` False, the parent that the child names."""
        with self._store.transaction():
            if sides[0]:
                self._write(child, ParentLinked(room=parent if on else named))
            if sides[1]:
                self._write(parent, ChildLinked(room=child, on=on))

    def _write(self, room: RoomId, record: ChildLinked | ParentLinked) -> None:
        self._store.changes.append(room, ObjId(room), encode(record))

    # -- removals -------------------------------------------------------------------------------------------------

    def also_in(self, room: RoomId, uid: Uid) -> tuple[list[RoomSummary], list[RoomSummary]]:
        """The rooms within `room` that the person `uid` is also a member of: (those that this person owns, and can
        remove them from; the others that this person is in)."""
        found = [child for child in self.children(room) if uid in self._members(child.room)]
        mine = [child for child in found if self._rooms.my_role(child.room) is Role.OWNER]
        return mine, [child for child in found if child not in mine]

    def removed_from_parent(self, room: RoomId) -> list[RemovedFromParent]:
        """The members of `room`, if this person owns it, whom somebody else has removed from the room that it belongs
        to, since it belongs to that one, and who were not added to `room` later."""
        parent = self.parents().get(room)
        record = belonging.counting_record(self._store.db, parent, room) if parent is not None else None
        if parent is None or record is None or self._rooms.my_role(room) is not Role.OWNER:
            return []
        rows = self._store.db.rows(_LEFT, (parent, room, record[1]))
        return [
            RemovedFromParent(child=room, parent=parent, uid=Uid(uid), by=Uid(by), n=n, t_ms=t)
            for uid, n, t, by in rows
            if by != self._engine.uid
        ]

    def _members(self, room: RoomId) -> set[Uid]:
        return {member.uid for member in self._store.rooms_list.members(room)}

    # -- repeating links ------------------------------------------------------------------------------------------

    def on_status(self, *, online: bool) -> None:
        """Notes whether the device is online. `run` writes nothing until the device has been online once: before that
        it does not know what others wrote."""
        self._online |= online
        self._woken.set()

    def on_room(self, room: RoomId) -> None:
        """Notes that something has changed in a room, which `run` then looks at."""
        self._due.add(room)
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. After each change of a room, writes the records of links that it is this person's turn
        to repeat, or to write for a room that continues another. ▲ While this device lacks something of one of the
        rooms, looks again each AGAIN_S. Otherwise a member without the history would never see the link: what completes
        the room may be no change of it. StoreFault is logged; the next change of the room tries again."""
        lacks = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if lacks else None):
                    await self._woken.wait()
            self._woken.clear()
            if not self._online:
                continue
            due, self._due, lacks = self._due, set(), False
            for child, parent in self._named(due):
                try:
                    if not self._tend(child, parent):
                        self._due.add(child)
                        lacks = True
                except StoreFault as e:  # perhaps a full disk
                    log.store.warning("links-not-written", code=e.code)
                await asyncio.sleep(0)  # a link takes 1 to 2 ms in rooms of 500

    def _named(self, due: set[RoomId]) -> list[tuple[RoomId, RoomId]]:
        """(room, the room that it names as its parent) for all that something in the rooms `due` may concern."""
        named = belonging.all_named(self._store.db)
        if not named:
            return []
        olds = {origin.old for origin in self._store.origins.all() if origin.room in due}
        return [(child, parent) for child, parent in named.items() if {child, parent} & due or parent in olds]

    def _tend(self, child: RoomId, parent: RoomId) -> bool:
        """Writes the records that this person's program is to write about the link of `child`, which names `parent`.
        Returns False if this device lacks something of one of the rooms now."""
        if not self._engine.is_whole(child):
            return False
        self._follow_parent(child, parent)
        self._follow_child(child, parent)
        if self._is_turn(child, None, self._owners(child)) and self._is_unread(child, None):
            self._write(child, ParentLinked(room=parent, again=True))
        if not self._has(parent):
            return True
        if not self._engine.is_whole(parent):
            return False
        if self._is_turn(parent, child, self._admins(parent, child)) and self._is_unread(parent, child):
            self._write(parent, ChildLinked(room=child, on=True, again=True))
        return True

    def _follow_parent(self, child: RoomId, parent: RoomId) -> None:
        """Names the successor of `parent` as the parent of `child`, if that one says that `child` belongs to it."""
        if self._first(self._owners(child)) != self._engine.uid:
            return
        for origin in self._store.origins.successors(parent):
            is_there = self._has(origin.room) and belonging.names_child(self._store.db, origin.room, child)
            if is_there and self._engine.may_continue(parent, origin.by):
                self._write(child, ParentLinked(room=origin.room))
                return

    def _follow_child(self, child: RoomId, parent: RoomId) -> None:
        """Says in `parent` that `child` belongs to it, if `child` continues a room that did."""
        db, origin = self._store.db, self._store.origins.of(child)
        if origin is None or not self._has(parent) or not self._engine.is_whole(parent):
            return
        if belonging.names_child(db, parent, child) or belonging.was_named(db, parent, child):
            return
        is_first = self._first(self._admins(parent, child)) == self._engine.uid
        if (
            is_first
            and belonging.names_child(db, parent, origin.old)
            and self._engine.may_continue(origin.old, origin.by)
        ):
            self._write(parent, ChildLinked(room=child, on=True))

    def _has(self, room: RoomId) -> bool:
        """Whether this person is in a room. Reads one row: reading all rooms takes longer than all else here."""
        row = self._store.rooms_list.get(room)
        return row is not None and not row.left

    def _owners(self, room: RoomId) -> list[Uid]:
        return [m.uid for m in self._store.rooms_list.members(room) if m.role is Role.OWNER]

    def _admins(self, parent: RoomId, child: RoomId) -> list[Uid]:
        """The administrators of `parent` who are in `child`: nobody else can know whether a link is to be repeated."""
        inside = self._members(child)
        return [m.uid for m in self._store.rooms_list.members(parent) if m.role >= Role.ADMIN and m.uid in inside]

    def _first(self, people: Sequence[Uid]) -> Uid | None:
        """Of people who could all write a link's record, the one whose program does it, the longest-standing: everybody
        finds the same. None for nobody."""
        return people[0] if people else None

    def _is_turn(self, room: RoomId, child: RoomId | None, able: Sequence[Uid]) -> bool:
        """Whether this person's program repeats the record of `room` about `child`, or with None about its parent: the
        author's program does, or, if the author may not write it any more, that of the first of `able`, the people who
        may."""
        record = belonging.counting_record(self._store.db, room, child)
        if record is None:
            return False
        return (record[0] if record[0] in able else self._first(able)) == self._engine.uid

    def _is_unread(self, room: RoomId, child: RoomId | None) -> bool:
        """Whether a member without the history was added after the newest record of the link."""
        newest = belonging.newest(self._store.db, room, child)
        since = [m.since_n for m in self._store.rooms_list.members(room) if not m.history]
        return newest is not None and any(n > newest for n in since)
