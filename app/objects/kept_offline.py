# SPDX-License-Identifier: EUPL-1.2
"""Fetches in the background what is missing of the files that are kept offline."""

import asyncio
from collections.abc import Callable

from app.core import log
from app.core.waking import gathered
from app.errors import StoreFault
from app.objects.files import SealedFiles
from sync.errors import SyncError


class KeptOffline:
    """Completes the files that are kept offline whenever the server is connected. `is_online` says whether it is."""

    def __init__(self, files: SealedFiles, is_online: Callable[[], bool]) -> None:
        self._files = files
        self._is_online = is_online
        self._woken = asyncio.Event()
        self._disconnect = files.cache_changed.connect(self._woken.set)

    def on_status(self, *, online: bool) -> None:
        """Call it when the connection has changed: what the server refused before is asked for again."""
        if online:
            self._files.ask_again()
            self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await gathered(self._woken)
            if self._is_online():
                await self._complete()

    async def _complete(self) -> None:
        try:
            await self._files.complete()
        except (SyncError, StoreFault) as e:  # the next connection, or the next change of what is here, tries again
            log.store.info("offline-not-complete", code=e.code)

    def close(self) -> None:
        """Stops listening. A second call does nothing."""
        self._disconnect()
