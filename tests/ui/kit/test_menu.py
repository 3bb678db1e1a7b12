# SPDX-License-Identifier: EUPL-1.2
"""Menus: where they open, and what their lines show."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.pointing import NO_KEYS
from ui.kit import theme
from ui.kit.menu import Entry, popup


def test_a_menu_of_a_button_at_the_right_edge_stays_over_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 300)
    left, right = QPushButton("a", window), QPushButton("b", window)
    right.move(500, 0)
    window.show()
    for button in (left, right):
        menu = popup(button, "Meny", [Entry(text="Lägg till deltagare …", run=lambda: None)])
        assert menu.geometry().left() >= window.geometry().left()
        assert menu.geometry().right() <= window.geometry().right() + 1
        menu.close()


def test_what_is_chosen_has_a_tick_that_can_be_seen_also_where_the_line_names_an_icon(
    qapp: QApplication, qtbot: QtBot
) -> None:
    theme.apply(qapp, "light")
    button = QPushButton("a")
    qtbot.addWidget(button)
    button.show()
    lines = []
    for chosen in (True, False):
        entry = Entry(text="Enhetschef", icon="person", checked=chosen, run=lambda: None)
        menu = popup(button, "Meny", [entry])
        lines.append(menu.grab(menu.actionGeometry(menu.actions()[0])).toImage())
        menu.close()
    assert lines[0] != lines[1]
    height, tick = lines[0].height(), range(24)
    inks = [lines[1].pixelColor(x, y).lightness() for x in tick for y in range(height)]
    assert min(inks) > 200, "nothing stands in the place of the tick"


def test_a_menu_runs_left_to_right_under_a_button_whose_icon_stands_at_the_right(qtbot: QtBot) -> None:
    button = QPushButton("a")
    button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    qtbot.addWidget(button)
    button.show()
    menu = popup(button, "Stil", [Entry(text="Brödtext", shortcut="Ctrl+Alt+0", checked=True, run=lambda: None)])
    assert menu.layoutDirection() == Qt.LayoutDirection.LeftToRight
    menu.close()


def test_the_keys_that_a_menu_shows_work_in_it(qtbot: QtBot) -> None:
    window, done = QWidget(), list[str]()
    qtbot.addWidget(window)
    window.show()
    lines = [("Redigera", "E"), ("Annan reaktion", "+"), ("Ta bort", "Del"), ("Gör om", "Ctrl+Shift+Z")]
    none, shift, control = NO_KEYS, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    pressed = [
        (Qt.Key.Key_E, none, ["Redigera"]),
        (Qt.Key.Key_Plus, Qt.KeyboardModifier.KeypadModifier, ["Annan reaktion"]),
        (Qt.Key.Key_Delete, none, ["Ta bort"]),
        (Qt.Key.Key_Z, control | shift, ["Gör om"]),
        (Qt.Key.Key_E, control, []),
    ]
    for key, held, wanted in pressed:
        entries = [Entry(text=text, shortcut=keys, run=lambda text=text: done.append(text)) for text, keys in lines]  # type: ignore[misc] # mypy and default arguments
        menu = popup(window, "Meny", entries)
        done.clear()
        QTest.keyClick(menu, key, held)
        assert done == wanted
        assert menu.isVisible() == (not wanted)
        menu.close()


def test_the_key_of_a_line_that_is_grey_does_nothing(qtbot: QtBot) -> None:
    window, done = QWidget(), list[str]()
    qtbot.addWidget(window)
    window.show()
    entries = [Entry(text="Ta bort", shortcut="Del", enabled=False, run=lambda: done.append("Ta bort"))]
    menu = popup(window, "Meny", entries)
    QTest.keyClick(menu, Qt.Key.Key_Delete)
    assert done == []
    assert menu.isVisible()
    menu.close()
