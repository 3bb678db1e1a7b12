# SPDX-License-Identifier: EUPL-1.2
"""Ends a request in which too few bytes move. The limit is on progress, not on total time: a large part on a slow line
may take long."""

import asyncio
from types import TracebackType

from sync.errors import TooSlow, Unreachable

WINDOW_S = 60.0
WINDOW_BYTES = 128 * 1024
"""At least so many bytes have to move in each window, which is 2 KiB/s: a part of 4 MiB takes at most 33 minutes."""


class Pace:
    """Ends one HTTP request that makes too little progress; used as an asynchronous context around the request. ▲
    Otherwise a server that sends one byte a second could hold a transfer for ever, since each byte starts the time
    limit of a single read again.

    Raises TooSlow where bytes moved but fewer than `window_bytes` within `window_s`, and Unreachable where none did.
    """

    def __init__(self, window_s: float = WINDOW_S, window_bytes: int = WINDOW_BYTES) -> None:
        self._window_s, self._window_bytes = window_s, window_bytes
        self._moved = 0
        self._limit = asyncio.timeout(window_s)

    async def __aenter__(self) -> "Pace":
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError as e:
            raise (TooSlow if self._moved else Unreachable)("no progress") from e

    def moved(self, size_bytes: int) -> None:
        """Counts `size_bytes` more bytes of the HTTP request, sent or received. Once the count reaches `window_bytes`,
        it is set to 0 and the next time window of `window_s` begins. Raises nothing itself: a window that passes with
        too few bytes ends the request."""
        self._moved += size_bytes
        if self._moved >= self._window_bytes:
            self.turn()

    def turn(self) -> None:
        """Begins a new time window for the HTTP request, with no bytes counted, for example when everything is sent and
        the server is to answer."""
        self._moved = 0
        self._limit.reschedule(asyncio.get_running_loop().time() + self._window_s)
