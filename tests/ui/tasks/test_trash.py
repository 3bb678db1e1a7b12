# SPDX-License-Identifier: EUPL-1.2
"""Deleting tasks and getting them back, as a person does it; and what a colleague who has one open sees."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.objects.trash import Trash
from tests.office import BOARD_ID, EK, ROOM, Desk, Positions
from tests.ui.tasks.boards import CONTROL, card, named, titles
from tests.ui.tasks.test_editor import BASE, desks, open_by_click, put_caret, shown, type_in
from tests.ui.tasks.test_filter_line import Window
from tests.ui.walking import check
from tests.world import until
from ui.tasks.view import TasksView
from ui.trash import TrashDialog

__all__ = ["desks"]


async def test_a_task_is_deleted_read_in_the_trash_and_restored(
    qtbot: QtBot,
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    view.kanban.focus_card(card(view, "Beslut").card.id)
    QTest.keyClick(card(view, "Beslut"), Qt.Key.Key_Delete)
    assert titles(view)[0] == []
    assert view.nothing.all_away.isVisible(), "it does not say that there are no tasks yet"
    named(view, "Se i papperskorgen").click()
    await until(lambda: any(d.isVisible() for d in view.findChildren(TrashDialog)))
    dialog = next(d for d in view.findChildren(TrashDialog) if d.isVisible())
    check(dialog)
    assert [dialog.list.item(at).text() for at in range(dialog.list.count())] == ["Beslut · Handläggare · nyss"]
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    await until(view.editor.isVisible)
    assert view.editor.description.toPlainText() == BASE
    assert view.editor.away.text() == "Du lade det här i papperskorgen (nyss). Det som skrivs här finns kvar."
    assert not named(view.editor, "Ta bort uppgiften").isVisible()
    named(view.editor, "Återställ").click()
    assert named(view.editor, "Ta bort uppgiften").isVisible()
    assert titles(view)[0] == ["Beslut"]
    assert not view.editor.archived.isVisible()
    view.open_trash()
    assert len([d for d in view.findChildren(TrashDialog) if d.isVisible()]) == 0


def test_a_person_who_writes_in_it_sees_it_and_keeps_writing(
    qtbot: QtBot,
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    theirs = shown(qtbot, ek)
    open_by_click(theirs)
    put_caret(theirs, QTextCursor.MoveOperation.End)
    type_in(theirs.editor.description, " Skicka")
    mine = shown(qtbot, hl)
    found = card(mine, "Beslut").card.id
    QTest.keyClick(card(mine, "Beslut"), Qt.Key.Key_Delete)
    server.deliver()
    assert theirs.editor.isVisible()
    assert theirs.editor.archived.isVisible()
    assert theirs.editor.away.text().startswith("Handläggare lade det här i papperskorgen (")
    type_in(theirs.editor.description, " det.")
    theirs.editor.keep_draft()
    server.deliver()
    (notified,) = Trash(hl.tasks.trash).written_after()
    assert notified.by == (EK,)
    mine.open_ref(BOARD_ID, notified.item.ref)
    assert mine.editor.card_id == found
    assert mine.editor.description.toPlainText() == BASE + " Skicka det."
    assert Trash(hl.tasks.trash).written_after() == []
    named(theirs.editor, "Återställ").click()
    server.deliver()
    assert titles(mine)[0] == titles(theirs)[0] == ["Beslut"]
    assert not mine.editor.archived.isVisible()


def test_a_task_that_a_colleague_archives_while_i_write_in_it_stays_open(
    qtbot: QtBot,
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.End)
    type_in(view.editor.description, " Skicka")
    board = ek.tasks.board(ROOM)
    board.archive_card(board.all_cards()[0].id)
    server.deliver()
    assert view.editor.isVisible()
    assert view.editor.away.text() == "Uppgiften är arkiverad."
    view.editor.keep_draft()
    assert view.board.archived()[0].description == BASE + " Skicka"


def test_deleting_the_open_task_keeps_what_was_written_and_closes(
    qtbot: QtBot,
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.End)
    type_in(view.editor.description, " Skicka")
    named(view.editor, "Ta bort uppgiften").click()
    assert not view.editor.isVisible()
    assert [each.description for each in view.board.put_away()] == [BASE + " Skicka"]


def test_that_nothing_is_archived_takes_undo_of_the_deletion_not_away(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    view = TasksView(desks[0].tasks, ROOM)
    window = Window(view)
    qtbot.addWidget(window)
    window.resize(1100, 700)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    found = card(view, "Beslut")
    view.kanban.focus_card(found.card.id)
    QTest.keyClick(found, Qt.Key.Key_Delete)
    assert titles(view)[0] == []
    QTest.keyClick(view, Qt.Key.Key_A, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert window.message.text() == "Inget är arkiverat"
    QTest.mouseClick(named(window.message, "Ångra"), Qt.MouseButton.LeftButton)
    assert titles(view)[0] == ["Beslut"]
