# SPDX-License-Identifier: EUPL-1.2
"""Memory is swept when nobody looks, and not each time somebody looks away."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core import garbage
from ui.desktop import sweeping
from ui.desktop.sweeping import Sweeping

ACTIVE, INACTIVE = Qt.ApplicationState.ApplicationActive, Qt.ApplicationState.ApplicationInactive


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(garbage, "sweep", lambda: found.append("swept"))
    return found


def test_who_looks_away_again_and_again_is_not_held_up(qtbot: QtBot, swept: list[str]) -> None:
    s = Sweeping()
    s._on_state(INACTIVE)
    assert swept == []
    s._swept -= sweeping.EVERY_S
    s._on_state(ACTIVE)
    assert swept == []
    s._on_state(INACTIVE)
    s._on_state(INACTIVE)
    assert swept == ["swept"]


def test_what_a_session_leaves_is_swept_a_moment_later(qtbot: QtBot, swept: list[str]) -> None:
    s = Sweeping()
    s.session_closed()
    assert swept == []
    qtbot.waitUntil(lambda: swept == ["swept"])
