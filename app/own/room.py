# SPDX-License-Identifier: EUPL-1.2
"""Finds or makes the room in which the person's own things are stored: the personal room (decision 0023). The room has
no title, so no list, search or palette shows it."""

from app.core.ids import DevId, RoomId
from app.core.signal import Signal
from app.errors import NotFound
from app.own.model import id_in
from app.personal.service import Personal


class OwnRoom:
    """Finds or makes this person's own room. ▲ A room counts only if this person founded it, and if its genesis says
    that nobody else can ever be a member. Call every method on the event loop."""

    def __init__(self, personal: Personal) -> None:
        self.known: Signal[()] = Signal()
        """Emitted when the room to write to is known or has changed, and, once it is known, when `rooms` has
        changed."""
        self._personal = personal
        self._found, self._counted = self.find(), self.rooms()
        self._end = personal.changed.connect(self._look)

    def close(self) -> None:
        """Stops following the personal room."""
        self._end()

    def rooms(self) -> list[RoomId]:
        """All rooms that count, the oldest first; all of them are read. Usually there is one; two if two devices each
        made one at the same time; [] before one was made."""
        return self._personal.rooms

    def find(self) -> RoomId | None:
        """The room to write to: the oldest one that is not forked (the server has shown two histories of it). None if
        there is none."""
        return self._personal.room

    def is_device(self, dev: str) -> bool:
        """Whether an id in hex is that of a device which the person has or had."""
        ident = id_in(dev)
        return ident is not None and self._personal.has_device(DevId(ident))

    async def ensure(self) -> RoomId:
        """Returns the room to write to, and makes one if there is none. SyncError, such as Unreachable while offline;
        StoreFault. NotFound if no further room may be made, or if a room exists that cannot be read now."""
        await self._personal.found()
        room = self.find()
        if room is None:
            raise NotFound
        return room

    def _look(self) -> None:
        before = self._found, self._counted
        self._found, self._counted = self.find(), self.rooms()
        if self._found is not None and (self._found, self._counted) != before:
            self.known.emit()
