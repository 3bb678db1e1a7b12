# SPDX-License-Identifier: EUPL-1.2
"""The board as a person uses it: by mouse, by keyboard, and by the names that controls have."""

from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import Uid
from tests.app.objects.crdts import crdt_of
from tests.counting import lines_run
from tests.office import EK, HL, NAMES, ROOM, Desk, desk, start_board
from tests.ui.tasks.boards import CONTROL, card, drag, focused, menu_of, named, titles, view
from tests.ui.walking import check
from tests.world import until
from ui.tasks.archive import ArchiveDialog
from ui.tasks.card_widget import CardLook, CardWidget
from ui.tasks.filter import Filter
from ui.tasks.view import TasksView

__all__ = ["view"]  # a fixture


def test_a_card_is_dragged_to_another_column(view: TasksView, qtbot: QtBot) -> None:
    target = view.kanban.columns[1].area
    drag(card(view, "b"), target.mapToGlobal(QPoint(40, 60)))
    assert titles(view)[:2] == [["a", "c"], ["b"]]
    assert focused(view) == "b"


def test_a_card_is_dragged_above_another(view: TasksView, qtbot: QtBot) -> None:
    drag(card(view, "c"), card(view, "a").mapToGlobal(QPoint(40, 4)))
    assert titles(view)[0] == ["c", "a", "b"]


def test_escape_puts_a_dragged_card_back(view: TasksView, qtbot: QtBot) -> None:
    widget = card(view, "b")
    target = view.kanban.columns[2].area
    drag(widget, target.mapToGlobal(QPoint(40, 60)), drop=False)
    assert view.kanban._drag.dragging
    QTest.keyClick(widget, Qt.Key.Key_Escape)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(700, 60))
    assert titles(view)[0] == ["a", "b", "c"]


def test_a_click_opens_the_card_and_escape_goes_back_to_it(view: TasksView, qtbot: QtBot) -> None:
    QTest.mouseClick(card(view, "b"), Qt.MouseButton.LeftButton)
    assert view.editor.isVisible()
    assert view.editor.title.text() == "b"
    QTest.keyClick(view.editor.title, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()
    assert focused(view) == "b"


def test_arrows_walk_and_control_arrows_move(view: TasksView) -> None:
    view.kanban.focus_card(card(view, "a").card.id)
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Down)
    assert focused(view) == "b"
    QTest.keyClick(card(view, "b"), Qt.Key.Key_Up, CONTROL)
    assert titles(view)[0] == ["b", "a", "c"]
    QTest.keyClick(card(view, "b"), Qt.Key.Key_Right, CONTROL)
    assert titles(view)[:2] == [["a", "c"], ["b"]]
    assert focused(view) == "b"
    QTest.keyClick(card(view, "b"), Qt.Key.Key_Left)
    assert focused(view) == "a"


def test_an_arrow_goes_from_the_board_as_a_whole_to_its_first_card(view: TasksView) -> None:
    view.setFocus()
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert focused(view) == "a"
    named(view, "Tabell").click()
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.table.hasFocus()


def test_control_z_takes_the_move_back(view: TasksView, qtbot: QtBot) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    view.kanban.focus_card(card(view, "a").card.id)
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Right, CONTROL)
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Z, CONTROL)
    assert titles(view)[0] == ["a", "b", "c"]


def test_delete_hides_the_card_and_undo_brings_it_back(view: TasksView) -> None:
    view.kanban.focus_card(card(view, "b").card.id)
    QTest.keyClick(card(view, "b"), Qt.Key.Key_Delete)
    assert titles(view)[0] == ["a", "c"]
    assert focused(view) == "c"
    view.undo()
    assert titles(view)[0] == ["a", "b", "c"]


def test_a_new_task_is_made_named_assigned_and_dated_by_keyboard(view: TasksView, hl: Desk) -> None:
    named(view, "Ny uppgift i Pågår").click()
    view.editor.title.setText("Skriv skälen för beslutet å 🙂")
    QTest.keyClick(view.editor.title, Qt.Key.Key_Tab)
    view.editor.assignee.setCurrentIndex(view.editor.assignee.findText("Enhetschef"))
    view.editor.assignee.activated.emit(view.editor.assignee.currentIndex())
    QTest.keyClicks(view.editor.due.field, "2026-11-27")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    view.editor.checklist.new.setText("Läs yttrandet")
    QTest.keyClick(view.editor.checklist.new, Qt.Key.Key_Return)
    made = view.kanban.columns[1].cards[0].card
    assert (made.title, made.assignee, made.due) == ("Skriv skälen för beslutet å 🙂", EK, date(2026, 11, 27))
    assert [item.text for item in made.checklist] == ["Läs yttrandet"]
    assert [row.title for row in hl.tasks.tasks(ROOM)].count("Skriv skälen för beslutet å 🙂") == 1


