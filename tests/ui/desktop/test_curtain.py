# SPDX-License-Identifier: EUPL-1.2
"""A lock that lets the curtain fall: the session stays open and receives, and nothing of it is shown meanwhile."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget

from app.errors import BugError, StoreUnwritable
from app.lock_settings import LOCK
from app.pin import Pin
from app.pins import PinRules
from app.setting import Value
from app.settings import AUTO_LOCK_MINUTES, LANGUAGE
from app.unlocking import SlotKind
from tests.memory_keyring import MemoryKeyring
from tests.ui.desktop.curtains import covered, curtain, lift, office_with, visible_windows
from tests.ui.desktop.programs import Office, Running, half_a_sentence, running
from tests.ui.finding import timer_of, toast_of
from tests.ui.shell.in_window import texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import say
from tests.ui.shell.unlock_methods import unlock_methods
from tests.ui.soon import caught_up
from ui.kit.dialogs import Dialog
from ui.kit.front import to_front
from ui.kit.tasks import report
from ui.shell.entry.locking import LockingView
from ui.shell.entry.unlock import UnlockView
from ui.shell.window import window_place

pytestmark = pytest.mark.usefixtures("swedish_desktop")

PIN = "704915"


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


async def test_a_window_that_code_brought_up_meanwhile_is_on_the_screen_afterwards(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with covered(qapp, tmp_path) as r:
        window = r.program.stage.window
        assert window is not None
        to_front(window)
        qapp.processEvents()
        assert visible_windows() == [r.shown]
        await lift(r)
        handle = window.windowHandle()
        assert handle is not None
        assert handle.isVisible()


async def test_the_passphrase_lifts_it_and_everything_is_as_it_was(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        view = half_a_sentence(window)
        window.activateWindow()
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


@pytest.mark.parametrize("fails", ["keep", "keep_geometry", "keep_draft"])
async def test_no_fault_of_a_view_keeps_the_curtain_from_falling(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def fault(*args: object) -> None:
        raise RuntimeError("a fault in a view")

    async with running(qapp, office_with(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        faulty: dict[str, object] = {"keep": window_place, "keep_geometry": window, "keep_draft": window}
        with monkeypatch.context() as patched:
            patched.setattr(faulty[fails], fails, fault)
            r.tray.lock_asked.emit()
        assert r.program.curtain.is_down
        assert visible_windows() == [r.shown]
        await lift(r)


async def test_where_something_cannot_be_covered_the_process_ends(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault() -> None:
        raise RuntimeError("a fault in the clipboard")

    async with running(qapp, office_with(tmp_path)) as r:
        monkeypatch.setattr(r.program.curtain._clipboard, "take", fault)
        r.tray.lock_asked.emit()
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


async def test_the_person_is_away_under_the_curtain_whatever_other_programs_get(
    qapp: QApplication, tmp_path: Path
) -> None:
    idle_s = [700.0]

    async def says() -> float | None:
        return idle_s[0]

    async with running(qapp, office_with(tmp_path), idle_s=says) as r:
        window = r.program.stage.window
        assert window is not None
        presence, used = window.auto_lock.presence, list[bool]()
        presence.changed.connect(used.append)
        presence._input_s -= 700
        timer_of(presence).timeout.emit()
        await r.until(lambda: used == [False])
        idle_s[0] = 5.0
        timer_of(presence).timeout.emit()
        await r.until(lambda: used == [False, True])
        r.tray.lock_asked.emit()
        assert used == [False, True, False]
        assert not timer_of(presence).isActive(), "the system is not asked"
        await lift(r)
        assert used[3:] == [True]


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


@pytest.mark.parametrize("covers", [True, False])
async def test_a_computer_that_sleeps_has_closed_before(qapp: QApplication, tmp_path: Path, covers: bool) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        if covers:
            r.tray.lock_asked.emit()
        r.events[0].sleeps.emit()
        assert (await r.locked()).locked


async def test_what_is_being_written_is_stored_before_the_computer_may_sleep(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ Windows waits only for what is done while it reports the sleep: no task has run then."""
    made = office_with(tmp_path)
    async with running(qapp, made) as r:
        assert r.program.stage.window is not None
        kept, saves = list[str](), made.session.saves
        monkeypatch.setattr(r.program.stage.window, "keep_draft", lambda: kept.append("draft"))
        r.events[0].sleeps.emit()
        assert (kept, made.session.saves) == (["draft"], saves + 1)
        assert (await r.locked()).locked


