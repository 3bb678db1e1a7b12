# SPDX-License-Identifier: EUPL-1.2
"""Finds and makes conversations of two: rooms for this person and one other.

The server makes a conversation in two steps: it creates the room, and then adds the other person. Between the steps the
room is noted on the disk. So if the second step fails, or the program ends before it, the next try continues with this
room, and no unused room is left.
"""

import asyncio

from app.core import log
from app.core.enums import Role, RoomType
from app.core.ids import RoomId, Uid
from app.people.person import Person
from app.rooms.records import shown_title
from app.rooms.service import RoomService
from app.store.store import Store
from sync.client.engine import Engine
from sync.errors import Refused


class DirectRooms:
    """Finds and makes the conversations of two of one account. Lives on the event loop."""

    def __init__(self, store: Store, engine: Engine, rooms: RoomService) -> None:
        self._store, self._engine, self._rooms = store, engine, rooms
        self._opening = asyncio.Lock()

    def find(self, uid: Uid) -> RoomId | None:
        """The conversation of two with the person `uid`. If there are several: a pinned one, then the one with the
        latest activity. Rooms that were left, that another room continues, or that have a third member do not count.
        None if there is none."""
        rooms = self._rooms.rooms()
        direct = (r.room for r in rooms if r.type is RoomType.DIRECT and not r.left and not r.replaced)
        return next((r for r in direct if self._others(r) == [uid]), None)

    async def open(self, person: Person) -> RoomId:
        """Returns the conversation of two with a person (`find`), and makes one if there is none. Does not ask the
        server if the room is complete. A second call during the first, also for another person, waits until the first
        has ended.

        Unreachable while offline or if no answer comes; Refused if the server refuses; StoreFault if the disk does.
        After an error the next call completes the room that was made, also after a restart."""
        async with self._opening:
            found, noted = self.find(person.uid), self._noted(person.uid)
            if found is not None and found == noted and not self._rooms.additions.owes(found, person.uid):
                self._note(person.uid, None)
                return found
            if found is not None and found != noted:
                return found
            room = await self._reusable(noted, person) if noted is not None else None
            if room is None:
                room = await self._rooms.create(person.name, RoomType.DIRECT, lambda made: self._note(person.uid, made))
            await self._add(room, person.uid)
            self._note(person.uid, None)
            return room

    async def _reusable(self, room: RoomId, person: Person) -> RoomId | None:
        """Returns `room`, which an earlier call made for `person`. None if it has another title now, this person may
        not write in it, or the room is stopped. ▲ None also if somebody else was added to it meanwhile. Otherwise they
        would read what is written to one person. This computer's copy of the room may be days old, so the server is
        asked first whether there is anything newer."""
        try:
            await self._engine.operations.confirmed(room)
        except Refused:
            return None
        row = self._store.rooms_list.get(room)
        is_named = row is not None and row.title == shown_title(person.name)
        usable = is_named and self._rooms.may_write(room) and not set(self._others(room)) - {person.uid}
        return room if usable else None

    async def _add(self, room: RoomId, uid: Uid) -> None:
        """Adds the person `uid` to the room that was made for them, unless somebody has done so in the room itself."""
        try:
            await self._rooms.add(room, uid, Role.OWNER, True)
        except Refused as error:
            if error.code != "member":
                raise

    def _others(self, room: RoomId) -> list[Uid]:
        return [person.uid for person in self._rooms.people_in(room) if not person.is_me]

    def _noted(self, uid: Uid) -> RoomId | None:
        try:
            found = bytes.fromhex(self._store.notes.get(_name(uid)))
        except ValueError:
            log.store.warning("note-damaged", kind="direct")
            return None
        return RoomId(found) if found else None

    def _note(self, uid: Uid, room: RoomId | None) -> None:
        """Notes the room that was made for the person `uid`, or with None that nothing is left to do in it."""
        self._store.notes.set(_name(uid), room.hex() if room is not None else "")


def _name(uid: Uid) -> str:
    return f"direct-{uid.hex()}"
