# SPDX-License-Identifier: EUPL-1.2
"""A running server whose clients check the logs of others within a fifth of a second, since every test waits for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sync.client.exchange import member_audit
from tests.world import World, world


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(member_audit, "SPREAD_S", 0.2)
    async with world(tmp_path) as running:
        yield running
