# SPDX-License-Identifier: EUPL-1.2
"""A desk with working copies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.store import Store
from tests.app.copies.desks import Desk
from tests.app.store.conftest import KEY, KINDS, ME, Bench


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    bench = Bench(tmp_path, Store.create(tmp_path / "store.db", KEY, KINDS))
    bench.store.set_me(ME)
    bench.join()
    desk = Desk(bench)
    yield desk
    await desk.copies.close()
    bench.store.close()
