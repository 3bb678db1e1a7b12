# SPDX-License-Identifier: EUPL-1.2
"""A window's voice: it says what is due by itself, in dialogs too, not where it is not wanted, and not once locked."""

import pytest
from PySide6.QtWidgets import QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.faces import announced
from ui.kit.announcing import Announcer, announce
from ui.kit.error_line import ErrorLine
from ui.kit.gathering import PAUSE_S, Kind


class Window(QWidget):
    """Has a voice, and a clock that the tests move."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.wanted = 500.0, True
        self.announcer = Announcer(self, lambda: self.wanted, lambda: self.now)

    def wait(self, seconds: float) -> None:
        """As if so much time had passed."""
        self.now += seconds
        if self.announcer._timer.isActive() and self.announcer._gathering.quiet_until <= self.now:
            self.announcer._timer.stop()
            self.announcer._timer.timeout.emit()


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    made = Window()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announced(monkeypatch)


def test_what_is_said_in_a_dialog_or_deep_in_the_window_has_its_voice(window: Window, heard: list[str]) -> None:
    inside = QLabel("å", QWidget(window))
    announce(inside, "Länken är kopierad 🙂")
    window.wait(PAUSE_S)
    dialog = QDialog(window)
    announce(QLabel("ä", dialog), "Filen är sparad")
    assert heard == ["Länken är kopierad 🙂", "Filen är sparad"]


def test_what_waits_is_said_by_itself_when_its_time_has_come(window: Window, heard: list[str]) -> None:
    announce(window, "Första")
    announce(window, "Andra", Kind.KEPT)
    assert window.announcer._timer.isActive()
    assert window.announcer._timer.interval() == PAUSE_S * 1000
    window.wait(PAUSE_S - 1)
    assert heard == ["Första"]
    window.wait(1)
    assert heard == ["Första", "Andra"]
    assert not window.announcer._timer.isActive()


def test_a_timer_that_is_early_waits_again(window: Window, heard: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    window.now += PAUSE_S - 0.5
    window.announcer._timer.stop()
    window.announcer.look()
    assert heard == []
    assert window.announcer._timer.interval() == 500


def test_nothing_is_said_that_nobody_wants(window: Window, heard: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    window.wanted = False
    announce(window, "Du är offline", Kind.KEPT)
    window.wait(PAUSE_S)
    assert heard == []
    window.wanted = True
    window.wait(PAUSE_S)
    assert heard == []
    announce(window, "Åter")
    assert heard == ["Åter"]


def test_nothing_is_said_once_kansli_is_being_locked(window: Window, heard: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    announce(window, "Du är offline", Kind.KEPT)
    window.announcer.silence()
    announce(window, "Fel", Kind.KEPT)
    window.announcer.look()
    window.wait(10 * PAUSE_S)
    assert heard == []
    assert not window.announcer._timer.isActive()


def test_an_error_in_a_line_is_said_when_it_is_another(window: Window, heard: list[str]) -> None:
    error = ErrorLine(window)
    for text in ("31/2 finns inte", "31/2 finns inte", "31/3 å 🙂", "31/3 å 🙂"):
        error.show_text(text)
        window.wait(PAUSE_S)
    error.hide()
    error.show_text("31/3 å 🙂")
    assert heard == ["31/2 finns inte", "31/3 å 🙂", "31/3 å 🙂"]


def test_a_further_sentence_of_an_error_is_said_too(window: Window, heard: list[str]) -> None:
    error = ErrorLine(window)
    error.show_text("Kontot väntar å 🙂", "waits")
    error.add_sentence("Från 14:03.")
    window.wait(PAUSE_S)
    assert heard == ["Kontot väntar å 🙂\nKod: waits", "Från 14:03."]


def test_nothing_is_said_where_there_is_no_voice(qtbot: QtBot, heard: list[str]) -> None:
    gate = QWidget()
    qtbot.addWidget(gate)
    announce(QLabel("fel lösenfras", gate), "Fel lösenfras")
    assert heard == []
