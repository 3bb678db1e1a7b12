# SPDX-License-Identifier: EUPL-1.2
"""Under the curtain no window, dialog, menu or message of the program is on the screen: one test for each kind."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCompleter, QFileDialog, QWidget

from app.documents.tool import TOOL as DOCUMENTS
from app.errors import FileUnreadable
from tests.ui.desktop.curtains import lift, visible_windows
from tests.ui.desktop.leaks import ROOM, SECRET, lock, nothing_gets_out, working
from tests.ui.faces import announced
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.soon import caught_up
from ui.documents.preview import PrintPreview
from ui.kit.dialogs import Dialog, confirm, open_file
from ui.kit.menu import Entry, popup
from ui.kit.tasks import report

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_the_palette_is_covered_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.open_palette()
        assert window.palette_view.isVisible()
        lock(r)
        nothing_gets_out(r)
        window.open_palette()
        nothing_gets_out(r)


async def test_a_taskbar_has_no_title_and_no_preview_of_what_is_covered(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        nothing_gets_out(r)
        assert window.windowHandle() is None, "the desktop has no window of which it could show a picture"
        assert {each.title() for each in QGuiApplication.topLevelWindows() if each.isVisible()} == {"Kansli"}


async def test_own_dialogs_are_covered_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        asked = asyncio.ensure_future(confirm(window, SECRET, ROOM, accept="OK"))
        await r.until(lambda: any(isinstance(each, Dialog) for each in visible_windows()))
        lock(r)
        nothing_gets_out(r)
        late = asyncio.ensure_future(confirm(window, f"{SECRET} sen", ROOM, accept="OK"))
        await asyncio.sleep(0)
        nothing_gets_out(r)
        assert not asked.done()
        await lift(r)
        dialogs = [each for each in visible_windows() if isinstance(each, Dialog)]
        assert len(dialogs) == 2
        for dialog in dialogs:
            dialog.accept()
        assert await asked
        assert await late


async def test_own_menus_are_closed_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        popup(window, ROOM, [Entry(text=SECRET, run=lambda: None)], QPoint(5, 5))
        assert QApplication.activePopupWidget() is not None
        lock(r)
        nothing_gets_out(r)
        popup(window, ROOM, [Entry(text=SECRET, run=lambda: None)], QPoint(5, 5))
        nothing_gets_out(r)
        assert QApplication.activePopupWidget() is None
        await lift(r)
        assert QApplication.activePopupWidget() is None


async def test_file_dialogs_are_cancelled_and_do_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        asked = asyncio.ensure_future(open_file(window, SECRET))
        await r.until(lambda: any(isinstance(each, QFileDialog) for each in visible_windows()))
        lock(r)
        nothing_gets_out(r)
        assert await asked is None
        late = asyncio.ensure_future(open_file(window, SECRET))
        await asyncio.sleep(0)
        nothing_gets_out(r)
        late.cancel()
        await asyncio.wait([late])


async def test_a_print_preview_is_covered_and_stays_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        files = r.office.session.service(DOCUMENTS).files
        preview = PrintPreview(window, files, office().document)
        preview.open()
        await r.until(lambda: preview.paper is not None)
        lock(r)
        nothing_gets_out(r)
        assert not preview.isVisible()
        await lift(r)
        assert preview.isVisible()
        preview.reject()


async def test_the_windows_title_is_the_programs_name(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        assert ROOM in window.windowTitle()
        lock(r)
        say(r.office.session, office().case, office().head, SECRET)
        caught_up(window)
        assert r.shown.windowTitle() == "Kansli"
        nothing_gets_out(r)


async def test_a_message_with_undo_is_covered_and_does_not_appear(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        undone: list[bool] = []
        window.toast(SECRET, lambda: undone.append(True))
        assert toast_of(window).isVisible()
        lock(r)
        nothing_gets_out(r)
        window.toast(f"{SECRET} sen", lambda: undone.append(True))
        QTest.keyClick(r.shown, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        nothing_gets_out(r)
        assert undone == []


async def test_attack_an_error_about_a_file_is_shown_and_read_out_only_after_the_curtain(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_out = announced(monkeypatch)
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        read_out.clear()
        fault = FileUnreadable()
        fault.file = SECRET
        report(window, fault)
        nothing_gets_out(r)
        assert read_out == []
        await lift(r)
        assert SECRET in toast_of(window).text()
        assert toast_of(window).isVisible()
        await r.until(lambda: any(SECRET in text for text in read_out))


async def test_a_second_window_is_covered_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, _, _):
        second, late = QWidget(), QWidget()
        for each in (second, late):
            each.setWindowTitle(SECRET)
        second.show()
        lock(r)
        late.showMaximized()
        nothing_gets_out(r)
        await lift(r)
        assert second.isVisible()
        assert late.isVisible()
        for each in (second, late):
            each.close()
            each.deleteLater()


async def test_the_curtain_is_minimised_and_comes_back_as_the_curtain(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        lock(r)
        r.shown.showMinimized()
        nothing_gets_out(r)
        r.shown.showNormal()
        nothing_gets_out(r)
        window.showMinimized()
        window.showNormal()
        nothing_gets_out(r)


async def test_what_a_search_field_proposes_is_closed_and_does_not_open(qapp: QApplication, tmp_path: Path) -> None:
    async with working(qapp, tmp_path) as (r, window, _):
        window.search_for(SECRET)
        field = window.content.search_view.field
        completer = QCompleter([SECRET, ROOM], field)
        field.setCompleter(completer)
        completer.setCompletionPrefix("Kvitt")
        completer.complete()
        assert QApplication.activePopupWidget() is not None
        lock(r)
        nothing_gets_out(r)
        completer.complete()
        nothing_gets_out(r)
