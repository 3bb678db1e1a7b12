# SPDX-License-Identifier: EUPL-1.2
"""Reminders of messages: from the menu and by command, shown at the message and read out."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.ids import ChangeId
from tests.office import CHANNEL, ROOM, Desk
from tests.ui.finding import open_menu
from tests.ui.view_parts import NoReminders
from ui.chat.view import ChatView


def test_a_message_is_reminded_of_from_its_menu_and_shows_it(hl: Desk, qtbot: QtBot) -> None:
    hl.chat.send(ROOM, "Först å")
    sent = hl.chat.send(ROOM, "Sedan 🙂")
    reminders = NoReminders()
    view = ChatView(hl.chat, ROOM, reminders=reminders)
    qtbot.addWidget(view)
    view.resize(800, 700)
    view.show()
    message = view.message_actions._find(sent)
    assert message is not None
    height = view.list.layout_of(1).height
    view.message_actions.open_menu(message, QPoint(10, 10))
    menu = open_menu()
    entry = next(action for action in menu.actions() if action.text() == "Påminn mig …")
    menu.close()
    entry.trigger()
    QTest.keyClick(open_menu(), Qt.Key.Key_2)
    (row,) = reminders.rows.values()
    assert (row.room, row.obj, row.kind, row.ref) == (ROOM, CHANNEL, "chat", sent)
    assert "du har en påminnelse" in view.model.spoken(1)
    assert "du har en påminnelse" not in view.model.spoken(0)
    assert view.list.layout_of(1).reminded
    assert view.list.layout_of(1).height >= height
    reminders.remove(row.id)
    assert not view.list.layout_of(1).reminded


def test_the_command_is_for_the_current_message_or_the_latest_and_for_no_deleted_one(hl: Desk, qtbot: QtBot) -> None:
    first, last = hl.chat.send(ROOM, "Först å"), hl.chat.send(ROOM, "Sedan 🙂")
    reminders = NoReminders()
    view = ChatView(hl.chat, ROOM, reminders=reminders)
    qtbot.addWidget(view)
    view.show()

    def remind() -> set[bytes]:
        view.doable()["remind"]()
        QTest.keyClick(open_menu(), Qt.Key.Key_1)
        return {row.ref for row in reminders.rows.values()}

    assert remind() == {last}
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_Home)
    assert remind() == {first, last}
    hl.chat.delete(ROOM, ChangeId(first))
    assert view.doable() == {}
    assert ChatView(hl.chat, ROOM).doable() == {}
