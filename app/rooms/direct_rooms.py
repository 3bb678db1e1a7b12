# SPDX-License-Identifier: EUPL-1.2
"""The conversations of two: finds the one with a person, and makes it.

A conversation is made in two steps at the server: the room, and the addition of its person. The room is noted on the
disk until the second step is done. So a try that failed, or a program that ended in between, leaves no room that nobody
uses: the next try goes on with it.
"""

import asyncio

from app.core.enums import Role, RoomType
from app.core.ids import RoomId, Uid
from app.people.person import Person
from app.rooms.records import shown_title
from app.rooms.service import RoomService
from app.store.store import Store
from sync.client.engine import Engine
from sync.errors import Refused


class DirectRooms:
    """The conversations of two of one account."""

    def __init__(self, store: Store, engine: Engine, rooms: RoomService) -> None:
        self._store, self._engine, self._rooms = store, engine, rooms
        self._opening = asyncio.Lock()

    def find(self, uid: Uid) -> RoomId | None:
        """The conversation of two with the person `uid`, in which this person can write; the latest if there are
        several. None if there is none: a room that was left, that another continues, or that has a third member, is
        none."""
        rooms = self._rooms.rooms()
        direct = (r.room for r in rooms if r.type is RoomType.DIRECT and not r.left and not r.replaced)
        return next((r for r in direct if self._others(r) == [uid]), None)

    async def open(self, person: Person) -> RoomId:
        """Returns the conversation of two with a person, which is made if there is none. A second call during the first
        waits for it. Returns without the server if there is one already whose person was added and invited here.

        Unreachable while offline or if no answer comes; Refused by the server; StoreFault if the disk refuses it. After
        an error the next call does the rest in the room that was made, also after a restart."""
        async with self._opening:
            found, noted = self.find(person.uid), self._noted(person.uid)
            if found is not None and found == noted and not self._rooms.additions.owes(found, person.uid):
                self._note(person.uid, None)
                return found
            if found is not None and found != noted:
                return found
            room = await self._begun(noted, person) if noted is not None else None
            if room is None:
                room = await self._rooms.create(person.name, RoomType.DIRECT, lambda made: self._note(person.uid, made))
            await self._add(room, person.uid)
            self._note(person.uid, None)
            return room

    async def _begun(self, room: RoomId, person: Person) -> RoomId | None:
        """Returns `room`, which was made for `person`. None if it is not to be used any more: it has another title, it
        may not be written to, or the room is stopped. ▲ None also if somebody else was added to it meanwhile: they
        would read what is written to one person. The server is asked for what is newer than this computer's copy of the
        room, which may be days old."""
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
        found = self._store.notes.get(_name(uid))
        return RoomId(bytes.fromhex(found)) if found else None

    def _note(self, uid: Uid, room: RoomId | None) -> None:
        """Notes the room that was made for the person `uid`, or with None that nothing is left to do in it."""
        self._store.notes.set(_name(uid), room.hex() if room is not None else "")


def _name(uid: Uid) -> str:
    return f"direct-{uid.hex()}"
