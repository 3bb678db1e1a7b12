# SPDX-License-Identifier: EUPL-1.2
"""A window over a session of the kept office, in Swedish and the light theme."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.session import Session
from app.unlocking import Unlocking
from tests.ui.shell.moment import moment
from tests.ui.shell.opened_office import ME, at_server, open_session
from tests.ui.shell.sample import NOW
from tests.ui.shell.served import Served
from tests.ui.shell.tool_views import TOOLS
from tests.ui.shell.unlock_methods import has_key_store, unlock_methods
from tests.world import World, world
from ui.kit import theme
from ui.shell.window.main_window import MainWindow


@pytest.fixture(autouse=True)
def light_and_swedish(qapp: QApplication) -> Iterator[None]:
    """The same look and language before each test."""
    set_language("sv")
    if (theme.choice(), theme.current().id) != ("light", "light") or not qapp.styleSheet():
        theme.apply(qapp, "light")
    yield
    set_language("sv")


@pytest.fixture
def hidden(qtbot: QtBot) -> QWidget:
    """A window that is not in front."""
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    """The pictures' sample content at their moment, on a computer without a network; at the server in a test that uses
    `connected`."""
    if "connected" in request.fixturenames:
        found = request.getfixturevalue("connected")
        assert isinstance(found, Session)
        yield found
    else:
        with moment(int(NOW.timestamp() * 1000)):
            yield open_session(tmp_path)


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """The pictures' sample content, at a running server."""
    async with at_server(tmp_path / "agency") as running:
        yield running


@pytest_asyncio.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    """A running server."""
    async with world(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def connected(served: Served) -> Session:
    """The person's session at that server."""
    return await served.open(ME)


@pytest.fixture(scope="session")
def both_methods(tmp_path_factory: pytest.TempPathFactory) -> Unlocking:
    """A profile's two unlock methods. No test of a window changes them."""
    return unlock_methods(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def window(
    qapp: QApplication, session: Session, both_methods: Unlocking, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """A shown main window at Hem; really gone afterwards, so that later switches of theme do not pay for it."""
    has_key_store(monkeypatch)
    result = MainWindow(session, TOOLS, keys=both_methods)
    result.resize(1440, 900)
    result.show()
    result.activateWindow()
    yield result
    result.close()
    result.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
