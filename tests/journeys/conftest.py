# SPDX-License-Identifier: EUPL-1.2
"""A running server for each test that asks for one, or offices with one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.desks import Offices, offices
from tests.world import World, world


@pytest_asyncio.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def o(tmp_path: Path) -> AsyncIterator[Offices]:
    async with offices(tmp_path) as running:
        yield running


@pytest.fixture
def own_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person changes for all their devices is sent at once, and not once a minute."""
    monkeypatch.setattr("app.own.service.GATHER_S", 0.0)
    monkeypatch.setattr("app.own.service.EVERY_S", 0.1)
