# SPDX-License-Identifier: EUPL-1.2
"""Gets received parts of files from the cache or the server. Each part is fetched once, however many callers wait."""

import asyncio
from dataclasses import dataclass

from app.store.cached_parts import CachedParts, WantedPart
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.errors import Reject
from sync.trust.room.blob_manifest import most_sealed

AT_ONCE = 3
"""The most parts that are fetched at a time, of all files: 12 MiB of memory. The parts are fetched in the order in
which callers asked."""


@dataclass(slots=True)
class _Flight:
    """A fetch that is under way, and how many callers wait for it."""

    task: "asyncio.Task[bytes]"
    waiting: int = 0


class PartFetches:
    """Returns the encrypted bytes of received parts. Lives on the event loop."""

    def __init__(self, cached: CachedParts, transfers: Transfers) -> None:
        self._cached = cached
        self._transfers = transfers
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._flights: dict[WantedPart, _Flight] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def get(self, wanted: WantedPart) -> bytes:
        """The encrypted bytes of a part, verified by its digest: from the cache, also offline, or from the server, in
        which case they are also kept. ▲ A part that is being fetched already is not fetched again. A cancelled caller
        stops the fetch only if no other caller waits for the part. ▲ Reject "padding" for more bytes than a part of
        its size has; they are not kept. Otherwise a small file that a person keeps offline could fill their disk.
        Refused, Reject and Unreachable as `Blobs.fetch` (sync/client/exchange/blob_transfer.py) raises them;
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
                if len(sealed) > most_sealed(wanted.size):
                    raise Reject("padding", wanted.part.hex())
            except BaseException:
                self._cached.release(wanted.digest)
                raise
            keeping = asyncio.create_task(self._cached.keep(wanted.digest, sealed))
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
            await asyncio.shield(keeping)  # a caller that cancels now does not stop the part from being stored
            return sealed
