# SPDX-License-Identifier: EUPL-1.2
"""The pilot's eyes and hands on plain Qt widgets: what they find, type, pull and refuse."""

from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.demo import acting, hands
from tests.demo.seeing import Missing, Target, dump, find, tree


class Pulled(QFrame):
    """Remembers how the mouse moved over it."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(200, 100)
        self.setAccessibleName("Yta")
        self.seen: list[tuple[str, QPoint]] = []

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.seen.append(("press", event.position().toPoint()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.seen.append(("move", event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.seen.append(("release", event.position().toPoint()))


class Window(QWidget):
    def __init__(self) -> None:
        super().__init__()
        QAccessible.setActive(True)
        self.setWindowTitle("Fönster")
        layout = QVBoxLayout(self)
        self.presses = 0
        self.button = QPushButton("&Skicka")
        self.button.clicked.connect(self._on_press)
        self.field = QLineEdit()
        label = QLabel("Rubrik på ärendet")
        label.setBuddy(self.field)
        self.list = QListWidget()
        self.list.addItems(["Åtgärd", "Ärende", "Övrigt"])
        self.list.setAccessibleName("Lista")
        self.surface = Pulled()
        for widget in (self.button, label, self.field, self.list, self.surface):
            layout.addWidget(widget)

    def _on_press(self) -> None:
        self.presses += 1


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    window = Window()
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    return window


def run(qtbot: QtBot, steps: Generator[int, None, Any]) -> Any:
    while True:
        try:
            delay = next(steps)
        except StopIteration as end:
            return end.value
        qtbot.wait(delay)


def test_a_button_is_found_by_its_text_and_clicked(window: Window, qtbot: QtBot) -> None:
    run(qtbot, hands.click(find(Target("Skicka"))))
    assert window.presses == 1


def test_a_field_is_found_by_its_label_and_takes_every_letter(window: Window, qtbot: QtBot) -> None:
    assert run(qtbot, hands.tab_to(find(Target("Rubrik på ärendet")))) is True
    run(qtbot, hands.type_text("Tillsyn på förskolan 🔍 Åbo"))
    assert window.field.text() == "Tillsyn på förskolan 🔍 Åbo"
    assert find(Target("Rubrik på ärendet")).text == window.field.text()


def test_keys_reach_an_open_menu(window: Window, qtbot: QtBot) -> None:
    menu = QMenu(window)
    chosen: list[str] = []
    menu.addAction("Ta bort").triggered.connect(lambda: chosen.append("ta bort"))
    menu.popup(window.mapToGlobal(QPoint(5, 5)))
    run(qtbot, hands.press_keys("Down Return"))
    assert chosen == ["ta bort"]


def test_a_drag_is_a_press_moves_with_the_button_down_and_a_release(window: Window, qtbot: QtBot) -> None:
    surface = find(Target("Yta"))
    run(qtbot, hands.drag(surface, surface, to=(0.9, 0.5)))
    actions = [action for action, _ in window.surface.seen]
    assert actions[0] == "press"
    assert actions[-1] == "release"
    assert actions.count("move") >= hands.DRAG_STEPS - 1
    assert window.surface.seen[-1][1].x() > window.surface.seen[0][1].x() + 50


def test_an_element_that_is_deleted_while_tab_is_on_its_way_is_named(window: Window, qtbot: QtBot) -> None:
    """A person with Tab loses their place then: the program is at fault, and the driver says so."""
    window.surface.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    window.button.setFocus()
    steps = hands.tab_to(find(Target("Yta")))
    next(steps)
    window.surface.deleteLater()
    QApplication.sendPostedEvents(window.surface, QEvent.Type.DeferredDelete.value)
    with pytest.raises(Missing, match="'Yta' was deleted while Tab was on its way"):
        run(qtbot, steps)


def test_who_takes_the_focus_while_one_types_is_named(window: Window, qtbot: QtBot) -> None:
    window.field.textEdited.connect(lambda text: window.button.setFocus() if text == "Å" else None)
    with pytest.raises(Missing, match="took the focus from QLineEdit"):
        run(qtbot, acting.enter(asdict(Target("Rubrik på ärendet")), "Åtgärd"))


def test_a_button_is_pressed_once_it_can_be(window: Window, qtbot: QtBot) -> None:
    window.button.setEnabled(False)
    steps = acting.press(asdict(Target("Skicka")))
    next(steps)
    assert window.presses == 0
    window.button.setEnabled(True)
    assert run(qtbot, steps) is True
    assert window.presses == 1


def test_an_entry_is_chosen_in_a_menu_that_opens_late_and_has_others_before_it(window: Window, qtbot: QtBot) -> None:
    chosen: list[str] = []
    steps = acting.menu("Kopiera & flytta")
    next(steps)
    menu = QMenu(window)
    for text in ("Öppna", "Kopiera && flytta", "Ta bort"):
        menu.addAction(text).triggered.connect(lambda _=False, text=text: chosen.append(text))
    menu.actions()[0].setEnabled(False)
    menu.popup(window.mapToGlobal(QPoint(5, 5)))
    run(qtbot, steps)
    assert chosen == ["Kopiera && flytta"]


def test_a_row_is_picked_although_rows_come_while_one_walks(window: Window, qtbot: QtBot) -> None:
    steps = acting.pick(asdict(Target("Lista")), "Sist")
    next(steps)
    window.list.addItem("Sist på listan")
    window.list.currentRowChanged.connect(lambda row: window.list.count() < 9 and window.list.insertItem(row + 1, "Ny"))
    run(qtbot, steps)
    assert window.list.currentItem().text() == "Sist på listan"


def test_what_is_not_there_or_there_twice_is_said(window: Window) -> None:
    with pytest.raises(Missing, match="nothing on screen"):
        find(Target("Diarieför"))
    second = QPushButton("Skicka", window)
    second.show()
    with pytest.raises(Missing, match="2 are named"):
        find(Target("Skicka"))


def test_items_of_a_list_are_seen_in_order(window: Window) -> None:
    assert find(Target("rend", part=True, within="Lista")).name == "Ärende"
    children = tree(find(Target("Lista")))[3]
    assert isinstance(children, list)
    assert [child[1] for child in children] == ["Åtgärd", "Ärende", "Övrigt"]


def test_the_dump_names_everything(window: Window) -> None:
    text = dump()
    assert "Button 'Skicka'" in text
    assert "Övrigt" in text
