# SPDX-License-Identifier: EUPL-1.2
"""The whole window over a real session: what a search finds says who wrote it, and its words are marked there and at
the place that opens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.chat.tool import TOOL as CHAT
from app.core.i18n import set_language
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.tasks.tool import TOOL as TASKS
from tests.journeys.desks import Desk, Offices, offices
from tests.ui.test_after_a_lock import closed, editor_of, view_of
from tests.world import until
from ui.chat.view import ChatView
from ui.kit import theme
from ui.kit.list_model import ROW
from ui.shell.rows import RowList
from ui.shell.window.main_window import MainWindow
from ui.tasks.view import TasksView
from ui.tools import TOOLS

pytestmark = pytest.mark.slow
LOOKS = ("light", "dark", "contrast", "contrast-dark")


@pytest_asyncio.fixture
async def o(tmp_path: Path, qapp: QApplication) -> AsyncIterator[Offices]:
    set_language("sv")
    async with offices(tmp_path) as running:
        yield running
    theme.apply(qapp, "light")


def look(name: str) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, name)


def has_mark(widget: QWidget, rect: QRect | None = None) -> bool:
    """Whether the line below a marked word is painted in a part of a widget."""
    QApplication.processEvents()
    image: QImage = widget.grab(rect if rect is not None else widget.rect()).toImage()
    colour = theme.current().colour("warning")
    return any(image.pixelColor(x, y) == colour for y in range(image.height()) for x in range(image.width()))


async def search(window: MainWindow, words: str, wanted: str) -> RowList:
    """Types words into Sök and waits for a place with this in it; the list has the focus, the place is chosen."""
    window.navigator.go_section("search")
    window.content.search_view.field.setFocus()
    window.content.search_view.field.clear()
    window.content.search_view.field.insert(words)
    QTest.keyClick(window.content.search_view.field, Qt.Key.Key_Return)
    rows = window.content.search_view.list
    await until(lambda: any(wanted in row.detail + row.title for row in rows.rows.rows))
    number = next(i for i, row in enumerate(rows.rows.rows) if wanted in row.detail + row.title)
    rows.setFocus()
    rows.setCurrentIndex(rows.rows.index(number))
    return rows


def opened(desk: Desk) -> MainWindow:
    window = MainWindow(desk.session, TOOLS)
    window.resize(1200, 800)
    window.show()
    return window


async def with_message(o: Offices) -> tuple[Desk, RoomId, MainWindow]:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    for number in range(40):
        b.session.service(CHAT).send(room, f"Rad {number} å")
    b.session.service(CHAT).send(room, "Yttrandet från sökanden är inkommet 🙂")
    for number in range(40):
        b.session.service(CHAT).send(room, f"Mer {number} ä")
    await until(lambda: len(a.texts(room)) == 81)
    return a, room, opened(a)


@pytest.mark.parametrize("name", LOOKS)
async def test_a_hit_says_who_wrote_it_and_marks_the_words(o: Offices, name: str) -> None:
    _, _, window = await with_message(o)
    look(name)
    rows = await search(window, "sök yttr", "Yttrandet")
    index = rows.currentIndex()
    assert index.data(ROW).detail.endswith("Enhetschef: Yttrandet från sökanden är inkommet 🙂")
    assert has_mark(rows.viewport(), rows.visualRect(index))
    closed(window)


async def test_down_goes_from_the_field_to_the_first_hit(o: Offices) -> None:
    _, _, window = await with_message(o)
    window.navigator.go_section("search")
    field, rows = window.content.search_view.field, window.content.search_view.list
    field.setFocus()
    field.insert("yttr")
    QTest.keyClick(field, Qt.Key.Key_Down)
    await until(lambda: window.focusWidget() is rows)
    assert "Yttrandet" in rows.currentIndex().data(ROW).detail
    closed(window)


@pytest.mark.parametrize("name", LOOKS)
async def test_the_words_are_marked_in_the_message_that_opens_until_one_leaves_it(o: Offices, name: str) -> None:
    a, room, window = await with_message(o)
    look(name)
    rows = await search(window, "sök yttr", "Yttrandet")
    QTest.keyClick(rows, Qt.Key.Key_Return)
    chat = view_of(window, ChatView)
    row = a.texts(room).index("Yttrandet från sökanden är inkommet 🙂")
    place = chat.list.row_rect(row)
    assert chat.list.viewport().rect().contains(place)
    assert has_mark(chat.list.viewport(), place)
    assert not has_mark(chat.list.viewport(), chat.list.row_rect(row + 1))
    QTest.keyClick(chat.list, Qt.Key.Key_Escape)
    assert not has_mark(chat.list.viewport(), place)
    closed(window)


async def test_the_palette_says_who_wrote_it_too_and_opens_there_with_the_words_marked(o: Offices) -> None:
    a, room, window = await with_message(o)
    palette = window.palette_view
    palette.open("inkommet yttr")
    await until(lambda: any("Enhetschef: Yttrandet" in row.detail for row in palette.list.rows.rows))
    number = next(i for i, row in enumerate(palette.list.rows.rows) if "Yttrandet" in row.detail)
    assert has_mark(palette.list.viewport(), palette.list.visualRect(palette.list.rows.index(number)))
    palette.list.setCurrentIndex(palette.list.rows.index(number))
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    chat = view_of(window, ChatView)
    row = a.texts(room).index("Yttrandet från sökanden är inkommet 🙂")
    assert has_mark(chat.list.viewport(), chat.list.row_rect(row))
    closed(window)


@pytest.mark.parametrize("name", LOOKS)
async def test_a_document_opens_at_the_paragraph_with_the_words_marked(o: Offices, name: str) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = a.session.service(DOCUMENTS).create(room, "Beslut å")
    window = opened(a)
    look(name)
    window.open_room(room)
    window.navigator.open_tab(2)
    view = window.current_room()
    assert view is not None
    view.show_tool("documents", obj)
    editor = editor_of(window)
    lines = [f"Stycke {n} om sökanden 🙂" for n in range(200)]
    lines[120] = "Här står yttrandet som sökanden skrev 🙂"
    QApplication.clipboard().setText("\n".join(lines))
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    view.show_tool("chat")
    await until(lambda: bool(a.session.store.search.find_here("yttrandet")))
    rows = await search(window, "sök yttr", "Beslut å")
    QTest.keyClick(rows, Qt.Key.Key_Return)
    editor = editor_of(window)
    caret = editor.cursorRect()
    assert editor.textCursor().block().text() == lines[120]
    assert editor.viewport().rect().contains(caret)
    assert not editor.textCursor().hasSelection(), "a key must not replace what was found"
    assert editor.found.shown().count("sökanden") == 200
    assert "yttrandet" in editor.found.shown()
    assert has_mark(editor.viewport(), QRect(0, caret.top() - 4, editor.viewport().width(), caret.height() + 8))
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert not has_mark(editor.viewport())
    closed(window)


async def test_marks_in_a_document_stay_with_their_words_while_one_writes(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = a.session.service(DOCUMENTS).create(room, "Beslut å")
    window = opened(a)
    window.open_room(room)
    window.navigator.open_tab(2)
    view = window.current_room()
    assert view is not None
    view.show_tool("documents", obj)
    QTest.keyClicks(editor_of(window), "om yttrandet")
    view.show_tool("documents", obj, words=("yttr",))
    editor = editor_of(window)
    QTest.keyClick(editor, Qt.Key.Key_Home)
    QTest.keyClicks(editor, "mer ")
    assert editor.found.shown() == ["yttrandet"]
    QTest.keyClick(editor, Qt.Key.Key_End)
    for _ in "yttrandet":
        QTest.keyClick(editor, Qt.Key.Key_Backspace)
    assert editor.found.shown() == []
    closed(window)


async def test_a_task_opens_with_the_words_marked_in_its_description(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    board = a.session.service(TASKS).board(room)
    lines = "\n".join(f"Rad {n} 🙂" for n in range(40))
    board.add_card(board.columns()[0].id, "Maska å", description=f"{lines}\n🙂 Be om yttrande")
    board.add_card(board.columns()[0].id, "Annan", description="🙂 Be om annat")
    del board
    window = opened(a)
    rows = await search(window, "yttr be", "Maska å")
    QTest.keyClick(rows, Qt.Key.Key_Return)
    tasks = view_of(window, TasksView)
    field = tasks.editor.description
    assert [found.cursor.selectedText() for found in field.extraSelections()] == ["Be", "yttrande"]
    assert field.viewport().rect().intersects(field.cursorRect(field.extraSelections()[1].cursor))
    rows = await search(window, "annat", "Annan")
    QTest.keyClick(rows, Qt.Key.Key_Return)
    assert [found.cursor.selectedText() for found in field.extraSelections()] == ["annat"]
    closed(window)
