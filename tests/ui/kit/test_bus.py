# SPDX-License-Identifier: EUPL-1.2
"""Requests to a D-Bus that are cancelled, over a real connection to a bus that answers when the test says so."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from jeepney import Message, message_bus, new_error, new_method_return
from jeepney.io.asyncio import DBusConnection, DBusRouter

from tests.patience import PATIENCE_S
from tests.world import until
from ui.kit import bus
from ui.kit.bus import ask, open_bus

REQUEST = message_bus.GetId()


class Line:
    """Both ends of a connection to a bus."""

    def __init__(self, router: DBusRouter, far: DBusConnection) -> None:
        self.router, self.far = router, far

    async def begin(self) -> tuple["asyncio.Task[tuple[Any, ...]]", Message]:
        """A request that waits for its reply, and as the bus has it."""
        asking = asyncio.ensure_future(ask(self.router, REQUEST))
        async with asyncio.timeout(PATIENCE_S):
            return asking, await self.far.receive()


async def connection(end: socket.socket) -> DBusConnection:
    return DBusConnection(*await asyncio.open_unix_connection(sock=end))


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    near, far = [await connection(end) for end in socket.socketpair()]
    with suppress(EOFError):  # the test has ended the connection
        async with near, far, DBusRouter(near) as router:
            yield Line(router, far)


async def test_the_reply_is_returned_and_an_error_is_raised(line: Line) -> None:
    asking, received = await line.begin()
    await line.far.send(new_method_return(received, "s", ("å 🙂",)))
    assert await asking == ("å 🙂",)
    asking, received = await line.begin()
    await line.far.send(new_error(received, "org.freedesktop.DBus.Error.ServiceUnknown"))
    with pytest.raises(OSError, match="refused"):
        await asking


async def test_a_bus_that_does_not_answer_is_waited_for_so_long(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "ANSWER_S", 0.01)
    asking, received = await line.begin()
    with pytest.raises(TimeoutError):
        await asking
    monkeypatch.undo()
    await line.far.send(new_method_return(received, "s", ("late",)))
    asking, received = await line.begin()
    await line.far.send(new_method_return(received, "s", ("in time",)))
    assert await asking == ("in time",)


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancellation_is_kept_in_whichever_turn_the_reply_is_received(line: Line, turns: int) -> None:
    """Otherwise a task that belongs to a window would never end."""
    asking, received = await line.begin()
    await line.far.send(new_method_return(received, "s", ("x",)))
    for _ in range(turns):
        await asyncio.sleep(0)
        if asking.done():
            break
    is_late = not asking.cancel()
    result = (await asyncio.gather(asking, return_exceptions=True))[0]
    assert result == ("x",) if is_late else isinstance(result, asyncio.CancelledError)
    asking, received = await line.begin()  # the connection receives still
    await line.far.send(new_method_return(received, "s", ("y",)))
    assert await asking == ("y",)


async def test_a_connection_that_ends_ends_what_waits(line: Line) -> None:
    asking, _ = await line.begin()
    other, _ = await line.begin()
    other.cancel()
    await line.far.close()
    with pytest.raises(EOFError):
        await asking


async def test_a_cancellation_that_opening_drops_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = [await connection(end) for end in socket.socketpair()]

    async def dropping(_bus: str) -> DBusConnection:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        return near

    monkeypatch.setattr(bus, "open_dbus_connection", dropping)
    reached: list[bool] = []

    async def use() -> None:
        async with open_bus("SESSION"):
            reached.append(True)

    task = asyncio.ensure_future(use())
    await asyncio.sleep(0)
    task.cancel()
    await until(task.done)
    assert task.cancelled()
    assert reached == []
    assert await far.reader.read() == b""  # it was closed
    await far.close()
