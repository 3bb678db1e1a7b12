# SPDX-License-Identifier: EUPL-1.2
"""Destroys objects of rooms for everybody and for good (protocol §5, `destroy`), for an administrator."""

from app.core import clock
from app.core.enums import LinkState
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from sync.client.engine import Engine
from sync.errors import Unreachable

READING = "reading"
"""Not everything that the server has of the room is here yet. It prevents nothing."""


class Destroying:
    """Destroys objects for one account. It needs the server, and waits for it. `changed` is emitted when the connection
    has changed."""

    def __init__(self, engine: Engine, changed: Signal[()]) -> None:
        self._engine = engine
        self.changed = changed

    def refusal(self, room: RoomId) -> str | None:
        """Why this person can destroy nothing in the room now: "forbidden" (no administrator), the code of what stopped
        the room, READING, or "unreachable" (offline); None if they can."""
        found = self._engine.prunes(room).refusal
        is_connected = self._engine.status.state in (LinkState.ONLINE, LinkState.SYNCING)
        return Unreachable.code if found in (None, READING) and not is_connected else found

    def now_ms(self) -> int:
        """The time (ms) by which a month counts as over. ▲ It is the earlier one of this computer's and the server's.
        Otherwise a computer whose clock is ahead would offer to destroy the present month."""
        return min(clock.now_ms(), self._engine.server_now_ms)

    async def destroy(self, room: RoomId, obj: ObjId) -> None:
        """Destroys an object of the room; returns when the server has accepted it and this device has read it. Does
        nothing if it is destroyed already, or if the server has nothing of it. Unreachable; Refused with a refusal or
        the server's code."""
        await self._engine.operations.destroy(room, obj)
