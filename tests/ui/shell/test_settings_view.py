# SPDX-License-Identifier: EUPL-1.2
"""Settings on screen, auto-lock and notifications."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.settings import NOTIFICATION_CONTENT, NOTIFICATIONS, THEME
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, UNIT
from tests.ui.soon import caught_up
from ui.shell.auto_lock import AutoLock
from ui.shell.notifications import Notifications
from ui.shell.settings_view import SettingsView


def box_of(view: SettingsView, name: str) -> QComboBox:
    """The choice of that name."""
    return next(b for b in view.findChildren(QComboBox) if b.accessibleName() == name)


def test_a_choice_takes_effect_at_once(qtbot: QtBot, session: FakeSession) -> None:
    view = SettingsView(session)
    qtbot.addWidget(view)
    box = box_of(view, "Tema")
    box.setCurrentIndex(box.findData("dark"))
    box.activated.emit(box.currentIndex())
    assert session.settings.get(THEME) == "dark"
    session.settings.set(THEME, "light")
    assert box.currentData() == "light"


def test_what_policy_has_fixed_is_shown_and_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    view = SettingsView(FakeSession(tmp_path, {"theme": "contrast"}))
    qtbot.addWidget(view)
    box = box_of(view, "Tema")
    assert not box.isEnabled()
    assert box.currentText() == "Hög kontrast"
    assert "Hanteras av din organisation" in [x.text() for x in view.findChildren(QLabel)]


def test_silence_locks_and_a_key_begins_anew(qtbot: QtBot, qapp: QApplication) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    lock = AutoLock(1, owner)
    lock._timer.setInterval(50)
    with qtbot.waitSignal(lock.idle, timeout=2000):
        lock._timer.start()
    assert lock.minutes() == 0
    locked: list[bool] = []
    lock.idle.connect(lambda: locked.append(True))
    lock._timer.setInterval(400)
    lock._timer.start()
    for _ in range(4):
        qtbot.wait(150)
        qapp.sendEvent(owner, QKeyEvent(QEvent.Type.KeyPress, 0x41, Qt.KeyboardModifier.NoModifier))
    assert locked == []
    lock.set_minutes(0)
    assert not lock._timer.isActive()


@pytest.mark.parametrize(("wanted", "told"), [("all", 2), ("mentions", 1), ("none", 0)])
def test_notifications_tell_no_content(qtbot: QtBot, session: FakeSession, wanted: str, told: int) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    session.settings.set(NOTIFICATIONS, wanted)
    shown: list[tuple[str, str]] = []
    watch = Notifications(window, session.rooms, session.settings, lambda title, text: shown.append((title, text)))
    session.rooms.set_unread(UNIT, 3)
    caught_up(window)
    session.rooms.set_unread(CASE, 4, 2)
    caught_up(window)
    assert len(shown) == told
    assert watch.latest == (CASE if told else None)
    assert not any("Tillsyn" in text for _, text in shown)


def test_notifications_show_room_and_message_only_if_the_setting_says_so(qtbot: QtBot, session: FakeSession) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    shown: list[tuple[str, str]] = []
    watch = Notifications(window, session.rooms, session.settings, lambda title, text: shown.append((title, text)))
    session.rooms.set_unread(CASE, 4)
    caught_up(window)
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    session.rooms.set_unread(CASE, 5)
    caught_up(window)
    room = next(r for r in session.rooms.rooms() if r.room == CASE)
    assert shown == [("Kansli", "1 nytt meddelande"), (room.title, room.preview)]
    assert room.preview
    assert watch.latest == CASE
