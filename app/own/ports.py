# SPDX-License-Identifier: EUPL-1.2
"""What the person's own values ask of the rooms in which they are stored. `room.OwnRoom` implements it."""

from collections.abc import Sequence
from typing import Protocol

from app.core.ids import RoomId


class OwnRooms(Protocol):
    """The person's own rooms, in which their own objects are."""

    def rooms(self) -> Sequence[RoomId]:
        """The rooms whose objects are read."""
        ...

    def find(self) -> RoomId | None:
        """The room that is written to; None if there is none."""
        ...

    def is_device(self, dev: str) -> bool:
        """Whether an id in hex is that of one of the person's devices, also of a former one."""
        ...

    async def ensure(self) -> object:
        """Makes a room to write to if there is none; afterwards `find` returns it. SyncError, such as Unreachable while
        offline; StoreFault. NotFound if no further room may be made, or if a room exists that cannot be read now."""
        ...
