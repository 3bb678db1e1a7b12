# SPDX-License-Identifier: EUPL-1.2
"""A window is laid out whole before it is painted, however deep what has changed in it lies."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QMainWindow, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.errors import DiskFull, WrongPin
from tests.ui.cut import Cut
from ui.desktop.closing import Gate
from ui.kit import theme
from ui.kit.buttons import TextButton
from ui.kit.laying_out import lay_out_first
from ui.kit.style import column, label
from ui.kit.translate import change_language
from ui.shell.entry.gate import GatePage

SENTENCE = "Kansli låses när allt är sparat. Låt datorn vara på tills dess, å ä ö 🙂. "
SMALLEST = (800, 500)


@pytest.fixture
def cut(qapp: QApplication) -> Iterator[Cut]:
    change_language("sv")
    theme.apply(qapp, "light")
    with Cut() as watching:
        yield watching


def shown(qtbot: QtBot, window: QWidget) -> None:
    qtbot.addWidget(window)
    window.resize(*SMALLEST)
    window.show()
    run_events()


def run_events() -> None:
    for _ in range(20):
        QApplication.processEvents()


def test_no_frame_shows_a_cut_text_below_ten_layouts(qtbot: QtBot, cut: Cut) -> None:
    window, inside = QMainWindow(), QWidget()
    lay_out_first(window)
    window.setCentralWidget(inside)
    outer = rows = column(inside)
    text = label(SENTENCE, wrap=True)
    for _ in range(10):
        below = QWidget()
        rows.addWidget(below)
        rows = column(below)
    rows.addWidget(text)
    outer.addWidget(QPlainTextEdit(), 1)
    shown(qtbot, window)
    for longer in range(2, 6):
        text.setText(SENTENCE * longer * 2)
        run_events()
    assert cut.painted > 4
    assert cut.found == []


def page(qtbot: QtBot) -> tuple[Gate, GatePage]:
    """The window before unlocking, in the smallest size, and its page with a field and a hidden button."""
    gate, made = Gate(lambda: True), GatePage("Kansli är låst", "Meddelanden kommer in ändå.")
    made.add_field("Lösenfras", secret=True)
    made.add_button(TextButton("Försök igen", lambda: None)).hide()
    gate.setCentralWidget(made)
    shown(qtbot, gate)
    return gate, made


def test_an_error_with_a_further_sentence_is_never_painted_cut(qtbot: QtBot, cut: Cut) -> None:
    _gate, view = page(qtbot)
    for left in range(9, 4, -1):
        view.clear_error()
        run_events()
        view.show_error(WrongPin())
        view.error.add_sentence(f"{left} försök återstår.")
        view.text.setText(f"PIN-koden kan prövas igen om 0:0{left}. Lösenfrasen fungerar nu.")
        run_events()
    assert cut.painted
    assert cut.found == []


def test_a_page_that_says_more_and_shows_a_button_is_never_painted_cut(qtbot: QtBot, cut: Cut) -> None:
    _gate, view = page(qtbot)
    view.show_message("Kansli låses", "")
    run_events()
    view.show_error(DiskFull())
    view.show_message("Något du har skrivit är inte sparat än", SENTENCE * 3)
    for button in view.findChildren(TextButton):
        button.show()
    run_events()
    view.error.add_sentence(SENTENCE)
    run_events()
    assert cut.painted
    assert cut.found == []


def test_a_page_that_replaces_another_is_never_painted_cut(qtbot: QtBot, cut: Cut) -> None:
    gate, _first = page(qtbot)
    for error in (DiskFull(), None):
        second = GatePage("Dina andra enheter har ett dygn på sig att säga nej", "")
        gate.setCentralWidget(second)
        second.text.setText(SENTENCE * 2)
        if error is not None:
            second.show_error(error)
        run_events()
    assert cut.painted
    assert cut.found == []


def test_a_text_that_is_painted_cut_is_found(qtbot: QtBot, cut: Cut) -> None:
    """The tests above would see one."""
    window, text = QWidget(), label(SENTENCE * 4, wrap=True)
    text.setParent(window)
    text.setGeometry(0, 0, 100, 20)
    shown(qtbot, window)
    assert cut.found
