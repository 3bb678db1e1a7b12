# SPDX-License-Identifier: EUPL-1.2
"""Reminders of cards: from a card's menu, in the open card, and as a sign on the board."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.office import BOARD_ID, HL, ROOM, Desk
from tests.ui.finding import open_menu
from tests.ui.view_parts import NoReminders
from ui.reminding import ReminderButton
from ui.tasks.view import TasksView


def test_a_card_is_reminded_of_and_shows_it_on_the_board_and_in_its_panel(hl: Desk, qtbot: QtBot) -> None:
    board = hl.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å 🙂", by=HL)
    reminders = NoReminders()
    view = TasksView(hl.tasks, ROOM, BOARD_ID, reminders=reminders)
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    shown = view.kanban.card_widget(card)
    assert shown is not None
    view._card_menu.open(card, QPoint(10, 10))
    menu = open_menu()
    entry = next(action for action in menu.actions() if action.text() == "Påminn mig …")
    menu.close()
    entry.trigger()
    QTest.keyClick(open_menu(), Qt.Key.Key_3)
    (row,) = reminders.rows.values()
    assert (row.room, row.obj, row.kind, row.ref) == (ROOM, BOARD_ID, "board", card.encode())
    assert "du har en påminnelse" in shown.accessibleName()
    view.editor.open_card(card)
    (button,) = view.editor.findChildren(ReminderButton)
    assert button.isVisible()
    assert button.accessibleName().startswith("Påminnelse mån")
    button.click()
    QTest.keyClick(open_menu(), Qt.Key.Key_Delete)
    assert reminders.rows == {}
    assert button.accessibleName() == "Påminn mig"
    assert "påminnelse" not in shown.accessibleName()


def test_the_command_is_for_the_open_card_and_a_new_card_has_no_button(hl: Desk, qtbot: QtBot) -> None:
    board = hl.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=HL)
    reminders = NoReminders()
    view = TasksView(hl.tasks, ROOM, BOARD_ID, reminders=reminders)
    qtbot.addWidget(view)
    view.show()
    assert view.doable() == {}
    view.editor.open_card(card)
    view.doable()["remind"]()
    QTest.keyClick(open_menu(), Qt.Key.Key_1)
    assert {row.ref for row in reminders.rows.values()} == {card.encode()}
    (button,) = view.editor.findChildren(ReminderButton)
    view.new_button.click()
    assert not button.isVisible()
