# SPDX-License-Identifier: EUPL-1.2
"""What holds for every test of ui/: widgets describe themselves to screen readers as in the program, and the text size
and the density are left as they were found."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.card import reader
from tests.ui.shell.served import any_open, close_all
from ui.kit import faces, scale, tasks, theme


@pytest.fixture(autouse=True)
def spoken(qapp: QApplication) -> None:
    """As in ui/main.py."""
    faces.install()


@pytest.fixture(autouse=True)
def no_card_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has no library for smart cards, whatever is installed here. A test names its own."""
    monkeypatch.setattr(reader, "system_module", lambda: "")


@pytest.fixture(autouse=True)
def windows_gone(qapp: QApplication) -> Iterator[None]:
    """Deletes the windows that a test left: each later test would style and lay out their widgets again."""
    before = set(qapp.topLevelWidgets())
    yield
    for left in set(qapp.topLevelWidgets()) - before:
        if left.parent() is None:
            left.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def usual_size() -> Iterator[None]:
    yield
    app = QApplication.instance()
    if isinstance(app, QApplication) and (scale.text_size(), scale.density()) != (100, "normal"):
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # what is gone would be laid out again
        theme.resize(app, 100, "normal")


@pytest.fixture
def errors_shown() -> Iterator[list[tuple[Exception, tasks.Again]]]:
    """The errors that were shown, each with what tries again."""
    found: list[tuple[Exception, tasks.Again]] = []
    tasks.set_error_hook(lambda _owner, error, again: found.append((error, again)))
    yield found
    tasks.set_error_hook(None)


@pytest.fixture(autouse=True)
def stores_closed(qapp: QApplication) -> Iterator[None]:
    """As in the program, the widgets go first: nothing reads a store that is closed."""
    yield
    if any_open():
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    close_all()
