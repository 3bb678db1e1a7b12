# SPDX-License-Identifier: EUPL-1.2
"""A queue of keys whose values another device has changed. What follows from the values is stored part by part."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from app.core import log
from app.errors import StoreFault

AT_ONCE = 100
"""The most keys of one part: to compare 100 read marks with their rows takes 2 ms."""
AGAIN_S = 60.0
"""Seconds until the queue goes on after the disk has refused."""


class KeyQueue:
    """Keys under one root, each once, in the order in which they came. `add` has the first part stored at once, and
    `run` the others. ▲ Otherwise a stolen device could write so many values that each start of the person's other
    devices would hold the event loop, also once it is revoked."""

    def __init__(self, store: Callable[[Sequence[str]], int]) -> None:
        """`store`: gets at least one and at most AT_ONCE keys, and returns how many of them it has dealt with, from the
        first on: one at least. If it raises, all of them stay in the queue."""
        self._store = store
        self._left: dict[str, None] = {}
        self._woken = asyncio.Event()

    def add(self, keys: Iterable[str]) -> None:
        """Adds keys at the end and has the first part of the queue stored at once. StoreFault if the disk refuses; all
        keys then stay in the queue, and `run` tries again."""
        self._left |= dict.fromkeys(keys)
        try:
            self._store_some()
        finally:
            if self._left:
                self._woken.set()

    def _store_some(self) -> None:
        part = list(islice(self._left, AT_ONCE))
        for key in part[: self._store(part) if part else 0]:
            del self._left[key]

    async def run(self) -> None:
        """Runs until cancelled. Has the queue stored, part by part; other tasks run between two parts. StoreFault is
        logged, and the queue goes on after AGAIN_S."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                while self._left:
                    await asyncio.sleep(0)
                    self._store_some()
            except StoreFault as e:
                log.store.warning("own-keys", code=e.code)
                await asyncio.sleep(AGAIN_S)
                self._woken.set()
