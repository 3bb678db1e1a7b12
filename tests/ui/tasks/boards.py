# SPDX-License-Identifier: EUPL-1.2
"""The view of a board with three cards, and how a test finds and drags what is in it."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.office import ROOM, Desk
from ui.tasks.card_widget import CardWidget
from ui.tasks.view import TasksView

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def view(hl: Desk, qtbot: QtBot) -> TasksView:
    return board_view(qtbot, hl, "a", "b", "c")


def board_view(qtbot: QtBot, hl: Desk, *titles: str) -> TasksView:
    """The board, shown, with cards of these titles in its first column."""
    board = hl.tasks.board(ROOM)
    for title in titles:
        board.add_card(board.columns()[0].id, title)
    made = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def titles(view: TasksView) -> list[list[str]]:
    return [[widget.card.title for widget in column.cards] for column in view.kanban.columns]


def card(view: TasksView, title: str) -> CardWidget:
    return next(w for column in view.kanban.columns for w in column.cards if w.card.title == title)


def named(view: QWidget, name: str) -> QAbstractButton:
    found = [b for b in view.findChildren(QAbstractButton) if b.accessibleName() == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def focused(view: TasksView) -> str:
    focus = view.focusWidget()
    return focus.card.title if isinstance(focus, CardWidget) else ""


def drag(widget: QWidget, to: QPoint, *, drop: bool = True) -> None:
    """Presses the widget's middle and moves to a global point."""
    start = widget.rect().center()
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    end = widget.mapFromGlobal(to)
    for step in range(1, 6):
        _move(widget, start + (end - start) * step / 5)
    if drop:
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)


def _move(widget: QWidget, pos: QPoint) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    where, everywhere = QPointF(pos), QPointF(widget.mapToGlobal(pos))
    event = QMouseEvent(QEvent.Type.MouseMove, where, everywhere, none, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def menu_of(view: TasksView, title: str) -> QMenu:
    widget = card(view, title)
    view.kanban.card_menu_asked.emit(widget.card.id, widget.mapToGlobal(QPoint(5, 5)))
    return next(m for m in view.findChildren(QMenu) if m.isVisible())
