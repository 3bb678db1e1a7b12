# SPDX-License-Identifier: EUPL-1.2
"""What of each room rings, which rooms are favourites, and of which nothing is shown on the desktop: on all the
person's devices."""

from app.core.ids import RoomId
from app.own.model import id_in
from app.own.registers import Registers, of_room
from app.own.service import Own
from app.rooms.service import RoomService

FIELDS = ("level", "favourite")
HIDDEN = "hidden"


class RoomWishes:
    """Brings what the person wishes of rooms from the list of rooms to the other devices, and back."""

    def __init__(self, own: Own, rooms: RoomService) -> None:
        self._rooms = rooms
        self._registers = Registers(own, "rooms")
        self._registers.changed.connect(self._take)
        self._end = rooms.wished.connect(self._on_wished)

    def close(self) -> None:
        """Stops following the rooms and the devices."""
        self._end()
        self._registers.close()

    def start(self) -> None:
        """Takes what other devices wished before. Called once a session."""
        self._take(frozenset(self._registers.names()))

    def _on_wished(self, room: RoomId, field: str, wish: str | bool) -> None:
        self._registers.set(of_room(room, field), wish)

    def is_hidden(self, room: RoomId) -> bool:
        """Whether notifications about the room show no content, whatever the settings say."""
        return self._registers.get(of_room(room, HIDDEN)) is True

    def set_hidden(self, room: RoomId, hidden: bool) -> None:
        """Sets `is_hidden` on all devices of the person."""
        self._registers.set(of_room(room, HIDDEN), hidden)

    def _take(self, names: frozenset[str]) -> None:
        """Applies the wishes of these names to the list. One about a room that is not here yet is applied at the next
        start."""
        for name in names:
            key, _, field = name.partition("/")
            room, wish = id_in(key), self._registers.get(name)
            if field in FIELDS and wish is not None and room is not None:
                self._rooms.apply_wish(RoomId(room), field, wish)
