# SPDX-License-Identifier: EUPL-1.2
"""A full disk, a locked database and a closed store during each editing action of a board and its card panel: the fault
is shown once, the edit stays in memory, Try again works, and locking keeps it."""

from collections.abc import Callable
from datetime import date

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.errors import StoreFault
from app.tasks.model import Board
from tests.office import BOARD_ID, ROOM
from tests.ui.refusing import PASSING, Fault, Place, announced, fault, place, press_again, reopened
from ui.kit.unsaved_bar import edit_unseen
from ui.tasks.checklist import CheckRow
from ui.tasks.view import TasksView


def held_by(board: Board) -> object:
    """All that a board holds."""
    cards = sorted((*board.all_cards(), *board.archived(), *board.put_away()), key=lambda card: card.id)
    columns = [(column, [card.id for card in board.cards(column.id)]) for column in board.columns()]
    return cards, columns, board.labels()


def panel(view: TasksView) -> str:
    """Opens the first card."""
    card = view.board.cards(view.board.columns()[1].id)[0].id
    view.editor.open_card(card)
    return card


def first(view: TasksView) -> str:
    return view.board.cards(view.board.columns()[1].id)[0].id


def check_row(view: TasksView) -> CheckRow:
    panel(view)
    row = view.editor.checklist.findChild(CheckRow)
    assert row is not None
    return row


def new_card(view: TasksView) -> None:
    view.new_button.click()
    QTest.keyClicks(view.editor.title, "Ring upp")
    view.editor.close_card()


def title(view: TasksView) -> None:
    panel(view)
    QTest.keyClicks(view.editor.title, " igen")
    view.editor.close_card()


def description(view: TasksView) -> None:
    panel(view)
    view.editor.description.setFocus()
    QTest.keyClicks(view.editor.description, "Svar har kommit")
    view.editor.close_card()


def chosen_column(view: TasksView) -> None:
    panel(view)
    view.editor.column.setCurrentIndex(0)
    view.editor.column.activated.emit(0)


def assignee(view: TasksView) -> None:
    panel(view)
    view.editor.assignee.setCurrentIndex(2)
    view.editor.assignee.activated.emit(2)


def due(view: TasksView) -> None:
    panel(view)
    view.editor.due.changed.emit(date(2026, 12, 24))


def label(view: TasksView) -> None:
    view.editor.labels.set_label(panel(view), view.board.labels()[0].id, True)


def ticked(view: TasksView) -> None:
    check_row(view)._box.click()


def line_renamed(view: TasksView) -> None:
    field = check_row(view)._field
    field.setFocus()
    QTest.keyClicks(field, " noga")
    QTest.keyClick(field, Qt.Key.Key_Return)


def line_removed(view: TasksView) -> None:
    check_row(view)._cross.click()


def line_added(view: TasksView) -> None:
    panel(view)
    QTest.keyClicks(view.editor.checklist.new, "Svara")
    QTest.keyClick(view.editor.checklist.new, Qt.Key.Key_Return)


def moved_by_key(view: TasksView) -> None:
    card = view.kanban.card_widget(first(view))
    assert card is not None
    card.setFocus()
    QTest.keyClick(card, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)


def deleted_by_key(view: TasksView) -> None:
    card = view.kanban.card_widget(first(view))
    assert card is not None
    QTest.keyClick(card, Qt.Key.Key_Delete)


def undone(view: TasksView) -> None:
    view.board.undo.split()
    view.undo()


def entry(view: TasksView, of: str, text: str) -> None:
    """An entry of a card's or a column's menu."""
    menu, column = view._card_menu, view.board.columns()[1]
    entries = [*menu._moves(first(view)), *menu._assignments(first(view)), *menu._removals(first(view))]
    found = entries if of == "card" else view._column_menu._entries(column)
    next(e for e in found if e is not None and e.text == text).run()  # type: ignore[misc] # each of these does something


__all__ = ["announced", "fault", "place"]

