# SPDX-License-Identifier: EUPL-1.2
"""A real HTTP proxy on this machine that only knows CONNECT: `seen`, `wants_name`, `hang_up()`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

ACCEPTING = 5
"""Turns of the loop, at least as many as pass between `accept` and `Proxy.serve`."""


@dataclass
class Proxy:
    """One that listens. `seen`: the "host:port" of each CONNECT."""

    port: int = 0
    seen: list[str] = field(default_factory=list)
    wants_name: bool = False
    answer: bytes = b""
    """Said instead of doing what is asked."""
    _lines: list[asyncio.StreamWriter] = field(default_factory=list)
    _serving: set[asyncio.Task[None] | None] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Everything that goes through it is cut."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.append(writer)
        self._serving.add(asyncio.current_task())
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            writer.close()
            self._serving.discard(asyncio.current_task())

    async def end(self) -> None:
        """Cuts everything that goes through it, a connection that was accepted last too, and waits until that is
        done."""
        for _ in range(ACCEPTING):
            await asyncio.sleep(0)
        while self._serving:
            self.hang_up()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        self.seen.append(target)
        if self.answer:
            writer.write(self.answer)
        elif self.wants_name and "proxy-authorization" not in head.lower():
            writer.write(b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n')
            writer.write(b"Content-Length: 0\r\n\r\n")
        elif method == "CONNECT":
            host, _, port = target.rpartition(":")
            there = await asyncio.open_connection(host, int(port))
            self._lines.append(there[1])
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))
        await writer.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    """Listens until the end. Nobody may connect any more then: a connection that asyncio accepts as its server closes
    is never closed."""
    found = Proxy()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        await found.end()
        server.close()
        await server.wait_closed()
