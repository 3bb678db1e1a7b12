# SPDX-License-Identifier: EUPL-1.2
"""Several tasks written down one after the other, by keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.office import Desk, Positions
from tests.ui.tasks.boards import CONTROL, focused, named, titles
from tests.ui.tasks.test_editor import desks, open_by_click, shown, type_in
from ui.tasks.view import TasksView

__all__ = ["desks"]


@pytest.fixture
def view(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> TasksView:
    return shown(qtbot, desks[0])


def here(view: TasksView) -> QWidget:
    """What has the focus."""
    widget = view.window().focusWidget()
    assert widget is not None
    return widget


def press(view: TasksView, key: Qt.Key) -> None:
    QTest.keyClick(here(view), key)


def test_enter_makes_the_task_and_begins_the_next_in_the_same_column(view: TasksView) -> None:
    named(view, "Ny uppgift i Pågår").click()
    for title in ("Kort å", "Kort 🙂", "Kort 3"):
        assert here(view) is view.editor.title
        type_in(view.editor.title, title)
        press(view, Qt.Key.Key_Return)
        assert view.editor.title.text() == ""
    assert titles(view)[1] == ["Kort å", "Kort 🙂", "Kort 3"]
    assert not view.editor.column.isVisible(), "only a title is asked for"
    QTest.keyClick(here(view), Qt.Key.Key_Z, CONTROL)
    assert titles(view)[1] == ["Kort å", "Kort 🙂"]


def test_a_pause_before_enter_changes_nothing(view: TasksView, qtbot: QtBot) -> None:
    """The pause has put the first task on the board, and Enter begins the next one all the same."""
    view.new_button.click()
    type_in(view.editor.title, "Ring")
    qtbot.waitUntil(lambda: titles(view)[0] == ["Beslut", "Ring"])
    type_in(view.editor.title, " ombudet å")
    press(view, Qt.Key.Key_Enter)
    type_in(view.editor.title, "Skriv")
    press(view, Qt.Key.Key_Enter)
    assert titles(view)[0] == ["Beslut", "Ring ombudet å", "Skriv"]


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_enter_without_a_title_or_escape_ends_at_the_last_task(view: TasksView, end: Qt.Key) -> None:
    named(view, "Ny uppgift i Pågår").click()
    type_in(view.editor.title, "Kort å")
    press(view, Qt.Key.Key_Return)
    press(view, end)
    assert not view.editor.isVisible()
    assert titles(view)[:2] == [["Beslut"], ["Kort å"]]
    assert focused(view) == "Kort å"


def test_tab_goes_on_with_the_task_and_enter_then_begins_no_other(view: TasksView) -> None:
    named(view, "Ny uppgift i Pågår").click()
    type_in(view.editor.title, "Kort å")
    press(view, Qt.Key.Key_Tab)
    assert here(view) is view.editor.column
    QTest.keyClick(here(view), Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    press(view, Qt.Key.Key_Return)
    assert view.editor.title.text() == "Kort å"
    assert titles(view)[1] == ["Kort å"]


def test_the_next_task_is_announced(view: TasksView, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    monkeypatch.setattr("ui.tasks.editor.announce", lambda _widget, text: announced.append(text))
    view.new_button.click()
    type_in(view.editor.title, "Kort å")
    press(view, Qt.Key.Key_Return)
    assert announced == ["”Kort å” är på tavlan. Nu nästa uppgift."]


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_a_task_that_is_opened_after_a_new_one_was_given_up_has_all_its_fields(view: TasksView, end: Qt.Key) -> None:
    open_by_click(view)
    fields = [field for field in view.editor.findChildren(QWidget) if field.isVisible()]
    view.new_button.click()
    press(view, end)
    open_by_click(view)
    assert [field for field in view.editor.findChildren(QWidget) if field.isVisible()] == fields
