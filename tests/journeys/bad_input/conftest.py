# SPDX-License-Identifier: EUPL-1.2
"""A running server for each test, and passphrases that cost little."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sync.crypto.passphrase import Argon2Params
from tests.journeys.desks import Offices, offices
from tests.world import World, world


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest cost that is accepted: 64 MiB, one pass."""

    def fresh(cls: type[Argon2Params]) -> Argon2Params:
        return cls(salt=os.urandom(16), memory_kib=64 * 1024, passes=1)

    monkeypatch.setattr(Argon2Params, "fresh", classmethod(fresh))


@pytest_asyncio.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def o(tmp_path: Path) -> AsyncIterator[Offices]:
    async with offices(tmp_path) as running:
        yield running
