# SPDX-License-Identifier: EUPL-1.2
"""A window over a session in memory, in Swedish and the light theme."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.core.i18n import set_language
from app.unlocking import SlotKind
from tests.ui.shell.fake_keys import FakeKeys
from tests.ui.shell.fake_session import TOOLS, FakeSession
from tests.ui.shell.sample import NOW
from ui.kit import tasks, theme
from ui.shell.window.main_window import MainWindow


@pytest.fixture(autouse=True)
def light_and_swedish(qapp: QApplication) -> Iterator[None]:
    """The same look and language before each test."""
    set_language("sv")
    if (theme.choice(), theme.current().id) != ("light", "light") or not qapp.styleSheet():
        theme.apply(qapp, "light")
    yield
    tasks.set_error_hook(None)
    set_language("sv")


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    """The pictures' sample content."""
    return FakeSession(tmp_path)


@pytest.fixture
def window(qapp: QApplication, session: FakeSession) -> Iterator[MainWindow]:
    """A shown main window at Hem; really gone afterwards, so that later switches of theme do not pay for it."""
    result = MainWindow(session, TOOLS, keys=FakeKeys(list(SlotKind)), now=lambda: NOW)
    result.resize(1440, 900)
    result.show()
    result.activateWindow()
    yield result
    result.close()
    result.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
