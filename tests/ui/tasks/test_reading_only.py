# SPDX-License-Identifier: EUPL-1.2
"""The board of somebody who may only read it."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from tests.office import BOARD_ID, ROOM, Desk
from tests.ui.tasks.boards import CONTROL, card, drag, menu_of, named, titles, view
from ui.tasks.view import TasksView

__all__ = ["view"]  # a fixture


def offered(view: TasksView, title: str) -> list[str]:
    menu = menu_of(view, title)
    words = [action.text() for action in menu.actions() if action.text()]
    menu.close()
    return words


def read_only(view: TasksView, hl: Desk) -> None:
    """The role changes while the board is open."""
    hl.folk.writer = False
    view.set_writable(hl.tasks.may_write(ROOM))


def test_who_may_only_read_sees_it_and_moves_and_deletes_nothing(view: TasksView, hl: Desk) -> None:
    read_only(view, hl)
    assert view.bar.isVisible()
    assert view.bar.text() == "Du kan läsa tavlan men inte ändra i den."
    assert not view.new_button.isVisible()
    assert not any(b.isVisible() for b in view.findChildren(QAbstractButton) if "Ny uppgift i" in b.accessibleName())
    assert not named(view, "Kolumn Pågår").isEnabled()
    drag(card(view, "b"), view.kanban.columns[1].area.mapToGlobal(QPoint(40, 60)))
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Right, CONTROL)
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Down, CONTROL)
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Delete)
    view.undo()
    assert titles(view)[:2] == [["a", "b", "c"], []]


def test_who_may_only_read_opens_a_card_and_can_copy_from_it(view: TasksView, hl: Desk) -> None:
    board, card_id = hl.tasks.board(ROOM), card(view, "b").card.id
    board.edit_card(card_id, description="Sidan 3")
    board.add_check_item(card_id, "Namn")
    read_only(view, hl)
    QTest.mouseClick(card(view, "b"), Qt.MouseButton.LeftButton)
    editor = view.editor
    assert editor.isVisible()
    QTest.keyClicks(editor.title, "x")
    QTest.keyClicks(editor.description, "x")
    assert (editor.title.text(), editor.description.toPlainText()) == ("b", "Sidan 3")
    boxes = [box for box in editor.findChildren(QCheckBox) if box.isVisible()]
    assert [box.isEnabled() for box in boxes] == [False]
    assert not editor.column.isEnabled()
    captions = [found.text() for found in editor.findChildren(QLabel) if found.isVisible()]
    assert "Beskrivning" in captions
    assert "Förfallodag" not in captions  # nothing is asked for
    assert not editor.due.isVisible()
    hidden = ("Ta bort uppgiften", "Välj etiketter …", "Välj en dag", "Ta bort Namn")
    assert not [b for b in editor.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() in hidden]
    before = hl.store.changes.of(BOARD_ID)
    editor.close_card()
    assert hl.store.changes.of(BOARD_ID) == before


def test_the_menu_of_who_may_only_read_changes_nothing(view: TasksView, hl: Desk) -> None:
    read_only(view, hl)
    assert offered(view, "a") == ["Öppna", "Kopiera länk"]
    view.set_writable(True)
    assert "Ta bort" in offered(view, "a")


def test_an_empty_board_offers_no_first_step_to_who_may_only_read(hl: Desk, qtbot: QtBot) -> None:
    hl.folk.writer = False
    view = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(view)
    view.show()
    assert view.nothing.isVisible()
    assert not named(view, "Lägg till den första uppgiften").isVisible()
