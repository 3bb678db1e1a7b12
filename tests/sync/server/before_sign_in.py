# SPDX-License-Identifier: EUPL-1.2
"""Opens connections to a server that do not sign in, and reads the server's answers to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.config import Limits
from sync.server.process.running import start_server
from tests.patience import PATIENCE_S
from tests.sync.server.hostile import Line, line
from tests.sync.server.house import House
from tests.sync.server.wire import config, now

TEXT, BINARY, CONT, PING, PONG = 1, 2, 0, 9, 10


def hello() -> bytes:
    """What a client says first, with the time of now."""
    return encode(m.Hello((WIRE_MIN, WIRE_MAX), bytes(32), now(), "test"))


@asynccontextmanager
async def served(data: Path, limits: Limits, **more: object) -> AsyncIterator[House]:
    async with start_server(replace(config(data, limits), **more)) as server:  # type: ignore[arg-type]
        made = House(server, data)
        yield made
        await made.close()


@asynccontextmanager
async def opened(house: House, count: int) -> AsyncIterator[list[Line]]:
    """So many connections that have finished TLS, in this order."""
    lines: list[Line] = []
    try:
        while len(lines) < count:
            lines.append(await line(house.server.url, house.data))
        yield lines
    finally:
        for each in lines:
            await each.close()


def turned_away(house: House) -> dict[str, float]:
    """How many connections were ended before sign-in, by the reason."""
    family = next(iter(house.server.service.meters._turned_away.collect()))
    return {s.labels["why"]: s.value for s in family.samples if s.name.endswith("_total")}


async def forwarded(house: House, *headers: str) -> Line:
    """A WebSocket through a proxy that names the origin in these headers."""
    made = await line(house.server.url, house.data)
    sent = "".join(f"X-Forwarded-For: {h}\r\n" for h in headers).encode()
    made.writer.write(
        b"GET /v1/sync HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + sent
        + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )  # fmt: skip
    await asyncio.wait_for(made.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    return made


async def message(of: Line) -> bytes:
    """The next message from the server, of any length up to 64 KiB."""
    head = await asyncio.wait_for(of.reader.readexactly(2), PATIENCE_S)
    size = head[1] if head[1] < 126 else int.from_bytes(await of.reader.readexactly(2), "big")
    return await of.reader.readexactly(size)
