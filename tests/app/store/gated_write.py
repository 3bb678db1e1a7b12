# SPDX-License-Identifier: EUPL-1.2
"""Holds the thread that has written a received part, before the part's row names the file."""

import asyncio
import threading

from app.store.cache_files import CacheFiles


class GatedFiles(CacheFiles):
    """The folder of received parts, whose writes end only when `may_end` is set."""

    def __init__(self, files: CacheFiles) -> None:
        super().__init__(files.folder)
        self.written, self.may_end = threading.Event(), threading.Event()

    def write(self, name: str, sealed: bytes) -> None:
        super().write(name, sealed)
        self.written.set()
        self.may_end.wait(30)

    async def until_written(self) -> None:
        await asyncio.to_thread(self.written.wait, 30)
