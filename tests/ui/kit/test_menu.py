# SPDX-License-Identifier: EUPL-1.2
"""Menus: where they open."""

from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

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
