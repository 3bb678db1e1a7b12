# SPDX-License-Identifier: EUPL-1.2
"""The whole window over a real session, before a lock and after it: the same place in the same view."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.chat.tool import TOOL as CHAT
from app.core.i18n import set_language
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.links import ObjectLink
from app.tasks.tool import TOOL as TASKS
from tests.journeys.desks import Desk, Offices, offices
from tests.ui.pointing import wheel
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.richtext.editor import Editor
from ui.shell.window import window_place
from ui.shell.window.main_window import MainWindow
from ui.tasks.view import TasksView
from ui.tools import TOOLS

pytestmark = pytest.mark.slow
View = TypeVar("View", bound=QWidget)


@pytest_asyncio.fixture
async def o(tmp_path: Path, qapp: QApplication) -> AsyncIterator[Offices]:
    set_language("sv")
    async with offices(tmp_path) as running:
        yield running


def opened(desk: Desk) -> MainWindow:
    """The window of an unlocked session."""
    window = MainWindow(desk.session, TOOLS)
    window_place.go_back(window, desk.session)
    window.show()
    QApplication.processEvents()
    return window


async def again(desk: Desk, window: MainWindow) -> MainWindow:
    """The window after a lock: nothing but the disk is left of the session."""
    window_place.keep(window, desk.session)
    closed(window)
    await desk.restart()
    return opened(desk)


def closed(window: MainWindow) -> None:
    window.hide()
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


def view_of(window: MainWindow, kind: type[View]) -> View:
    room = window.current_room()
    assert room is not None
    view = room.current_view()
    assert isinstance(view, kind)
    return view


def editor_of(window: MainWindow) -> Editor:
    document = view_of(window, DocumentsView).document
    assert document is not None
    return document.editor


async def test_the_message_at_the_top_and_the_unfinished_one_are_there_again(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room: RoomId = await o.room(a)
    for number in range(80):
        a.session.service(CHAT).send(room, f"Rad {number} å 🙂")
    window = opened(a)
    window.open_room(room)
    chat = view_of(window, ChatView)
    QTest.keyClicks(chat.composer.field, "halv mening")
    QTest.keyClick(chat.composer.field, Qt.Key.Key_Home)
    wheel(chat.list, 6)
    row = chat.list.indexAt(QPoint(200, 60)).row()
    place: QRect = chat.list.row_rect(row)
    window = await again(a, window)
    chat = view_of(window, ChatView)
    assert chat.list.row_rect(row) == place
    assert chat.composer.text == "halv mening"
    assert chat.composer.field.textCursor().position() == 0
    assert window.focusWidget() is chat.composer.field
    closed(window)


async def test_the_open_document_is_there_again_at_its_line_and_caret(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj: ObjId = a.session.service(DOCUMENTS).create(room, "Beslut å")
    window = opened(a)
    window.open_link(ObjectLink(room=room, obj=obj, kind="document"))
    editor = editor_of(window)
    QApplication.clipboard().setText("\n".join(f"Stycke {n} med några ord å 🙂" for n in range(600)))
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    wheel(editor, 9)
    caret = editor.cursorForPosition(QPoint(100, 100))
    editor.select(caret.position())
    place, selection = editor.cursorRect(), editor.selection()
    assert editor.verticalScrollBar().value()
    window = await again(a, window)
    editor = editor_of(window)
    assert (editor.selection(), editor.cursorRect()) == (selection, place)
    assert window.focusWidget() is editor
    QTest.keyClicks(editor, "x")
    assert editor.selection() == (selection[0] + 1, selection[1] + 1)
    closed(window)


async def test_the_open_task_is_there_again(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    board = a.session.service(TASKS).board(room)
    card = board.add_card(board.columns()[0].id, "Maska")
    del board
    window = opened(a)
    window.open_room(room)
    window.navigator.open_tab(3)
    tasks = view_of(window, TasksView)
    tasks.kanban.focus_card(card)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    QTest.keyClicks(tasks.editor.description, "Sidan 3")
    tasks.editor.description.setFocus()
    del tasks
    window = await again(a, window)
    tasks = view_of(window, TasksView)
    assert tasks.editor.card_id == card
    assert tasks.editor.description.toPlainText() == "Sidan 3"
    assert window.focusWidget() is tasks.editor.description
    closed(window)
