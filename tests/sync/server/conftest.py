# SPDX-License-Identifier: EUPL-1.2
"""A running server for the server's tests."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sync.server.process.accepting import Accepting
from sync.server.process.running import start_server
from tests.sync.server.filled import fill
from tests.sync.server.house import House
from tests.sync.server.wire import config, new_data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A founded agency's folder."""
    return new_data(tmp_path / "server")


@pytest.fixture
async def house(data: Path) -> AsyncIterator[House]:
    """A running server and the people who enrol in the test."""
    async with start_server(config(data)) as server:
        made = House(server, data)
        yield made
        await made.close()


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the sockets' send buffers small, so that an unread answer blocks the server before megabytes are sent."""
    real = Accepting._take

    def take(self: Accepting, arrived: socket.socket, peer: object) -> None:
        arrived.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        real(self, arrived, peer)

    monkeypatch.setattr(Accepting, "_take", take)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An undamaged data folder and its room. Tests may only read it."""
    folder = new_data(tmp_path_factory.mktemp("filled") / "server")
    loop = asyncio.new_event_loop()
    try:
        return folder, loop.run_until_complete(fill(folder))
    finally:
        loop.close()


@pytest.fixture
def copied(filled: tuple[Path, bytes], tmp_path: Path) -> Path:
    """A copy of the undamaged folder, which a test may damage."""
    return shutil.copytree(filled[0], tmp_path / "copied")