def test_the_menu_moves_a_card(view: TasksView) -> None:
    menu = menu_of(view, "a")
    next(action for action in menu.actions() if action.text() == "Flytta till Klart").trigger()
    menu.close()
    assert titles(view)[3] == ["a"]


def test_the_table_shows_the_same_cards(view: TasksView) -> None:
    named(view, "Tabell").click()
    assert view.table.isVisible()
    model = view.table.model()
    assert [model.data(model.index(row, 0)) for row in range(model.rowCount())] == ["a", "b", "c"]
    view.table.selectRow(1)
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    assert view.editor.title.text() == "b"


def test_every_control_has_a_name_of_its_own(view: TasksView) -> None:
    view.editor.open_card(card(view, "a").card.id)
    names: list[str] = []
    for widget in view.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            face = QAccessible.queryAccessibleInterface(widget)
            assert face is not None
            assert face.role() != QAccessible.Role.NoRole
            names.append(face.text(QAccessible.Text.Name))
    assert all(names), names
    assert len(names) == len(set(names)), names


def test_only_touched_cards_are_shown_again_and_are_in_the_order_of_the_board(view: TasksView) -> None:
    board, columns = view.board, [column.id for column in view.board.columns()]
    label = board.add_label("Brådskande", "danger")
    kept = card(view, "c")
    a, b, c = (card(view, title).card.id for title in "abc")
    board.move_card(b, columns[1])
    board.move_card(a, columns[1], b)
    board.set_label(c, label, True)
    d = board.add_card(columns[0], "d", before=c)
    board.archive_card(b)
    assert titles(view) == [["d", "c"], ["a"], [], []]
    assert card(view, "c") is kept
    assert "Brådskande" in kept.accessibleName()
    view.undo()
    board.delete_card(d)
    board.move_column(columns[1], columns[0])
    assert titles(view) == [["a", "b"], ["c"], [], []]
    shown = [[w.card.id for w in column.cards] for column in view.kanban.columns]
    assert shown == [[x.id for x in board.cards(column.id)] for column in board.columns()]


def test_an_empty_board_says_what_belongs_there_and_adds_the_first_task(hl: Desk, qtbot: QtBot) -> None:
    view = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(view)
    view.resize(1100, 700)
    view.show()
    assert view.nothing.isVisible()
    assert "Inga uppgifter än" in [label.text() for label in view.nothing.findChildren(QLabel)]
    named(view, "Kolumn Att göra")  # the columns can be worked with all the same
    named(view, "Lägg till den första uppgiften").click()
    view.editor.title.setText("Begär yttrande")
    QTest.keyClick(view.editor.title, Qt.Key.Key_Return)
    assert not view.nothing.isVisible()
    assert titles(view) == [["Begär yttrande"], [], [], []]
    view.undo()
    assert view.nothing.isVisible()


def test_a_filter_that_shows_nothing_says_so_and_can_be_taken_off(view: TasksView) -> None:
    view._set_filter(Filter(person=EK))
    assert view.nothing.isVisible()
    named(view, "Visa alla").click()
    assert not view.nothing.isVisible()
    assert titles(view) == [["a", "b", "c"], [], [], []]


async def test_archived_tasks_are_listed_opened_and_put_back_by_keys(view: TasksView, qtbot: QtBot) -> None:
    for title in ("c", "a"):
        view.board.archive_card(card(view, title).card.id)
    assert titles(view) == [["b"], [], [], []]

    async def asked() -> ArchiveDialog:
        QTest.keyClick(view, Qt.Key.Key_A, CONTROL | Qt.KeyboardModifier.ShiftModifier)
        await until(lambda: any(d.isVisible() for d in view.findChildren(ArchiveDialog)))
        return next(d for d in view.findChildren(ArchiveDialog) if d.isVisible())

    dialog = await asked()
    check(dialog)
    assert [dialog.list.item(i).text() for i in range(2)] == ["a · Att göra", "c · Att göra"]
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    await until(view.editor.isVisible)
    assert view.editor.title.text() == "a"
    named(view.editor, "Lägg tillbaka på tavlan").click()
    assert titles(view) == [["a", "b"], [], [], []]
    dialog = await asked()
    QTest.keyClick(dialog.list, Qt.Key.Key_Home)
    dialog.accept_button.click()
    await until(lambda: titles(view) == [["a", "b", "c"], [], [], []])
    view.open_archive()
    assert not view.board.archived()


