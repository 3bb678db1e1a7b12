# SPDX-License-Identifier: EUPL-1.2
"""One connection's requests when the line breaks under them."""

import asyncio
import contextlib
import gc
from typing import Any

from sync.client.wire.connection import Connection, ServerIdentity
from sync.errors import Unreachable
from sync.protocol import messages as m

WHO = ServerIdentity(bytes(32), bytes(32), m.Signed(b"", b""), b"", b"", 0)


class Breaking:
    """A line that breaks while a frame is on its way out."""

    def __init__(self) -> None:
        self.sending = asyncio.Event()
        self.closed = asyncio.Event()

    async def send(self, data: bytes) -> None:
        self.sending.set()
        await self.closed.wait()
        raise Unreachable("connection lost")

    def send_at_once(self, data: bytes) -> bool:
        return False

    async def receive(self) -> bytes:
        await self.sending.wait()
        raise Unreachable("connection lost")

    async def close(self) -> None:
        self.closed.set()


async def broken() -> None:
    """A request on such a line."""
    connection = Connection(Breaking(), "localhost:443", WHO)
    running = asyncio.create_task(connection.run(lambda frame: None))
    with contextlib.suppress(Unreachable):
        await connection.request(lambda rid: m.BlobToken(rid), m.BlobTokenReply)
        raise AssertionError("it was answered")
    with contextlib.suppress(Unreachable):
        await running


async def test_a_request_that_could_not_be_sent_fails_once_and_leaves_nothing_behind() -> None:
    noted: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: noted.append(context))
    await asyncio.create_task(broken())
    gc.collect()
    await asyncio.sleep(0)
    assert noted == []
