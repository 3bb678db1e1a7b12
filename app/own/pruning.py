# SPDX-License-Identifier: EUPL-1.2
"""Prunes the person's own rooms once a day: the server deletes old changes that a snapshot replaces. In other rooms an
administrator starts this (app/rooms/pruning.py)."""

import asyncio
from collections.abc import Callable, Sequence

from app.core import log
from app.core.enums import LinkState
from app.core.ids import RoomId
from app.errors import StoreFault
from sync.client.engine import Engine
from sync.errors import SyncError

FIRST_S = 600.0
"""Seconds from the start to the first attempt: a program that has just been started has more urgent work."""
EVERY_S = 86_400.0
"""Seconds from a successful attempt to the next."""
AGAIN_S = 3600.0
"""Seconds from a failed attempt to the next, for example while offline."""


class OwnPruning:
    """Prunes the person's own rooms. Keep `run` running until it is cancelled."""

    def __init__(self, rooms: Callable[[], Sequence[RoomId]], engine: Engine) -> None:
        """`rooms` returns the person's own rooms."""
        self._rooms = rooms
        self._engine = engine

    async def run(self) -> None:
        """Runs until cancelled. Prunes the rooms once a day while the program runs. Errors are logged, and the next
        attempt follows after an hour."""
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = EVERY_S if await self._cleared() else AGAIN_S

    async def _cleared(self) -> bool:
        """Tries to prune all rooms. Returns whether that succeeded, also if there was nothing to prune."""
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
        """Prunes the rooms now. Returns the number of objects whose old changes the server deletes. A snapshot that
        this device has not attested is replayed and attested in the background; the next call prunes behind it.
        SyncError, such as Unreachable while offline; StoreFault."""
        count = 0
        for room in self._rooms():
            count += await self._engine.own_rooms.prune(room)
        return count
