# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of due dates and of the board's filter."""

from functools import partial

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.shots import story as told
from tests.shots.scene import Scene, Step
from ui.tasks.filter import Filter
from ui.tasks.view import TasksView


def _board(s: Scene) -> TasksView:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    return view


def _type(s: Scene, text: str) -> TasksView:
    view = _board(s)
    view.editor.open_card(s.story.card)
    due = view.editor.due
    before = due._value
    due.field.setFocus()
    due.field.selectAll()
    QTest.keyClicks(due.field, text)

    def end() -> None:
        due._set(before)
        view.editor.close_card()

    s.ends.append(end)
    return view


async def typed(s: Scene, text: str) -> QWidget:
    _type(s, text)
    return s.window


async def wrong(s: Scene) -> QWidget:
    _type(s, "31/2").editor.due.keep()
    return s.window


async def calendar(s: Scene) -> QWidget:
    _type(s, "v. 50").editor.due._open()
    shown = QApplication.activePopupWidget()
    assert shown is not None
    s.ends.append(shown.close)
    return s.window


async def filtered(s: Scene) -> QWidget:
    view = _board(s)
    view.editor.close_card()
    view.filter_line.mine.click()
    label = view.board.labels()[0]
    view.filter_line.chosen.emit(view._filter.toggled(label=label.id))
    s.ends.append(partial(view.filter_line.chosen.emit, Filter()))
    return s.window


VIEWS: dict[str, Step] = {
    "card-due": partial(typed, text="fredag"),
    "card-due-wrong": wrong,
    "card-calendar": calendar,
    "board-filtered": filtered,
}
