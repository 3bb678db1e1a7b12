# SPDX-License-Identifier: EUPL-1.2
"""Putting documents away and getting them back, as a person does it; and what a colleague who has one open sees."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QListView, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.objects.trash import Trash
from tests.app.documents.desks import World
from tests.office import EK, HL, ROOM
from tests.ui.documents.shown_documents import opened, show
from tests.ui.walking import check
from tests.world import until
from ui.documents.view import DocumentsView
from ui.trash import TrashDialog


def put_away(view: DocumentsView) -> None:
    """By key, in the menu of the row that is chosen."""
    view.list.documents.setFocus()
    rows: QListView = view.list.documents
    QApplication.sendEvent(rows.viewport(), QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint()))
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    next(action for action in menu.actions() if action.text() == "Lägg undan").trigger()
    menu.close()


def pressed(view: QWidget, name: str) -> None:
    found = [b for b in view.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name]
    assert len(found) == 1, (name, len(found))
    found[0].click()


async def test_a_document_is_put_away_read_there_and_restored(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut å")
    view = show(qtbot, hl)
    assert not view.list.trash.isVisible()
    put_away(view)
    assert view.list.all_away.isVisible(), "it does not say that there are no documents yet"
    assert view.list.trash.accessibleName() == "Papperskorg (1)"
    assert view.list.new.isVisible()
    pressed(view, "Papperskorg (1)")
    await until(lambda: any(d.isVisible() for d in view.findChildren(TrashDialog)))
    dialog = next(d for d in view.findChildren(TrashDialog) if d.isVisible())
    check(dialog)
    assert [dialog.list.item(at).text() for at in range(dialog.list.count())] == ["Beslut å · Handläggare · nyss"]
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    await until(lambda: view.document is not None)
    document = opened(view)
    assert document.obj == obj
    assert document.bar.text() == "Du lade det här i papperskorgen (nyss). Det som skrivs här finns kvar."
    pressed(document.bar, "Återställ")
    assert not document.bar.isVisible()
    view.show_list()
    assert [row.title for row in view.list.documents.rows.rows] == ["Beslut å"]
    assert not view.list.trash.isVisible()


async def test_what_is_chosen_in_the_trash_is_put_back(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    for title in ("Beslut", "Skrivelse", "Kvar"):
        hl.documents.create(ROOM, title)
    for row in hl.documents.list(ROOM):
        if row.title != "Kvar":
            hl.documents.delete(row.obj)
    view = show(qtbot, hl)
    pressed(view, "Papperskorg (2)")
    await until(lambda: any(d.isVisible() for d in view.findChildren(TrashDialog)))
    dialog = next(d for d in view.findChildren(TrashDialog) if d.isVisible())
    QTest.keyClick(dialog.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    dialog.accept_button.click()
    await until(lambda: len(view.list.documents.rows.rows) == 3)
    assert not view.list.trash.isVisible()


def test_a_person_who_has_it_open_sees_it_and_what_they_write_is_kept(qtbot: QtBot, world: World) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut")
    world.deliver()
    theirs = opened(show(qtbot, ek, obj))
    mine = show(qtbot, hl)
    assert not theirs.bar.isVisible()
    put_away(mine)
    world.deliver()
    assert theirs.bar.isVisible()
    assert theirs.bar.text().startswith("Handläggare lade det här i papperskorgen (")
    theirs.editor.textCursor().insertText("Ännu ett skäl 🙂")
    world.deliver()
    (notified,) = Trash(hl.documents.trash).written_after()
    assert (notified.item.link.obj, notified.by) == (obj, (EK,))
    mine.open_ref(obj, b"")  # as the line on Home and a search hit do
    assert opened(mine).editor.toPlainText() == "Ännu ett skäl 🙂"
    assert opened(mine).bar.isVisible()
    assert Trash(hl.documents.trash).written_after() == []
    pressed(theirs.bar, "Återställ")
    world.deliver()
    assert not theirs.bar.isVisible()
    assert not opened(mine).bar.isVisible()


def test_a_reader_sees_it_and_is_offered_nothing(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    hl.documents.delete(obj)
    hl.rooms.writes = False
    document = opened(show(qtbot, hl, obj))
    assert document.bar.isVisible()
    assert not [b for b in document.bar.findChildren(QAbstractButton) if b.isVisible()]
