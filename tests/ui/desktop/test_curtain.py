# SPDX-License-Identifier: EUPL-1.2
"""The lock that still hears: the curtain falls, the session stays open, and nothing of it is shown meanwhile."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget

from app.lock_settings import LOCK
from app.unlocking import SlotKind
from tests.ui.desktop.curtains import covered, curtain, lift, office_with, visible_windows
from tests.ui.desktop.programs import running
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.tool_views import FakeView
from tests.ui.shell.unlock_methods import unlock_methods
from tests.ui.soon import caught_up
from ui.kit.dialogs import Dialog
from ui.shell.entry.locking import LockingView

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_the_curtain_covers_the_window_and_the_session_stays_open(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path) as r:
        assert not r.office.session.closed
        assert not r.task.done()
        assert r.shown is r.program.stage.gate
        assert r.shown.isVisible()
        assert r.shown.windowTitle() == "Kansli"
        assert r.tray.tip_text().startswith("Kansli är låst")


async def test_no_top_level_widget_but_the_curtain_is_visible(qapp: QApplication, tmp_path: Path) -> None:
    """Walks through every window, whatever was open, and whatever code shows meanwhile."""
    async with running(qapp, office_with(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        dialog = Dialog(window, "Hemlig fråga", accept="OK")
        dialog.open()
        second = QWidget()
        second.show()
        menu = QMenu("Hemlig meny", window)
        menu.addAction("Hemligt")
        menu.popup(QPoint(5, 5))
        assert {window, dialog, second, menu} <= set(visible_windows())
        r.tray.lock_asked.emit()
        assert visible_windows() == [r.shown]
        for late in (window, dialog, second, QMenu("Sen meny", window), Dialog(window, "Sen fråga", accept="OK")):
            late.show()
            assert visible_windows() == [r.shown]
        qapp.processEvents()
        assert visible_windows() == [r.shown]
        made = [handle for handle in QGuiApplication.topLevelWindows() if handle.title()]
        assert [handle.title() for handle in made] == ["Kansli"]
        await lift(r)
        assert {window, dialog, second} <= set(visible_windows())
        assert r.program.stage.gate is None
        dialog.reject()
        second.close()
        second.deleteLater()


async def test_the_passphrase_lifts_it_and_everything_is_as_it_was(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        window.open_room(office().unit)
        window.navigator.open_tab(2)
        room = window.current_room()
        assert room is not None
        view = room.current_view()
        assert isinstance(view, FakeView)
        window.activateWindow()
        view.field.setText("halv mening å 🙂")
        view.field.setCursorPosition(5)
        view.field.setFocus()
        place = window.geometry()
        r.tray.lock_asked.emit()
        page = curtain(r)
        assert page.field is not None
        page.field.setText("fel lösenfras som inte stämmer")
        page.unlock()
        await r.until(lambda: not page.error.isHidden())
        assert "wrong-passphrase" in page.error.text()
        assert visible_windows() == [r.shown]
        await lift(r)
        assert r.program.stage.window is window
        assert window.isVisible()
        assert window.geometry() == place
        assert (view.field.text(), view.field.cursorPosition()) == ("halv mening å 🙂", 5)
        await r.until(lambda: QApplication.focusWidget() is view.field)
        assert not (r.office.profile.folder / "covered").exists()
        assert r.office.session.kept_place() == ""


async def test_what_comes_under_the_curtain_is_there_when_it_is_lifted(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path) as r:
        window = r.program.stage.window
        assert window is not None
        before = window.unread
        say(r.office.session, office().case, office().head, "Kommer under ridån å 🙂")
        caught_up(window)
        assert window.unread == before + 1
        assert r.tray.unread == before + 1
        assert r.tray.tip_text() == f"Kansli är låst: {before + 1} olästa"
        await lift(r)
        assert r.tray.tip_text() == f"Kansli: {before + 1} olästa"


@pytest.mark.parametrize("why", ["setting", "only a silent key store", "policy meanwhile"])
async def test_the_process_ends_where_the_curtain_may_not_fall(qapp: QApplication, tmp_path: Path, why: str) -> None:
    made = office_with(tmp_path)
    if why == "setting":
        made.settings.set(LOCK, "close")
    elif why == "only a silent key store":
        made.unlocking = unlock_methods(tmp_path / "silent", [SlotKind.KEYRING])
    async with running(qapp, made) as r:
        r.tray.lock_asked.emit()
        if why == "policy meanwhile":
            assert r.program.curtain.is_down
            made.settings.renew({LOCK.key: "close"}, {})
        assert (await r.locked()).locked


async def test_after_four_hours_it_is_closed_also_if_the_computer_slept(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path) as r:
        r.program.curtain._since -= 4 * 3600 - 60
        r.events[0].woke.emit()
        assert r.program.curtain.is_down
        r.program.curtain._since -= 60
        r.events[0].woke.emit()
        assert (await r.locked()).locked


async def test_closing_under_the_curtain_keeps_the_place_and_shows_nothing(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        window.open_room(office().unit)
        r.tray.lock_asked.emit()
        r.office.session.full = True
        r.program.curtain.close()
        await r.until(lambda: r.program.ending.held is not None)
        assert isinstance(r.gate, LockingView)
        assert visible_windows() == [r.shown]
        r.office.session.full = False
        r.program.ending.held.again.click()  # type: ignore[union-attr]
        assert (await r.locked()).locked
        assert office().unit.hex() in r.office.session.place


async def test_quitting_under_the_curtain_names_nothing_that_cannot_be_stored(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with covered(qapp, tmp_path) as r:
        r.office.session.full = True
        r.tray.quit_asked.emit()
        await r.until(lambda: r.program.ending.held is not None)
        assert visible_windows() == [r.shown]
        assert not r.shown.findChildren(Dialog)


async def test_the_person_is_away_under_the_curtain_whatever_is_pressed(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        used: list[bool] = []
        r.office.session.presence.set_in_use = used.append  # type: ignore[method-assign, assignment]
        window = r.program.stage.window
        assert window is not None
        window.auto_lock.presence.changed.connect(used.append)
        r.tray.lock_asked.emit()
        page = curtain(r)
        assert page.field is not None
        QTest.keyClicks(page.field, "123")
        QTest.mouseClick(page, Qt.MouseButton.LeftButton)
        assert used == [False]
        await lift(r)
        assert used == [False, True]


async def test_a_window_in_the_tray_is_covered_there(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        r.shown.close()
        r.tray.lock_asked.emit()
        assert visible_windows() == []
        r.tray.open_asked.emit()
        assert visible_windows() == [r.shown]
        assert isinstance(r.shown.focusWidget(), QLineEdit)
        r.shown.close()
        assert visible_windows() == []
        assert r.program.curtain.is_down
