# SPDX-License-Identifier: EUPL-1.2
"""The viewer by keyboard, with the real store and the real process: what is shown, and what stays on no disk."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.attached import AttachedFile
from app.objects.files import Pasted
from tests.app.viewing import samples
from tests.office import ROOM, Desk
from tests.ui.viewer.conftest import (
    BROKEN,
    CANARY,
    OTHER,
    PDF,
    PICTURE,
    TEXT,
    chat_of,
    never_fetched,
    open_named,
    painted,
    send_all,
)
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.chat.message_layout import Hit, Part
from ui.chat.view import ChatView
from ui.viewer.canvas import FIT, FIT_WIDTH
from ui.viewer.viewer import Viewer

pytestmark = pytest.mark.slow  # each test starts processes

NO_KEY = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def press(viewer: Viewer, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
    """A key in what has the focus in the viewer."""
    QTest.keyClick(viewer.focusWidget() or viewer, key, modifiers)


def colour_at(viewer: Viewer, x: float, y: float) -> tuple[int, int, int]:
    """What is painted at this place of the canvas, in fractions of it."""
    shot = viewer.canvas.viewport().grab().toImage()
    colour = shot.pixelColor(int(shot.width() * x), int(shot.height() * y))
    return colour.red(), colour.green(), colour.blue()


async def test_a_click_on_a_picture_shows_it_and_escape_leads_back(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    message = hl.chat.timeline(ROOM).message(0)
    view.list.hit.emit(message, Hit(part=Part.FILE, number=0))
    viewer = view.files.viewer
    assert viewer.isVisible()
    assert not view.list.isVisible()
    await until(lambda: viewer.opened is not None)
    await painted(viewer)
    assert colour_at(viewer, 0.5, 0.8)[0] > 200
    assert viewer.canvas.hasFocus()
    assert "Handläggare" in viewer.tools.about.text()
    process = viewer.opened._worker._process if viewer.opened is not None else None
    press(viewer, Qt.Key.Key_Escape)
    assert view.list.isVisible()
    assert view.composer.field.hasFocus()
    assert process is not None
    assert process.poll() is not None
    assert viewer.opened is None


async def test_arrows_go_through_the_files_that_can_be_shown(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PICTURE)
    seen = [viewer.item.name] if viewer.item is not None else []
    for _ in range(5):
        press(viewer, Qt.Key.Key_Right)
        if viewer.item is not None and viewer.item.name != seen[-1]:
            seen.append(viewer.item.name)
            await until(lambda: viewer.opened is not None or viewer.problem.isVisible())
        if seen[-1] == TEXT:
            viewer.tools.next.click()  # in a text the arrows move in the text
            seen.append(viewer.item.name if viewer.item is not None else "")
            await until(lambda: viewer.opened is not None or viewer.problem.isVisible())
    assert seen == [PICTURE, PDF, TEXT, BROKEN]
    assert OTHER not in seen
    assert viewer.tools.place.text() == "4 av 4"
    assert "skadad" in viewer.problem.accessibleName()
    press(viewer, Qt.Key.Key_Left)
    assert viewer.item is not None
    assert viewer.item.name == TEXT


async def test_a_picture_is_scaled_turned_and_dragged(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PICTURE)
    canvas = viewer.canvas
    assert (canvas.fits, canvas.percent) == (FIT, 100)  # a small picture is not made larger by itself
    for _ in range(8):
        press(viewer, Qt.Key.Key_Plus)
    assert canvas.percent == round(100 * 1.25**8)
    await painted(viewer)
    bar = canvas.horizontalScrollBar()
    assert bar.maximum() > 0
    bar.setValue(100)
    view = canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(view, QPoint(150, 200))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(150, 200))
    assert bar.value() == 150
    press(viewer, Qt.Key.Key_1)
    assert canvas.percent == 100
    event = QWheelEvent(QPointF(9, 9), QPointF(9, 9), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, CONTROL,
                        Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(view, event)
    assert canvas.percent == 125
    press(viewer, Qt.Key.Key_R)
    assert canvas.turn == 1
    press(viewer, Qt.Key.Key_0)
    assert canvas.fits == FIT
    await painted(viewer)


async def test_a_pdf_is_scrolled_searched_copied_and_shown_as_text(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    canvas = viewer.canvas
    assert canvas.fits == FIT_WIDTH
    assert canvas.pages == 5
    assert canvas.accessibleName() == f"{PDF}, Sida 1 av 5"
    press(viewer, Qt.Key.Key_End)
    assert canvas.page == 4
    assert viewer.tools.page.text() == "5"
    viewer.tools.page.setText("3")
    QTest.keyClick(viewer.tools.page, Qt.Key.Key_Return)
    assert canvas.page == 2
    canvas.setFocus()
    press(viewer, Qt.Key.Key_F, CONTROL)
    QTest.keyClicks(viewer.find_bar.field, "rad 200")
    await until(lambda: viewer.find_bar.count.text() == "1 av 5" or viewer.find_bar.count.text() == "3 av 5")
    QTest.keyClick(viewer.find_bar.field, Qt.Key.Key_Return)
    assert canvas._hits[canvas._hit][0] in (0, 3)
    QTest.keyClick(viewer.find_bar.field, Qt.Key.Key_Escape)
    assert not viewer.find_bar.isVisible()
    assert viewer.isVisible()
    assert canvas.hasFocus()
    viewer.tools.as_text.click()
    await until(lambda: "Sida 5 av 5" in viewer.text.toPlainText())
    assert viewer.text.toPlainText().count("Rad 200") == 5
    viewer.tools.as_text.click()
    assert canvas.isVisible()


async def test_text_of_a_pdf_is_selected_by_dragging_and_copied(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    canvas, view = viewer.canvas, viewer.canvas.viewport()
    rect = canvas._rect(0)
    y = round(rect.top() + rect.height() * (400 - 366) / 400)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(round(rect.left() + rect.width() * 21 / 300), y))
    QTest.mouseMove(view, QPoint(round(rect.left() + rect.width() * 80 / 300), y))
    await until(lambda: bool(viewer._marked))
    press(viewer, Qt.Key.Key_C, CONTROL)
    assert QApplication.clipboard().text() == viewer._marked
    assert viewer._marked in "Rad 360"


async def test_a_text_is_shown_plain_and_searched(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, TEXT)
    await until(lambda: "Tredje raden 🙂" in viewer.text.toPlainText())
    assert viewer.text.isReadOnly()
    press(viewer, Qt.Key.Key_F, CONTROL)
    QTest.keyClicks(viewer.find_bar.field, "kanarie")
    assert viewer.text.textCursor().selectedText() == "kanarie"
    QTest.keyClicks(viewer.find_bar.field, "xyz")
    assert viewer.find_bar.count.text() == "Ingen träff"
    QTest.keyClick(viewer.find_bar.field, Qt.Key.Key_Escape)
    press(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()


async def test_a_file_that_ends_its_process_gives_a_sentence_and_the_next_one_is_shown(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PICTURE)
    await painted(viewer)
    assert viewer.opened is not None
    process = viewer.opened._worker._process
    assert process is not None
    process.kill()
    process.wait()
    press(viewer, Qt.Key.Key_Plus)
    for _ in range(6):
        press(viewer, Qt.Key.Key_Plus)
    await until(viewer.problem.isVisible)
    assert viewer.problem.accessibleName() == "Visningen av filen tog för lång tid eller avbröts av sig själv."
    press(viewer, Qt.Key.Key_Right)
    await until(lambda: viewer.opened is not None)
    assert viewer.canvas.isVisible()


async def test_fetching_is_cancelled_and_leads_back(hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    cancelled = never_fetched(hl, monkeypatch)
    file = (await hl.chat.attached.all(ROOM))[0]
    view.files.open(file.message, file.number)
    viewer = view.files.viewer
    assert viewer.fetching.isVisible()
    assert "Hämtar" in viewer.fetching.accessibleName()
    await asyncio.sleep(0)
    press(viewer, Qt.Key.Key_Escape)
    await cancelled.wait()
    assert view.list.isVisible()


async def test_without_export_files_are_shown_and_not_saved(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    hl.chat.may_export = lambda: False
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    assert viewer.canvas.isVisible()
    assert not viewer.tools.save.isVisible()
    press(viewer, Qt.Key.Key_S, CONTROL)
    assert QApplication.activeModalWidget() is None


async def test_a_message_that_is_deleted_meanwhile_gives_a_sentence(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    viewer = await open_named(view, hl, PICTURE)
    hl.chat.delete(ROOM, hl.chat.timeline(ROOM).message(1).change_id)
    press(viewer, Qt.Key.Key_Right)
    await until(viewer.problem.isVisible)
    assert viewer.problem.accessibleName()


def below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


async def test_attack_nothing_of_a_shown_file_is_left_on_the_disk(
    hl: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks below the profile, the home folder with its caches and lists, and the folder for temporary files."""
    await send_all(hl)
    home, temp = tmp_path / "home", tmp_path / "temp"
    for folder, names in ((home, ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")), (temp, ("TMPDIR",))):
        folder.mkdir()
        for name in names:
            monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    view = chat_of(hl, qtbot)
    for name in (TEXT, PDF, PICTURE, BROKEN):
        viewer = await open_named(view, hl, name)
        if name == TEXT:
            await until(lambda: CANARY in view.files.viewer.text.toPlainText())
        while_shown = set(below(home, temp))
        viewer.leave()
        assert not while_shown
    marks = (CANARY.encode(), "Tredje raden 🙂".encode(), b"(Rad 200)", b"\x89PNG\r\n", b"%PDF-")
    left = [path.name for path in below(tmp_path) if any(mark in path.read_bytes() for mark in marks)]
    assert left == []


# -- the list of a room's files ------------------------------------------------------------------------------------


def names(files: list[AttachedFile]) -> list[str]:
    return [file.name for file in files]


async def test_the_list_has_every_file_filters_and_opens_by_keyboard(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    page = view.files.list
    view.files.button.click()
    assert page.isVisible()
    await until(lambda: bool(page.shown))
    assert names(page.shown) == [PDF, TEXT, OTHER, BROKEN, PICTURE]
    assert page.count.text() == "5 filer"
    assert page.table.hasFocus()
    page.field.setText("ö handläggare")
    assert names(page.shown) == [PDF]
    page.field.clear()
    page.kinds.setCurrentIndex(page.kinds.findData("picture"))
    assert names(page.shown) == [BROKEN, PICTURE]
    page.kinds.setCurrentIndex(0)
    page.field.setText("finns inte")
    assert page.shown == []
    page.field.setText("plan")
    page.field.setFocus()
    QTest.keyClick(page.field, Qt.Key.Key_Down)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    viewer = view.files.viewer
    await until(lambda: viewer.opened is not None)
    press(viewer, Qt.Key.Key_Escape)
    assert page.isVisible()
    QTest.keyClick(page.table, Qt.Key.Key_Escape)
    assert view.list.isVisible()


async def test_a_new_file_comes_into_the_list_and_a_deleted_one_leaves(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    view.files.show_list()
    await until(lambda: PICTURE in names(view.files.list.shown))
    hl.chat.delete(ROOM, hl.chat.timeline(ROOM).message(0).change_id)
    await until(lambda: PICTURE not in names(view.files.list.shown))
    view.files._show_message(view.files.list.shown[0])
    assert view.list.isVisible()
    shown = view.list.current()
    assert shown is not None
    assert shown.attachments[0].name == PDF


async def test_another_kind_of_file_is_saved_as_before(hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    asked: list[int] = []
    monkeypatch.setattr(view.message_actions, "hit_file", lambda _message, number: asked.append(number))
    message = hl.chat.timeline(ROOM).message(1)
    view.list.hit.emit(message, Hit(part=Part.FILE, number=2))
    view.list.hit.emit(message, Hit(part=Part.DOWNLOAD, number=0))
    assert asked == [2, 0]
    assert view.list.isVisible()


@pytest.mark.parametrize("name", [PICTURE, PDF, TEXT, BROKEN])
async def test_every_control_has_a_name_and_tab_reaches_it(hl: Desk, qtbot: QtBot, name: str) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    await open_named(view, hl, name)
    check(view)
    check_tab(view)


async def test_every_control_of_the_list_has_a_name(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view: ChatView = chat_of(hl, qtbot)
    view.files.show_list()
    await until(lambda: bool(view.files.list.shown))
    check(view)
    check_tab(view)


async def test_links_of_every_page_in_sight_are_read(hl: Desk, qtbot: QtBot) -> None:
    page = samples.pdf_with_links().replace(b"[3 0 R]/Count 1", b"[3 0 R 3 0 R 3 0 R 3 0 R]/Count 4")
    await hl.chat.send_file(ROOM, [Pasted(PDF, page)], "Länkar")
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    canvas = viewer.canvas
    canvas.zoom(0.4)
    await until(lambda: canvas._unread_links() is None)
    first = set(canvas._links)
    assert len(first) > 1
    canvas.zoom(1.0)
    canvas.go_to(3)
    await until(lambda: 3 in canvas._links and canvas._unread_links() is None)
    assert [link.address for link in canvas._links[3]] == ["https://www.exempel.se/beslut"]
