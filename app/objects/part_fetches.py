# SPDX-License-Identifier: EUPL-1.2
"""Received parts of files: from the cache, or from the server, each once however many ask for it."""

import asyncio
from dataclasses import dataclass

from app.store.cached_parts import CachedParts, WantedPart
from sync.client.exchange.blob_transfer import Blobs as Transfers

AT_ONCE = 3
"""Most parts that are on their way at a time, of all files: 12 MiB of memory. Files take turns, part by part."""


@dataclass(slots=True)
class _Flight:
    """A part on its way, and how many wait for it."""

    task: "asyncio.Task[bytes]"
    waiting: int = 0


class PartFetches:
    """Gives the encrypted bytes of received parts. Lives on the loop."""

    def __init__(self, cached: CachedParts, transfers: Transfers) -> None:
        self._cached = cached
        self._transfers = transfers
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._flights: dict[WantedPart, _Flight] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def get(self, wanted: WantedPart) -> bytes:
        """The encrypted bytes of a part, which have its digest: from the cache, without a network. If they are not
        there, from the server, and then they are kept. ▲ A part that is on its way already is not fetched again. A
        caller that is cancelled ends the fetching only if nobody else waits for the part. The errors of `Blobs.fetch`;
        StoreFault."""
        sealed = await self._cached.read(wanted.digest)
        if sealed is not None:
            return sealed
        flight = self._flights.get(wanted)
        if flight is None:
            flight = self._flights[wanted] = _Flight(asyncio.create_task(self._fetch(wanted)))
            flight.task.add_done_callback(lambda task: self._landed(wanted, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                flight.task.cancel()
                self._flights.pop(wanted, None)

    def _landed(self, wanted: WantedPart, task: "asyncio.Task[bytes]") -> None:
        flight = self._flights.get(wanted)
        if flight is not None and flight.task is task:
            del self._flights[wanted]
        if not task.cancelled():
            task.exception()  # otherwise asyncio reports it as never retrieved, if all callers were cancelled

    async def _fetch(self, wanted: WantedPart) -> bytes:
        async with self._slots:
            self._cached.reserve(wanted)
            try:
                sealed = await self._transfers.fetch(wanted.room, wanted.obj, wanted.part, wanted.digest)
            except BaseException:
                self._cached.release(wanted.digest)
                raise
            keeping = asyncio.create_task(self._cached.keep(wanted.digest, sealed))
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
            await asyncio.shield(keeping)  # cancelled: what came is kept all the same
            return sealed
