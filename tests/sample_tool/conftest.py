# SPDX-License-Identifier: EUPL-1.2
"""Offices whose programs have the product's tools and the sample, on a real server; its Swedish."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication

from app.core.i18n import catalogue, read_po, set_language
from app.kinds import TOOLS
from tests.journeys.desks import Offices, offices
from tests.sample_tool.app.tool import TOOL
from ui.kit import faces

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def swedish(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> None:
    """The product has a tool's texts in resources/locale/sv/."""
    set_language("sv")
    faces.install()
    for msgid, forms in read_po(HERE / "minutes.po").items():
        monkeypatch.setitem(catalogue("sv"), msgid, forms)


@pytest_asyncio.fixture
async def o(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Offices]:
    monkeypatch.setattr("sync.client.exchange.batch_maker.QUIET_FLUSH_S", 0.01)
    async with offices(tmp_path, (*TOOLS, TOOL)) as running:
        yield running
