# SPDX-License-Identifier: EUPL-1.2
"""A D-Bus of one's own, for tests in which a service stands in for the desktop's or the system's."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from jeepney import DBusAddress, message_bus
from jeepney.io.asyncio import DBusConnection, DBusRouter, open_dbus_connection

from tests.patience import PATIENCE_S
from ui.kit.bus import ask

needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no dbus-daemon on this machine")


@contextmanager
def own_bus() -> Iterator[str]:
    """Its address, while it runs."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.kill()  # it has nothing to store, and ends at once


@asynccontextmanager
async def named_on_bus(bus: str, address: DBusAddress) -> AsyncIterator[DBusConnection]:
    """A connection that has the name of a service on the bus "SESSION" or "SYSTEM"."""
    async with asyncio.timeout(PATIENCE_S):
        connection = await open_dbus_connection(bus)
    async with connection:
        async with DBusRouter(connection) as router:
            await ask(router, message_bus.RequestName(address.bus_name))
        yield connection


@asynccontextmanager
async def serving(service: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """The service runs in the block. An error in it is raised at the end."""
    task = asyncio.ensure_future(service)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
