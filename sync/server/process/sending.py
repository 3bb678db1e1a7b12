# SPDX-License-Identifier: EUPL-1.2
"""Writes one connection's frames: all that is queued at once, or later if the client reads too slowly."""

import asyncio
import logging
from collections.abc import Callable

from sync.protocol.messages import ErrorCode
from sync.server.load.flushing import Flushing
from sync.server.load.outbox import Outbox
from sync.server.process.connection_ports import Socket

log = logging.getLogger("sync.server")

_AT_ONCE_BYTES = 64 * 1024
"""About how much is written before it is checked whether the client reads: the high mark of a socket's buffer."""


class Sending:
    """Writes the frames of `outbox` to `socket` as they are queued; `flushing` decides when. `end` is called when
    nothing more can be sent: with None if the client has gone, has read nothing for `stall_s` seconds, or if everything
    was sent after `Outbox.finish`; with the error code "internal" after a fault of this program."""

    def __init__(
        self, outbox: Outbox, socket: Socket, flushing: Flushing, stall_s: float, end: Callable[[str | None], None]
    ) -> None:
        self._outbox = outbox
        self._socket = socket
        self._flushing = flushing
        self._stall_s = stall_s
        self._end = end
        self._waiting: asyncio.Task[None] | None = None
        self._ended = False
        outbox.queued = self._queued
        outbox.write = self.flush

    def flush(self) -> None:
        """Writes what is queued now. If the client reads too slowly, the rest is written once the client has read. Does
        nothing while it waits for that, or after the end. Raises nothing: `end` is called instead."""
        if self._ended or self._waiting is not None:
            return
        try:
            while frames := self._outbox.take(_AT_ONCE_BYTES):
                self._socket.write(frames)
                if not self._socket.writable:
                    self._waiting = asyncio.create_task(self._drained())
                    return
            if self._outbox.has_ended:
                self._stop()
        except ConnectionError:
            self._stop()
        except Exception:
            log.exception("connection failed")
            self._stop(ErrorCode.INTERNAL)

    async def close(self) -> None:
        """Writes nothing more, drops what is queued, and does not call `end`. A second call does nothing."""
        self._ended = True
        self._flushing.drop(self.flush)
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.wait([self._waiting])

    def _queued(self) -> None:
        if not self._ended and self._waiting is None:
            self._flushing.note(self.flush)

    async def _drained(self) -> None:
        """Waits until the client has read enough, and has the rest written. The clock for slow clients runs only
        meanwhile: a timer for each frame would cost as much as a third of its sending."""
        try:
            async with asyncio.timeout(self._stall_s):
                await self._socket.drained()
        except TimeoutError:
            log.info("slow reader cut off, %d bytes waiting", self._outbox.size_bytes)
            self._stop()
        except ConnectionError:
            self._stop()
        else:
            self._waiting = None
            self._queued()

    def _stop(self, code: str | None = None) -> None:
        self._ended = True
        self._end(code)
