# SPDX-License-Identifier: EUPL-1.2
"""The focus stays with its card, wherever it goes; and with the board when the card is gone."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.tasks.model import Board
from tests.office import ROOM, Desk, Positions
from tests.ui.tasks.boards import CONTROL, card, drag, focused, named, titles
from tests.ui.tasks.test_editor import desks, open_by_click
from ui.tasks.view import TasksView

__all__ = ["desks"]


@pytest.fixture
def view(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> Iterator[TasksView]:
    """A view in a window with a menu before the board, as Home is in the real one."""
    hl, _, server = desks
    board = hl.tasks.board(ROOM)
    for title in ("Annat å", "Tredje 🙂"):
        board.add_card(board.columns()[0].id, title)
    server.deliver()
    window = QWidget()
    qtbot.addWidget(window)
    made = TasksView(hl.tasks, ROOM)
    row = QHBoxLayout(window)
    row.addWidget(QPushButton("Hem"))
    row.addWidget(made)
    window.resize(1200, 700)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    yield made
    window.close()


def here(view: TasksView) -> QWidget | None:
    """What has the focus."""
    return view.window().focusWidget()


def theirs(desks: tuple[Desk, Desk, Positions]) -> Board:
    return desks[1].tasks.board(ROOM)


def chosen(view: TasksView) -> str:
    """The title of the card that has the focus."""
    found = view.board.card(view.kanban.focused_card())
    return found.title if found is not None else ""


def test_it_goes_back_with_a_card_that_was_dragged_to_an_empty_column(view: TasksView) -> None:
    drag(card(view, "Tredje 🙂"), view.kanban.columns[3].area.mapToGlobal(QPoint(40, 60)))
    assert titles(view)[3] == ["Tredje 🙂"]
    focus = here(view)
    assert focus is not None
    QTest.keyClick(focus, Qt.Key.Key_Z, CONTROL)
    assert titles(view)[3] == []
    assert chosen(view) == "Tredje 🙂"


def test_it_goes_with_a_card_that_a_colleague_moves(view: TasksView, desks: tuple[Desk, Desk, Positions]) -> None:
    found = card(view, "Beslut").card.id
    view.kanban.focus_card(found)
    board = theirs(desks)
    board.move_card(found, board.columns()[2].id)
    desks[2].deliver()
    assert titles(view)[2] == ["Beslut"]
    assert chosen(view) == "Beslut"
    board.delete_column(board.columns()[2].id)
    desks[2].deliver()
    assert chosen(view) == "Beslut", "it stands in the first column now"


@pytest.mark.parametrize("gone", ["deleted", "archived"])
def test_no_other_card_gets_it_from_a_card_that_a_colleague_takes_away(
    view: TasksView, desks: tuple[Desk, Desk, Positions], gone: str
) -> None:
    found = card(view, "Annat å").card.id
    view.kanban.focus_card(found)
    if gone == "deleted":
        theirs(desks).delete_card(found)
    else:
        theirs(desks).archive_card(found)
    desks[2].deliver()
    assert here(view) is view
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert titles(view)[0] == ["Beslut", "Tredje 🙂"]
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert chosen(view) == "Tredje 🙂", "an arrow goes on where the card was"


def test_the_board_gets_it_when_a_card_is_closed_that_a_colleague_archived(
    view: TasksView, desks: tuple[Desk, Desk, Positions]
) -> None:
    open_by_click(view)
    view.editor.checklist.new.setFocus()
    theirs(desks).archive_card(view.editor.card_id)
    desks[2].deliver()
    assert view.editor.isVisible(), "one writes in it"
    QTest.keyClick(view.editor.checklist.new, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()
    assert here(view) is view


def test_closing_a_panel_without_a_card_leaves_it_on_the_board(view: TasksView) -> None:
    named(view, "Ny uppgift i Pågår").click()
    QTest.keyClick(view.editor.title, Qt.Key.Key_Escape)
    assert here(view) is view


def test_closing_a_card_in_the_table_leaves_it_in_the_table(view: TasksView) -> None:
    named(view, "Tabell").click()
    view.table.setFocus()
    view.table.selectRow(1)
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    focus = here(view)
    assert focus is not None
    QTest.keyClick(focus, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()
    assert here(view) is view.table


def test_a_click_on_the_ground_goes_to_the_board(view: TasksView) -> None:
    view.filter_line.button.setFocus()
    area = view.kanban.columns[1].area.viewport()
    QTest.mouseClick(area, Qt.MouseButton.LeftButton, pos=QPoint(60, 300))
    assert here(view) is view
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert focused(view) == "Beslut"
