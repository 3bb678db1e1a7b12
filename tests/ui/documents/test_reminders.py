# SPDX-License-Identifier: EUPL-1.2
"""Reminders of documents: in the list and in the open document."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.app.documents.desks import World
from tests.office import HL, ROOM
from tests.ui.finding import open_menu
from tests.ui.soon import caught_up
from tests.ui.view_parts import NoReminders
from ui.documents.view import DocumentsView


def test_a_document_is_reminded_of_from_the_list_and_shows_it_there_and_when_it_is_open(
    world: World, qtbot: QtBot
) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    reminders = NoReminders()
    view = DocumentsView(hl.documents, ROOM, reminders=reminders)
    qtbot.addWidget(view)
    view.show()
    view.list.documents.menu_wanted.emit(obj, QPoint(10, 10))
    menu = open_menu()
    entry = next(action for action in menu.actions() if action.text() == "Påminn mig …")
    menu.close()
    entry.trigger()
    QTest.keyClick(open_menu(), Qt.Key.Key_2)
    caught_up(view)
    (row,) = reminders.rows.values()
    assert (row.room, row.obj, row.kind, row.ref) == (ROOM, obj, "document", b"")
    spoken = view.list.documents.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert ", Påminnelse " in spoken
    view.open(obj)
    assert view.document is not None
    assert view.document.remind.accessibleName().startswith("Påminnelse ")
    view.doable()["remind"]()
    QTest.keyClick(open_menu(), Qt.Key.Key_Delete)
    assert view.document.remind.accessibleName() == "Påminn mig"
    view.document.remind.click()
    QTest.keyClick(open_menu(), Qt.Key.Key_1)
    assert reminders.places(obj) == {b""}
