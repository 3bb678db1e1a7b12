# SPDX-License-Identifier: EUPL-1.2
"""Clears the old changes of the person's own rooms on the server, once a day. In other rooms an administrator does it
(app/rooms/pruning.py); of these rooms nobody else knows."""

import asyncio
from collections.abc import Callable, Sequence

from app.core import log
from app.core.enums import LinkState
from app.core.ids import RoomId
from app.errors import StoreFault
from sync.client.engine import Engine
from sync.errors import SyncError

FIRST_S = 600.0
"""After the start: a program that has just been started has more urgent things to do."""
EVERY_S = 86_400.0
AGAIN_S = 3600.0
"""After a time at which nothing could be done, for example while offline."""


class OwnPruning:
    """Has the server delete what snapshots replace in the person's own rooms. Keep `run` running until it is
    cancelled."""

    def __init__(self, rooms: Callable[[], Sequence[RoomId]], engine: Engine) -> None:
        """`rooms` returns the person's own rooms."""
        self._rooms = rooms
        self._engine = engine

    async def run(self) -> None:
        """Runs until cancelled. Clears the rooms once a day while the program runs; errors are logged, and it tries
        again after an hour."""
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = EVERY_S if await self._cleared() else AGAIN_S

    async def _cleared(self) -> bool:
        """Whether all rooms were cleared, or need it not."""
        if self._engine.status.state is not LinkState.ONLINE:
            return False
        try:
            await self.prune()
        except (SyncError, StoreFault) as e:
            log.store.info("own-prune-waits", code=e.code)
            return False
        except Exception as e:  # a fault of ours: tried again, never the end
            log.store.exception("own-prune", e)
            return False
        return True

    async def prune(self) -> int:
        """Clears the rooms now. Returns the number of objects whose old changes the server deletes. A snapshot that
        this device must first confirm is confirmed in the background: the next call clears behind it. SyncError, such
        as Unreachable while offline; StoreFault."""
        count = 0
        for room in self._rooms():
            count += await self._engine.own_rooms.prune(room)
        return count