async def test_a_view_that_fails_at_storing_stops_neither_the_sleep_nor_the_lock(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(qapp, office_with(tmp_path)) as r:
        assert r.program.stage.window is not None
        monkeypatch.setattr(r.program.stage.window, "keep_draft", lambda: 1 / 0)
        r.events[0].sleeps.emit()
        assert (await r.locked()).locked


async def test_sleep_closes_also_what_never_locks_by_itself(qapp: QApplication, tmp_path: Path) -> None:
    made = office_with(tmp_path)
    made.settings.set(AUTO_LOCK_MINUTES, 0)
    async with running(qapp, made) as r:
        r.events[0].sleeps.emit()
        assert (await r.locked()).locked


async def test_a_computer_that_shuts_down_has_ended_kansli_before(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path) as r:
        r.events[0].ends.emit()
        await r.until(r.task.done)
        assert r.office.session.closed
        assert r.program.restart is None


async def office_with_pin(folder: Path) -> Office:
    made = office_with(folder)
    await Pin(made.session.store.notes).set(PIN, PinRules())
    return made


async def test_a_pin_lifts_it_and_a_wrong_one_says_what_is_left(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path, await office_with_pin(tmp_path)) as r:
        page = curtain(r)
        assert page.field is not None
        assert page.field.accessibleName() == "PIN-kod eller lösenfras"
        assert page.field.echoMode() is QLineEdit.EchoMode.Password
        QTest.keyClicks(page.field, "999999")
        QTest.keyClick(page.field, Qt.Key.Key_Return)
        await r.until(lambda: not page.error.isHidden())
        assert "Fel PIN-kod." in page.error.text()
        assert "9 försök återstår." in page.error.text()
        QTest.keyClicks(page.field, PIN)
        QTest.keyClick(page.field, Qt.Key.Key_Return)
        await r.until(lambda: not r.program.curtain.is_down)


async def test_a_pin_waits_after_some_wrong_ones_and_the_passphrase_does_not(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with covered(qapp, tmp_path, await office_with_pin(tmp_path)) as r:
        for n in range(3):
            await fail(r, n + 1)
        page = curtain(r)
        assert page.text.text() == "PIN-koden kan prövas igen om 0:05. Lösenfrasen fungerar nu."
        assert page.field is not None
        page.field.setText(PIN)
        page.unlock()
        await r.until(lambda: "PIN-koden måste vänta." in page.error.text())
        await lift(r)


async def test_attack_after_ten_wrong_pins_it_closes_and_only_the_passphrase_opens_it(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pin.WAITS_S", (0,) * 9)
    made = await office_with_pin(tmp_path)
    made.unlocking = both = unlock_methods(tmp_path / "both")
    async with covered(qapp, tmp_path, made) as r:
        for n in range(9):
            await fail(r, n + 1)
        page = curtain(r)
        assert page.field is not None
        page.field.setText("999999")
        page.unlock()
        assert (await r.locked()).locked
    assert both.opening() == [SlotKind.PASSPHRASE]


async def fail(r: Running, failures: int) -> None:
    page = curtain(r)
    assert page.field is not None
    page.field.setText("999999")
    page.unlock()
    left = 10 - failures
    await r.until(lambda: f"{left} försök återstår." in page.error.text() and page.field is not None)


@pytest.mark.parametrize("asks", [False, True])
async def test_a_key_store_lifts_it_only_if_it_asks_the_person(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    monkeypatch.setattr(MemoryKeyring, "asks_person", asks, raising=False)
    async with covered(qapp, tmp_path, office_with(tmp_path, [SlotKind.PASSPHRASE, SlotKind.KEYRING])) as r:
        page = curtain(r)
        assert page.keyring_button.isVisible() is asks
        page.unlock_with_keyring()
        if asks:
            await r.until(lambda: not r.program.curtain.is_down)
        else:
            qapp.processEvents()
            assert r.program.curtain.is_down


async def test_without_a_passphrase_a_key_store_that_asks_is_enough(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryKeyring, "asks_person", True, raising=False)
    async with covered(qapp, tmp_path, office_with(tmp_path, [SlotKind.KEYRING])) as r:
        page = curtain(r)
        assert page.field is None
        page.keyring_button.click()
        await r.until(lambda: not r.program.curtain.is_down)


@pytest.mark.parametrize("change", ["no pin", "longer pin", "no passphrase"])
async def test_a_new_policy_counts_under_the_curtain(qapp: QApplication, tmp_path: Path, change: str) -> None:
    made = await office_with_pin(tmp_path)
    async with covered(qapp, tmp_path, made) as r:
        fixed: dict[str, dict[str, Value]] = {
            "no pin": {"allow-pin": False},
            "longer pin": {"pin-length": 8},
            "no passphrase": {"allow-passphrase": False},
        }
        if change == "no passphrase":
            (tmp_path / "methods/profiles/unlocked/keys/passphrase.slot").unlink()
        made.settings.renew(fixed[change], {})
        if change == "no passphrase":
            assert (await r.locked()).locked
        else:
            await r.until(lambda: "PIN-kod eller lösenfras" not in texts(r.shown))  # the page is made again
            await lift(r)


async def test_the_curtain_speaks_the_language_in_force(qapp: QApplication, tmp_path: Path) -> None:
    async with covered(qapp, tmp_path) as r:
        r.office.settings.set(LANGUAGE, "en")
        await r.until(lambda: curtain(r).heading.text() == "Kansli is locked")
        assert visible_windows() == [r.shown]
        r.office.settings.set(LANGUAGE, "sv")
        await r.until(lambda: curtain(r).heading.text() == "Kansli är låst")
        await lift(r)


async def test_a_program_that_was_killed_under_the_curtain_asks_for_the_passphrase(
    qapp: QApplication, tmp_path: Path
) -> None:
    made = office_with(tmp_path, [SlotKind.PASSPHRASE, SlotKind.KEYRING])
    made.locked = made.withholds_keyring = True
    made.kinds = lambda: [SlotKind.PASSPHRASE]  # type: ignore[method-assign]
    async with running(qapp, made) as r:
        assert isinstance(r.gate, UnlockView)
        assert "tillfrågas inte nyckelringen" in r.gate.text.text()
        assert r.office.keyring_asked == 0


async def test_a_fault_of_ours_under_the_curtain_is_shown_there_and_later_errors_in_the_window(
    qapp: QApplication, tmp_path: Path
) -> None:
    async with covered(qapp, tmp_path) as r:
        window = r.program.stage.window
        assert window is not None
        report(window, BugError("a fault"))
        (dialog,) = [each for each in visible_windows() if each is not r.shown]
        assert dialog.parentWidget() is r.shown
        await lift(r)
        report(window, StoreUnwritable())
        assert "Disken går inte att läsa" in toast_of(window).text()
