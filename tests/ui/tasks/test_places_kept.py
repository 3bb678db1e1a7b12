# SPDX-License-Identifier: EUPL-1.2
"""One comes back to where one was on a board, and what one was writing is kept."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.office import ROOM, Desk
from tests.ui.tasks.boards import card, focused, named, view
from ui.tasks.view import TasksView
from ui.tool_views import DraftingView, PlacedView

__all__ = ["view"]  # a fixture


def test_a_description_that_is_being_written_is_kept_when_the_window_goes(view: TasksView) -> None:
    """As it does when Kansli is locked by itself."""
    found = card(view, "a").card.id
    view.editor.open_card(found)
    view.editor.description.setPlainText("Halv mening å 🙂")
    view.hide()
    kept = view.board.card(found)
    assert kept is not None
    assert kept.description == "Halv mening å 🙂"


def test_a_description_that_is_being_written_is_kept_when_one_quits(view: TasksView) -> None:
    found = card(view, "a").card.id
    view.editor.open_card(found)
    view.editor.description.setPlainText("Halv mening å 🙂")
    assert isinstance(view, DraftingView)
    view.keep_draft()
    kept = view.board.card(found)
    assert kept is not None
    assert kept.description == "Halv mening å 🙂"
    assert view.editor.card_id == found


def again(hl: Desk, left: TasksView, qtbot: QtBot) -> TasksView:
    """Another view, with the place of this one restored in it."""
    assert isinstance(left, PlacedView)
    made = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(made)
    made.resize(left.size())
    made.show()
    made.restore_place(left.view_place())
    return made


def test_one_comes_back_to_the_open_card_and_the_caret_in_it(view: TasksView, hl: Desk, qtbot: QtBot) -> None:
    view.kanban.focus_card(card(view, "b").card.id)
    QTest.keyClick(card(view, "b"), Qt.Key.Key_Return)
    field = view.editor.description
    field.setFocus()
    QTest.keyClicks(field, "Sidan tre")
    QTest.keyClick(field, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    view.keep_draft()
    made = again(hl, view, qtbot)
    assert made.editor.title.text() == "b"
    assert made.window().focusWidget() is made.editor.description
    cursor = made.editor.description.textCursor()
    assert (cursor.anchor(), cursor.position()) == (9, 8)
    view.editor.title.setFocus()
    view.editor.title.setText("bbb")
    for _ in range(2):
        QTest.keyClick(view.editor.title, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    view.keep_draft()
    title = again(hl, view, qtbot).editor.title
    assert (title.selectedText(), title.cursorPosition()) == ("bb", 1)


def test_one_comes_back_to_the_table_or_to_a_column_as_far_down_as_it_was(
    view: TasksView, hl: Desk, qtbot: QtBot
) -> None:
    board = hl.tasks.board(ROOM)
    for number in range(40):
        board.add_card(board.columns()[0].id, f"kort {number}")
    card(view, "kort 20").setFocus()
    bar = view.kanban.columns[0].area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 900)
    bar.setValue(900)
    made = again(hl, view, qtbot)
    qtbot.waitUntil(lambda: made.kanban.columns[0].area.verticalScrollBar().value() == 900)
    assert focused(made) == "kort 20"
    named(view, "Tabell").click()
    qtbot.waitUntil(lambda: view.table.verticalScrollBar().maximum() > 7)
    view.table.verticalScrollBar().setValue(7)
    made = again(hl, view, qtbot)
    assert made.table.isVisible()
    assert named(made, "Tabell").isChecked()
    qtbot.waitUntil(lambda: made.table.verticalScrollBar().value() == 7)
