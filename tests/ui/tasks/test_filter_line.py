# SPDX-License-Identifier: EUPL-1.2
"""The board's filter as a person sets, sees and removes it; and the message when it hides a card."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QMenu
from pytestqt.qtbot import QtBot

from app.objects.links import ObjectLink
from app.tasks.model import Board
from tests.office import EK, HL, ROOM, Desk
from tests.ui.tasks.boards import card, named, titles
from tests.ui.tasks.test_editor import type_in
from ui.kit.toast import Toast
from ui.kit.translate import local_now
from ui.tasks.view import TasksView


class Window(QMainWindow):
    """As much of the shell as a board asks for."""

    def __init__(self, view: TasksView) -> None:
        super().__init__()
        self.setCentralWidget(view)
        self.message = Toast(self)

    def open_link(self, link: ObjectLink) -> None:
        raise NotImplementedError

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        self.message.show_text(text, undo, action)


@pytest.fixture
def view(hl: Desk, qtbot: QtBot) -> TasksView:
    board = hl.tasks.board(ROOM)
    first = board.columns()[0].id
    urgent = board.add_label("Brådskande å", "danger")
    today = local_now().date()
    board.add_card(first, "min", assignee=HL, due=today - timedelta(days=3), labels=[urgent])
    board.add_card(first, "min sen", assignee=HL)
    board.add_card(first, "chefens", assignee=EK, due=today - timedelta(days=3))
    window = Window(TasksView(hl.tasks, ROOM))
    qtbot.addWidget(window)
    window.resize(1100, 700)
    window.show()
    made = window.centralWidget()
    assert isinstance(made, TasksView)
    return made


def message(view: TasksView) -> Toast:
    window = view.window()
    assert isinstance(window, Window)
    return window.message


def menu(view: TasksView) -> QMenu:
    QTest.mouseClick(view.filter_line.button, Qt.MouseButton.LeftButton)
    found = QApplication.activePopupWidget()
    assert isinstance(found, QMenu)
    return found


def choose(view: TasksView, *words: str) -> None:
    for text in words:
        opened = menu(view)
        opened.setActiveAction(next(action for action in opened.actions() if action.text() == text))
        QTest.keyClick(opened, Qt.Key.Key_Return)


def parts(view: TasksView) -> list[str]:
    """The parts of the filter that the line under the head shows."""
    line = view.filter_line
    found = [b for b in line.findChildren(QAbstractButton) if b.isVisible() and b.property("kind") == "part"]
    return [button.text().strip() for button in sorted(found, key=lambda button: button.mapTo(line, QPoint()).x())]


def test_mine_is_one_click_there_and_one_back(view: TasksView) -> None:
    assert not view.filter_line.isVisible()
    QTest.mouseClick(named(view, "Mina"), Qt.MouseButton.LeftButton)
    assert titles(view)[0] == ["min", "min sen"]
    assert view.filter_line.mine.isChecked()
    assert view.filter_line.isVisible()
    assert parts(view) == ["Mina"]
    QTest.mouseClick(named(view, "Mina"), Qt.MouseButton.LeftButton)
    assert titles(view)[0] == ["min", "min sen", "chefens"]
    assert not view.filter_line.mine.isChecked()
    assert not view.filter_line.isVisible()


def test_what_is_chosen_is_shown_and_each_part_can_be_taken_away(view: TasksView) -> None:
    choose(view, "Handläggare", "Försenade", "Brådskande å")
    assert titles(view)[0] == ["min"]
    assert parts(view) == ["Mina", "Försenade", "Brådskande å"]
    assert view.filter_line.mine.isChecked()
    ticked = menu(view)
    assert [a.text() for a in ticked.actions() if a.isChecked()] == ["Handläggare", "Försenade", "Brådskande å"]
    assert all(a.icon().isNull() for a in ticked.actions() if a.isCheckable()), "an icon would cover the tick"
    ticked.close()
    QTest.mouseClick(named(view, "Filtrera inte på Mina"), Qt.MouseButton.LeftButton)
    QTest.mouseClick(named(view, "Filtrera inte på Brådskande å"), Qt.MouseButton.LeftButton)
    assert parts(view) == ["Försenade"]
    assert titles(view)[0] == ["min", "chefens"]
    assert not view.filter_line.mine.isChecked()
    choose(view, "Enhetschef")
    assert parts(view) == ["Enhetschef", "Försenade"]
    QTest.mouseClick(named(view, "Ta bort filtret"), Qt.MouseButton.LeftButton)
    assert parts(view) == []
    assert titles(view)[0] == ["min", "min sen", "chefens"]


def test_taking_parts_away_by_keys_keeps_the_focus_at_the_filter(view: TasksView, qtbot: QtBot) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    choose(view, "Handläggare", "Försenade")
    for name, then in (("Filtrera inte på Mina", "Ta bort filtret"), ("Filtrera inte på Försenade", "Filter")):
        button = named(view.filter_line, name)
        button.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(button, Qt.Key.Key_Space)
        focus = view.window().focusWidget()
        assert focus is not None
        assert focus.accessibleName() == then


def test_a_long_name_ends_in_dots_and_is_whole_in_the_tool_tip(view: TasksView) -> None:
    long = "Kompletteringar som vi väntar på från sökandens ombud i första hand 🙂"
    view.board.add_label(long, "info")
    choose(view, long)
    (shown,) = parts(view)
    assert shown.endswith("…")
    assert named(view, f"Filtrera inte på {long}").isVisible()
    assert view.filter_line.button.width() < 150


def test_a_new_task_that_the_filter_hides_says_so_and_can_be_shown(view: TasksView) -> None:
    QTest.mouseClick(named(view, "Mina"), Qt.MouseButton.LeftButton)
    QTest.mouseClick(view.new_button, Qt.MouseButton.LeftButton)
    type_in(view.editor.title, "Ring ombudet å")
    QTest.keyClick(view.editor.title, Qt.Key.Key_Return)
    assert titles(view)[0] == ["min", "min sen"]
    sentence = message(view)
    assert sentence.isVisible()
    assert sentence.text() == "”Ring ombudet å” finns på tavlan, men filtret visar den inte"
    QTest.mouseClick(named(sentence, "Visa alla"), Qt.MouseButton.LeftButton)
    assert titles(view)[0] == ["min", "min sen", "chefens", "Ring ombudet å"]
    assert not view.filter_line.isVisible()
    assert card(view, "Ring ombudet å").hasFocus() or view.editor.isVisible()


@pytest.mark.parametrize("how", ["assignee", "due", "label", "undo"])
def test_an_edit_that_hides_a_card_says_so(view: TasksView, how: str) -> None:
    choose(view, "Handläggare", "Försenade", "Brådskande å")
    found = card(view, "min").card
    if how == "undo":
        view.board.assign(found.id, EK)
        view.undo()
        assert titles(view)[0] == ["min"]
        message(view).hide()
        view.redo()
    view.editor.open_card(found.id)
    if how == "assignee":
        view.editor.assignee.setFocus()
        QTest.keyClick(view.editor.assignee, Qt.Key.Key_Down)
        view.editor.assignee.activated.emit(view.editor.assignee.currentIndex())
    elif how == "due":
        field = view.editor.due.field
        field.setFocus()
        field.selectAll()
        type_in(field, "om två veckor")
        QTest.keyClick(field, Qt.Key.Key_Return)
    elif how == "label":
        QTest.mouseClick(view.editor.labels.button, Qt.MouseButton.LeftButton)
        labels = QApplication.activePopupWidget()
        assert isinstance(labels, QMenu)
        labels.setActiveAction(labels.actions()[0])
        QTest.keyClick(labels, Qt.Key.Key_Return)
    assert titles(view)[0] == []
    assert message(view).text() == "”min” finns på tavlan, men filtret visar den inte"
    assert message(view).isVisible()


def test_nothing_is_announced_of_cards_that_stay_go_away_or_were_hidden(view: TasksView, hl: Desk) -> None:
    view.board.assign(card(view, "chefens").card.id, HL)
    assert not message(view).isVisible(), "no filter"
    view.board.assign(card(view, "chefens").card.id, EK)
    hidden = card(view, "chefens").card.id
    QTest.mouseClick(named(view, "Mina"), Qt.MouseButton.LeftButton)
    view.board.set_due(card(view, "min").card.id, date(2030, 1, 1))
    view.board.set_due(hidden, date(2030, 1, 1))
    view.board.archive_card(card(view, "min sen").card.id)
    assert not message(view).isVisible()
    view.kanban.focus_card(card(view, "min").card.id)
    QTest.keyClick(card(view, "min"), Qt.Key.Key_Delete)
    assert message(view).text() == "”min” ligger i papperskorgen"


def test_what_a_colleague_does_is_not_announced(view: TasksView, hl: Desk) -> None:
    QTest.mouseClick(named(view, "Mina"), Qt.MouseButton.LeftButton)
    other = Board(me=EK)
    other.merge([view.board.diff(None)])
    before = other.state()
    other.assign(card(view, "min").card.id, EK)
    view.board.merge([other.diff(before)])
    assert titles(view)[0] == ["min sen"]
    assert not message(view).isVisible()
    other.close()
