# SPDX-License-Identifier: EUPL-1.2
"""Menus: where they open, and what their lines show."""

from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

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
