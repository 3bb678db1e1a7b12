# SPDX-License-Identifier: EUPL-1.2
"""A running server for the server's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sync.server.running import start_server
from tests.sync.server.house import House
from tests.sync.server.wire import config, new_data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A founded agency's folder."""
    return new_data(tmp_path / "server")


@pytest.fixture
async def house(data: Path) -> AsyncIterator[House]:
    """A server and whoever enrols in the test."""
    async with start_server(config(data)) as server:
        made = House(server, data)
        yield made
        await made.close()