BOARD: dict[str, Callable[[TasksView], object]] = {
    "a new task": new_card,
    "its title": title,
    "its description": description,
    "its column": chosen_column,
    "who does it": assignee,
    "its due date": due,
    "a label": label,
    "a line ticked": ticked,
    "a line renamed": line_renamed,
    "a line removed": line_removed,
    "a line added": line_added,
    "moved by keys": moved_by_key,
    "deleted by key": deleted_by_key,
    "undone": undone,
    "moved by menu": lambda view: entry(view, "card", "Flytta till Klart"),
    "assigned by menu": lambda view: entry(view, "card", "Tilldela Enhetschef"),
    "archived": lambda view: entry(view, "card", "Arkivera"),
    "restored": lambda view: view._restore(view.board.put_away()[0].id),
    "a column finished": lambda view: entry(view, "column", "Uppgifter här räknas som klara"),
    "a column moved": lambda view: entry(view, "column", "Flytta åt höger"),
    "a column deleted": lambda view: entry(view, "column", "Ta bort kolumnen"),
}


@pytest.mark.parametrize("action", BOARD)
def test_a_refused_edit_of_a_board_is_shown_once_kept_and_stored_later(
    qtbot: QtBot, place: Place, fault: Fault, announced: list[str], action: str
) -> None:
    board = place.tasks.board(ROOM)
    if action == "restored":
        board.delete_card(board.cards(board.columns()[1].id)[1].id)
    view = TasksView(place.tasks, ROOM)
    qtbot.addWidget(view)
    view.resize(1200, 800)
    view.show()
    before = held_by(board)
    refuse, code = fault
    with refuse(place):
        BOARD[action](view)
        kept = held_by(board)
        assert kept != before, "the edit is in memory"
        assert view.unsaved_bar.isVisible()
        assert len(announced) == 1
        assert code in view.unsaved_bar.code()
        view.board.rename_column(view.board.columns()[0].id, "Inkommet")
        press_again(view.unsaved_bar)
        with pytest.raises(StoreFault):
            place.save()
        assert len(announced) == 1, "once, however often it is refused"
        assert view.unsaved_bar.isVisible()
        kept = held_by(board)
    assert place.notified == []
    if code == "store-closed":
        assert place.tasks.unsaved_changes()[BOARD_ID], "handed to who closes"
        return
    press_again(view.unsaved_bar)
    assert not view.unsaved_bar.isVisible()
    assert place.tasks.unsaved_ids() == []
    with reopened(place) as again:
        assert held_by(again.tasks.board(ROOM)) == kept


class Windows(QObject):
    """Counts the widgets that are shown as windows."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


@pytest.mark.parametrize("fault", PASSING, indirect=True)
def test_a_view_that_is_opened_with_refused_edits_shows_its_bar_and_no_window(
    qtbot: QtBot, qapp: QApplication, place: Place, fault: Fault
) -> None:
    """A bar that is shown before it has a parent is a window of its own for a moment, and takes the focus."""
    first_view, windows = TasksView(place.tasks, ROOM), Windows()
    qtbot.addWidget(first_view)
    first_view.show()
    refuse, _ = fault
    with refuse(place):
        title(first_view)
        qapp.installEventFilter(windows)
        try:
            again = TasksView(place.tasks, ROOM)
        finally:
            qapp.removeEventFilter(windows)
        qtbot.addWidget(again)
        assert windows.shown == []
        assert not again.unsaved_bar.isHidden()


def test_an_edit_that_no_bar_shows_is_shown_by_a_message_with_try_again(
    qtbot: QtBot, place: Place, fault: Fault
) -> None:
    """For example, a task that is ticked on Home."""
    owner, board = QWidget(), place.tasks.board(ROOM)
    qtbot.addWidget(owner)
    refuse, code = fault
    with refuse(place):
        rename = lambda: board.rename_column(board.columns()[0].id, "Inkommet å")  # noqa: E731 - what is refused
        assert not edit_unseen(owner, place.tasks, BOARD_ID, rename)
        ((notified, again),) = place.notified
        assert notified == code
        assert again is not None
        again()
        assert len(place.notified) == 2, "Try again shows a new refusal"
    if code == "store-closed":
        return
    again()
    assert len(place.notified) == 2
    with reopened(place) as later:
        assert later.tasks.board(ROOM).columns()[0].title == "Inkommet å"
