# SPDX-License-Identifier: EUPL-1.2
"""A window's announcer: it announces what is due by itself, in dialogs too, not where it is not wanted, and not once
locked."""

import asyncio

import pytest
from PySide6.QtWidgets import QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.faces import announced
from tests.ui.finding import timer_of
from ui.kit.announcing import SETTLE_S, Announcer, announce
from ui.kit.dialogs import Dialog, show
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
        if timer_of(self.announcer).isActive() and self.announcer._gathering.quiet_until <= self.now:
            timer_of(self.announcer).stop()
            timer_of(self.announcer).timeout.emit()


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    made = Window()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announced(monkeypatch)


def test_an_announcement_in_a_dialog_or_deep_in_the_window_uses_its_announcer(
    window: Window, received: list[str]
) -> None:
    inside = QLabel("å", QWidget(window))
    announce(inside, "Länken är kopierad 🙂")
    window.wait(PAUSE_S)
    dialog = QDialog(window)
    announce(QLabel("ä", dialog), "Filen är sparad")
    assert received == ["Länken är kopierad 🙂", "Filen är sparad"]


async def test_what_a_dialog_has_done_is_announced_when_the_focus_is_back_from_it(
    window: Window, received: list[str]
) -> None:
    dialog = Dialog(window, "Lägg till deltagare", accept="Lägg till")
    asyncio.get_running_loop().call_soon(dialog.accept)
    assert await show(dialog)
    announce(window, "Enhetschefen har bjudits in 🙂")
    assert received == []
    window.wait(SETTLE_S)
    assert received == ["Enhetschefen har bjudits in 🙂"]


def test_what_waits_is_announced_by_itself_when_its_time_has_come(window: Window, received: list[str]) -> None:
    announce(window, "Första")
    announce(window, "Andra", Kind.KEPT)
    assert timer_of(window.announcer).isActive()
    assert timer_of(window.announcer).interval() == PAUSE_S * 1000
    window.wait(PAUSE_S - 1)
    assert received == ["Första"]
    window.wait(1)
    assert received == ["Första", "Andra"]
    assert not timer_of(window.announcer).isActive()


def test_a_timer_that_is_early_waits_again(window: Window, received: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    window.now += PAUSE_S - 0.5
    timer_of(window.announcer).stop()
    window.announcer.look()
    assert received == []
    assert timer_of(window.announcer).interval() == 500


def test_nothing_is_announced_that_nobody_wants(window: Window, received: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    window.wanted = False
    announce(window, "Du är offline", Kind.KEPT)
    window.wait(PAUSE_S)
    assert received == []
    window.wanted = True
    window.wait(PAUSE_S)
    assert received == []
    announce(window, "Åter")
    assert received == ["Åter"]


def test_nothing_is_announced_once_kansli_is_being_locked(window: Window, received: list[str]) -> None:
    announce(window, "Ett meddelande", Kind.MESSAGES)
    announce(window, "Du är offline", Kind.KEPT)
    window.announcer.silence()
    announce(window, "Fel", Kind.KEPT)
    window.announcer.look()
    window.wait(10 * PAUSE_S)
    assert received == []
    assert not timer_of(window.announcer).isActive()


def test_an_error_in_a_line_is_announced_when_it_has_changed(window: Window, received: list[str]) -> None:
    error = ErrorLine(window)
    for text in ("31/2 finns inte", "31/2 finns inte", "31/3 å 🙂", "31/3 å 🙂"):
        error.show_text(text)
        window.wait(PAUSE_S)
    error.hide()
    error.show_text("31/3 å 🙂")
    assert received == ["31/2 finns inte", "31/3 å 🙂", "31/3 å 🙂"]


def test_a_further_sentence_of_an_error_is_announced_too(window: Window, received: list[str]) -> None:
    error = ErrorLine(window)
    error.show_text("Kontot väntar å 🙂", "waits")
    error.add_sentence("Från 14:03.")
    window.wait(PAUSE_S)
    assert received == ["Kontot väntar å 🙂\nKod: waits", "Från 14:03."]


def test_nothing_is_announced_where_there_is_no_announcer(qtbot: QtBot, received: list[str]) -> None:
    gate = QWidget()
    qtbot.addWidget(gate)
    announce(QLabel("fel lösenfras", gate), "Fel lösenfras")
    assert received == []
