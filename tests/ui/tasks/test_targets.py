# SPDX-License-Identifier: EUPL-1.2
"""What one does on the board happens to the card or column that one sees it at, also while others change the board."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from app.objects.links import ObjectLink
from tests.office import ROOM, Desk
from tests.ui.pointing import click, point, press, release, wheel
from tests.ui.tasks.boards import CONTROL, card, drag, titles
from ui.tasks.card_widget import CardWidget
from ui.tasks.view import TasksView

MANY = 30


class Window(QMainWindow):
    """A shell that only keeps the last message's Undo."""

    undo: Callable[[], object] | None = None

    def open_link(self, link: ObjectLink) -> None: ...

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        self.undo = undo


@pytest.fixture
def window(hl: Desk, qtbot: QtBot) -> Window:
    board = hl.tasks.board(ROOM)
    for i in range(MANY):
        board.add_card(board.columns()[0].id, f"Kort {i} åäö 🙂")
    made = Window()
    qtbot.addWidget(made)
    made.setCentralWidget(TasksView(hl.tasks, ROOM))
    made.resize(1100, 700)
    made.show()
    made.activateWindow()
    return made


@pytest.fixture
def view(window: Window) -> TasksView:
    made = window.centralWidget()
    assert isinstance(made, TasksView)
    return made


def under(view: TasksView, at: QPoint) -> CardWidget:
    """The card at a point of the first column."""
    area = view.kanban.columns[0].area.viewport()
    found = area.childAt(at)
    assert isinstance(found, CardWidget)
    return found


def lit(view: TasksView) -> list[str]:
    return [w.card.title for column in view.kanban.columns for w in column.cards if w.lit]


def test_the_mark_under_the_pointer_stays_on_no_card_that_the_wheel_took_away(view: TasksView) -> None:
    area, at = view.kanban.columns[0].area.viewport(), QPoint(60, 200)
    point(area, at)
    first = under(view, at)
    assert lit(view) == [first.card.title]
    wheel(area, -2, at)
    now = under(view, at)
    assert now is not first
    assert lit(view) in ([], [now.card.title])
    click(area, at)
    assert view.editor.title.text() == now.card.title
    point(area, at)
    assert lit(view) == [now.card.title]


def menu_at(view: TasksView, at: QPoint) -> QMenu:
    area = view.kanban.columns[0].area.viewport()
    where = area.mapToGlobal(at)
    widget = under(view, at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, widget.mapFromGlobal(where), where)
    QApplication.sendEvent(widget, event)
    return open_menu(view)


def open_menu(view: TasksView) -> QMenu:
    return next(m for m in view.findChildren(QMenu) if m.isVisible())


def choose(menu: QMenu, text: str) -> None:
    action = next(a for a in menu.actions() if a.text() == text)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def test_a_menu_acts_on_its_card_though_others_move_below_it(view: TasksView) -> None:
    wheel(view.kanban.columns[0].area.viewport(), -3)
    at = QPoint(60, 200)
    meant = under(view, at).card.title
    menu = menu_at(view, at)
    for i in range(5):  # a colleague's
        first = view.board.columns()[0].id
        view.board.add_card(first, f"Nytt {i}", before=view.board.cards(first)[0].id)
    choose(menu, "Ta bort")
    assert meant not in titles(view)[0]
    assert len(titles(view)[0]) == MANY + 4


@pytest.mark.parametrize("way", ["deleted", "archived"])
def test_a_menu_closes_when_its_card_is_gone(view: TasksView, way: str) -> None:
    at = QPoint(60, 200)
    card_id = under(view, at).card.id
    menu = menu_at(view, at)
    if way == "deleted":
        view.board.delete_card(card_id)
    else:
        view.board.archive_card(card_id)
    assert not menu.isVisible()


def test_a_menu_closes_when_its_column_is_gone(view: TasksView) -> None:
    head = next(b for b in view.findChildren(QPushButton) if b.accessibleName() == "Kolumn Pågår")
    click(head)
    menu = open_menu(view)
    view.board.delete_column(view.board.columns()[1].id)
    assert not menu.isVisible()


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_drag_ends_when_somebody_else_takes_the_card(view: TasksView, how: str) -> None:
    widget = card(view, "Kort 1 åäö 🙂")
    target = view.kanban.columns[2].area
    drag(widget, target.mapToGlobal(QPoint(40, 60)), drop=False)
    assert view.kanban._drag.dragging
    if how == "deleted":
        view.board.delete_card(widget.card.id)
    else:
        view.board.move_card(widget.card.id, view.board.columns()[1].id)
    after = titles(view)
    assert not view.kanban._drag.dragging
    assert not view.kanban._ticker.isActive()
    release(target, QPoint(40, 60))
    assert titles(view) == after
    press(card(view, "Kort 2 åäö 🙂"))
    release(card(view, "Kort 2 åäö 🙂"))
    assert view.editor.title.text() == "Kort 2 åäö 🙂"


def test_undo_in_the_message_brings_back_the_column_and_not_something_else(view: TasksView, window: Window) -> None:
    before = [(column.title, column.done) for column in view.board.columns()]
    inside = titles(view)[0]
    head = next(b for b in view.findChildren(QPushButton) if b.accessibleName() == "Kolumn Att göra")
    click(head)
    choose(open_menu(view), "Ta bort kolumnen")
    undo = window.undo
    assert undo is not None
    moved = view.kanban.columns[1].cards[0] if view.kanban.columns[1].cards else view.kanban.columns[0].cards[0]
    view.kanban.focus_card(moved.card.id)
    QTest.keyClick(moved, Qt.Key.Key_Right, CONTROL)  # the person goes on working
    undo()
    assert [(column.title, column.done) for column in view.board.columns()] == before
    here = view.board.column_of(moved.card.id)
    assert here is not None
    assert here.title != "Att göra", "the move stays"
    assert titles(view)[0] == [title for title in inside if title != moved.card.title]
