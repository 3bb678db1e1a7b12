# SPDX-License-Identifier: EUPL-1.2
"""The room in which the person's own things lie: the personal room (decision 0023). It has no title, so it is in no
list, search or palette."""

from app.core.ids import RoomId
from app.core.signal import Signal
from app.errors import NotFound
from app.personal.service import Personal


class OwnRoom:
    """Finds or makes the room of this person's own. ▲ Only a room counts that this person founded, and whose genesis
    says that nobody else can ever be in it. Call everything on the loop."""

    def __init__(self, personal: Personal) -> None:
        self.known: Signal[()] = Signal()
        """There is a room to write to, and there was none before, or another one."""
        self._personal = personal
        self._found = self.find()
        self._end = personal.changed.connect(self._look)

    def close(self) -> None:
        """Stops following the personal room."""
        self._end()

    def rooms(self) -> list[RoomId]:
        """All rooms that count, to be read: usually one, the oldest first. Two devices that made one at the same time
        made two. [] before one was made."""
        return self._personal.rooms

    def find(self) -> RoomId | None:
        """The room to write to: the oldest one of which the server has not shown two histories (a fork). None if there
        is none."""
        return self._personal.room

    async def ensure(self) -> RoomId:
        """The room to write to; made if there is none. SyncError, such as Unreachable while offline; StoreFault.
        NotFound if no further room may be made, or if there is one that cannot be read now."""
        await self._personal.found()
        room = self.find()
        if room is None:
            raise NotFound
        return room

    def _look(self) -> None:
        before, self._found = self._found, self.find()
        if self._found is not None and self._found != before:
            self.known.emit()
