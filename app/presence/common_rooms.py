# SPDX-License-Identifier: EUPL-1.2
"""The person's rooms with their members, from which the audience of their presence follows, kept in memory.

A room's members are read from the store only after the room has changed, and at most a few rooms in one turn of the
event loop: an audience may be asked for at any moment, and 500 rooms would take 50 ms to read.
"""

import asyncio

from app.core.enums import RoomState
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.presence.audience import Audience, CommonRoom, audience
from app.store.store import Store
from sync.client.engine import Engine

_AT_ONCE = 10
"""Rooms that are read in one turn of the loop: 0.1 ms each."""


class CommonRooms:
    """The audience of one account's presence. Keep `run` running until it is cancelled; before it has read the rooms,
    the audience is smaller or empty."""

    def __init__(self, store: Store, engine: Engine, room_changed: Signal[RoomId]) -> None:
        """`room_changed` is emitted with a room whose members, or the accounts that have written there, changed."""
        self.changed: Signal[()] = Signal()
        """The audience has changed."""
        self._store = store
        self._engine = engine
        self._rooms: dict[RoomId, CommonRoom] = {}
        self._audience: Audience | None = None
        self._changed: set[RoomId] = set()
        self._woken = asyncio.Event()
        self._ends = [room_changed.connect(self._on_room)]

    def close(self) -> None:
        """Stops following the rooms."""
        for end in self._ends:
            end()

    def audience(self) -> Audience:
        """The rooms in which the person's presence is sent, and in which colleagues are asked. Made again only after
        somebody has joined or left a room: 2 ms for 10,000 members of 200 rooms."""
        if self._audience is None:
            self._audience = audience(self._engine.uid, self._rooms.values())
        return self._audience

    async def run(self) -> None:
        """Runs until cancelled. Reads the rooms, and again each that has changed."""
        self._changed.update(row.room for row in self._store.rooms_list.all())
        while True:
            while self._changed:
                for room in list(self._changed)[:_AT_ONCE]:
                    self._changed.discard(room)
                    self._look(room)
                await asyncio.sleep(0)
            if self._audience is None:
                self.changed.emit()
            await self._woken.wait()
            self._woken.clear()

    def _on_room(self, room: RoomId) -> None:
        self._changed.add(room)
        self._woken.set()

    def _look(self, room: RoomId) -> None:
        new = self._read(room)
        if new == self._rooms.get(room):
            return
        self._audience = None
        if new is None:
            self._rooms.pop(room, None)
        else:
            self._rooms[room] = new

    def _read(self, room: RoomId) -> CommonRoom | None:
        row, engine = self._store.rooms_list.get(room), self._engine
        if row is None or row.left or not engine.is_in(room):
            return None
        if engine.room_state(room) is RoomState.WAITING or engine.log_seq(engine.uid) is None:
            return None  # nothing can be encrypted there yet
        members = frozenset[Uid](member.uid for member in self._store.rooms_list.members(room))
        return CommonRoom(room=room, members=members, accepted=engine.speakers(room) & members)