def test_the_table_is_right_when_it_is_shown_later(view: TasksView) -> None:
    view.board.add_card(view.board.columns()[0].id, "sent ö")
    view._views.setCurrentIndex(1)
    model = view.table.model()
    assert "sent ö" in [model.index(row, 0).data() for row in range(model.rowCount())]


def work_of(folder: Path, qtbot: QtBot, count: int) -> tuple[int, int]:
    """Lines run to show a board of so many cards, and to move one of them."""
    at = desk(folder, HL)
    start_board(at)
    board = at.tasks.board(ROOM)
    ids = [column.id for column in board.columns()]
    for first in range(0, count, 100):  # as large as a change may be
        with crdt_of(board).transact():
            for i in range(first, min(first + 100, count)):
                board.add_card(ids[i % 4], f"kort {i} åäö")
    views: list[TasksView] = []

    def show() -> None:
        view = TasksView(at.tasks, ROOM)
        qtbot.addWidget(view)
        view.resize(1100, 700)
        view.show()
        view.grab()
        views.append(view)

    shown = lines_run(show)
    moved = views[0].kanban.columns[0].cards[5].card.id
    lines = lines_run(lambda: board.move_card(moved, ids[2], board.cards(ids[2])[0].id))
    assert views[0].kanban.columns[2].cards[0].card.id == moved
    print(count, shown, lines)
    at.close()
    return shown, lines


@pytest.mark.slow
def test_many_cards_are_no_more_work_a_card_and_one_that_moves_is_not_the_work_of_all(
    tmp_path: Path, qtbot: QtBot
) -> None:
    work_of(tmp_path / "first", qtbot, 40)  # icons and fonts are kept from then on
    few, many = (work_of(tmp_path / str(count), qtbot, count) for count in (200, 1000))
    assert many[0] < 1.5 * 5 * few[0]
    assert many[1] < 3 * few[1]
    assert many[1] < many[0] / 10


def test_somebody_who_was_added_later_is_named_on_their_cards(view: TasksView, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Uid(b"\x03" + b"a" * 15)
    monkeypatch.setitem(NAMES, later, "Arkivarie å")
    view.board.assign(card(view, "b").card.id, later)
    assert "tilldelad Arkivarie å" in card(view, "b").accessibleName()
    named(view, "Tabell").click()
    assert "Arkivarie å" in [view.table.model().index(row, 2).data() for row in range(3)]


def test_the_table_sorts_checklists_by_their_numbers(view: TasksView) -> None:
    for title, ticked, count in (("a", 10, 12), ("b", 2, 3), ("c", 2, 10)):
        shown = card(view, title).card.id
        for number in range(count):
            line = view.board.add_check_item(shown, f"Rad å {number}")
            view.board.toggle_check_item(shown, line, number < ticked)
    view.board.add_card(view.board.columns()[0].id, "utan")
    named(view, "Tabell").click()
    view.table.sortByColumn(5, Qt.SortOrder.AscendingOrder)
    model = view.table.model()
    assert [model.index(row, 5).data() for row in range(4)] == ["", "2/3", "2/10", "10/12"]


@pytest.mark.parametrize(
    ("key", "held"), [(Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier), (Qt.Key.Key_Y, CONTROL)]
)
def test_both_keys_of_redo_work_on_the_board(view: TasksView, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
    view.activateWindow()
    card(view, "a").setFocus()
    QTest.keyClick(card(view, "a"), Qt.Key.Key_Right, CONTROL)
    moved = titles(view)
    assert moved[0] == ["b", "c"]
    QTest.keyClick(view, Qt.Key.Key_Z, CONTROL)
    assert titles(view)[0] == ["a", "b", "c"]
    QTest.keyClick(view, key, held)
    assert titles(view) == moved


def test_another_name_end_or_place_of_a_column_looks_at_no_card_again(
    view: TasksView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a board of 3,000 cards that took 75 ms of the event loop. Whether a card is overdue depends on the end."""
    looked, first = list[str](), view.board.columns()[0].id
    view.board.set_due(card(view, "b").card.id, date(2020, 1, 2))
    show_look = CardWidget.show_look

    def counted(widget: CardWidget, look: CardLook) -> None:
        looked.append(look.card.title)
        show_look(widget, look)

    monkeypatch.setattr(CardWidget, "show_look", counted)
    view.board.rename_column(first, "Nytt å")
    view.board.move_column(first, None)
    assert (looked, titles(view)[-1]) == ([], ["a", "b", "c"])
    view.board.set_column_done(first, True)
    assert looked == ["b"]
    view.board.add_label("Brådskande", "danger")
    assert looked == ["b", "a", "b", "c"]
