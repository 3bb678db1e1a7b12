# SPDX-License-Identifier: EUPL-1.2
"""What of each room rings, which rooms are favourites, and of which nothing is shown on the desktop: on all the
person's devices."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from app.core.ids import RoomId
from app.errors import StoreFault
from app.own.key_queue import KeyQueue
from app.own.model import id_in
from app.own.registers import Registers, of_room
from app.own.service import Own
from app.rooms.service import RoomService

FIELDS = ("level", "favourite")
HIDDEN = "hidden"


class RoomWishes:
    """Brings what the person wishes of rooms from the list of rooms to the other devices, and back."""

    def __init__(self, own: Own, rooms: RoomService) -> None:
        self._own, self._rooms = own, rooms
        self._queue = KeyQueue(self._apply_some)
        self.run = self._queue.run
        """Keep it running until it is cancelled: it applies the wishes of other devices beyond the first 100 of a
        change."""
        self._registers = Registers(own, "rooms")
        self._registers.changed.connect(self._take)
        self._early: dict[RoomId, set[str]] = {}
        """By room that this device does not have yet: the names of the wishes about it."""
        self._ends = [rooms.wished.connect(self._on_wished), rooms.room_changed.connect(self._on_room)]

    def close(self) -> None:
        """Stops following the rooms and the devices."""
        for end in self._ends:
            end()
        self._registers.close()

    def start(self) -> None:
        """Applies the wishes of other devices that are stored: the first 100 now, the rest in `run`. Called once a
        session."""
        self._take(self._own.keys("rooms"))

    def _on_wished(self, room: RoomId, field: str, wish: str | bool) -> None:
        self._registers.set(of_room(room, field), wish)

    def is_hidden(self, room: RoomId) -> bool:
        """Whether notifications about the room show no content, whatever the settings say."""
        return self._registers.get(of_room(room, HIDDEN)) is True

    def set_hidden(self, room: RoomId, hidden: bool) -> None:
        """Sets `is_hidden` on all devices of the person."""
        self._registers.set(of_room(room, HIDDEN), hidden)

    def _take(self, names: Collection[str]) -> None:
        with suppress(StoreFault):  # applied by `run`, or at the next start
            self._queue.add(names)

    def _on_room(self, room: RoomId) -> None:
        if names := self._early.pop(room, None):
            self._take(names)

    def _apply_some(self, names: Sequence[str]) -> int:
        """Applies the wishes of these names to the list, and returns their number, as `KeyQueue` asks. A wish about a
        room that this device does not have yet is applied once it has it: a new device reads the person's own room
        before most others, and what the person has muted must not ring there until the next start."""
        for name in names:
            key, _, field = name.partition("/")
            room = id_in(key) if field in FIELDS else None
            wish = self._registers.get(name) if room is not None else None
            if wish is not None and room is not None and not self._rooms.apply_wish(RoomId(room), field, wish):
                self._early.setdefault(RoomId(room), set()).add(name)
        return len(names)
