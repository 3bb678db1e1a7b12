# SPDX-License-Identifier: EUPL-1.2
"""Locking ends the process once everything is stored."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication

from app.errors import DiskFull, SlotDamaged
from app.settings import AUTO_LOCK_MINUTES, CLOSE_TO_TRAY
from app.unlocking import KeyChange, SlotKind
from tests.ui.desktop.curtains import covered, lift, office_with, visible_windows
from tests.ui.desktop.programs import Office, Running, Session, half_a_sentence, link, running
from tests.ui.desktop.test_tray import menu_texts
from tests.ui.finding import timer_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.tool_views import FakeView
from tests.ui.shell.unlock_methods import unlock_methods
from tests.ui.soon import caught_up
from ui.desktop.again import Restart
from ui.kit.dialogs import Dialog
from ui.shell.entry.locking import LockingView
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.entry.unlock import UnlockView
from ui.shell.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("swedish_desktop")


async def test_what_is_locked_in_the_tray_stays_there_and_shows_nothing(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        caught_up(window)
        unread = sum(room.unread for room in r.office.session.rooms.rooms() if not room.muted)
        assert unread
        assert r.tray.tip_text() == f"Kansli: {unread} olästa"
        r.shown.close()
        assert await r.lock() == Restart(locked=True, background=True, link="")
        assert r.shown.isHidden()
    async with running(qapp, Office(tmp_path), background=True, locked=True) as r:
        assert r.shown.isHidden()
        assert (r.tray.tip_text(), r.tray.unread) == ("Kansli är låst", 0)
        assert "Lås Kansli" not in menu_texts(r.tray)
        await r.unlock()
        assert r.shown.isHidden()
        assert r.tray.tip_text() == f"Kansli: {unread} olästa"


async def test_after_locking_nothing_unlocks_without_a_word(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path), locked=True) as r:
        await asyncio.sleep(0.05)
        qapp.processEvents()
        assert r.office.keyring_asked == 0
        assert isinstance(r.gate, UnlockView)
        assert r.shown.isVisible()


async def test_locking_covers_the_window_and_ends_the_process(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window = r.shown
        place = window.geometry()
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program.stage.window is None)
        assert isinstance(r.gate, LockingView)
        assert r.shown.geometry() == place
        assert r.shown.isVisible()
        assert await r.locked() == Restart(locked=True, background=False, link="")


@pytest.mark.parametrize("by", ["lock", "quit"])
async def test_the_session_is_closed_when_no_view_of_it_is_left(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """A view that is alive would read a store that is closed."""
    alive: list[bool] = []
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        close = Session.close

        async def noting(session: Session) -> None:
            alive.append(shiboken6.isValid(window))
            await close(session)

        monkeypatch.setattr(Session, "close", noting)
        (r.program.ending.lock if by == "lock" else r.program.ending.quit)()
        await r.until(r.task.done)
    assert alive == [False]


async def test_a_link_that_comes_during_locking_is_given_on(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full = True
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program.ending.held is not None)
        r.program.resident.called.emit(f"{link()}\n")
        r.office.session.full = False
        held(r).again.click()
        assert (await r.locked()).link == link()


def held(r: Running) -> LockingView:
    view = r.program.ending.held
    assert view is not None
    return view


@pytest.mark.parametrize("hidden", [False, True])
async def test_attack_a_lock_that_cannot_store_an_edit_covers_the_window_until_it_is_stored(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    monkeypatch.setattr("ui.shell.entry.locking.RETRY_S", 0.01)
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full = True
        if hidden:
            r.shown.close()
        r.notified.clear()
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program.ending.held is not None)
        assert r.program.stage.window is None
        assert r.shown.isHidden() is hidden
        assert r.notified == (["Något du har skrivit är inte sparat än"] if hidden else [])
        assert held(r).heading.text() == "Något du har skrivit är inte sparat än"
        assert "Disken är full." in held(r).error.text()
        r.tray.open_asked.emit()
        assert held(r).again.isVisible()
        before = r.office.session.saves
        await r.until(lambda: r.office.session.saves > before + 2)
        assert not r.task.done()
        assert not r.office.session.closed
        r.office.session.full = False
        assert (await r.locked()).locked


@pytest.mark.parametrize("by", ["button", "quit", "closing"])
async def test_what_cannot_be_stored_is_given_up_only_when_the_person_says_so(
    qapp: QApplication, tmp_path: Path, by: str
) -> None:
    async with running(qapp, Office(tmp_path), has_tray=by != "quit") as r:
        r.office.session.full = True
        r.office.settings.set(CLOSE_TO_TRAY, False)
        r.program.ending.lock()
        await r.until(lambda: r.program.ending.held is not None)
        view = held(r)

        async def asked() -> Dialog:
            if by == "button":
                view.discard.click()
            elif by == "quit":
                r.program.ending.quit()
            else:
                assert not r.shown.close()
            await r.until(lambda: bool(shown()))
            return shown()[0]

        def shown() -> list[Dialog]:
            return [dialog for dialog in view.findChildren(Dialog) if dialog.isVisible()]

        (await asked()).reject()
        await r.until(lambda: not view._asking)
        assert not r.task.done()
        assert not shown()
        (await asked()).accept()
        assert (await r.locked()).locked


@pytest.mark.parametrize("by", ["quit", "the system"])
async def test_what_ends_the_program_while_it_is_locked_ends_it(qapp: QApplication, tmp_path: Path, by: str) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.tray.lock_asked.emit()
        if by == "quit":
            r.tray.quit_asked.emit()
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        await r.until(r.task.done)
        assert r.program.restart is None


@pytest.mark.parametrize("why", ["a bad raw key", "a key change that failed", "a session that kept not everything"])
async def test_no_fault_leads_around_an_unlock_method_that_policy_has_forbidden(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    async def fails(_change: KeyChange | None = None) -> Session:
        raise SlotDamaged

    office = Office(tmp_path)
    office.unlocking = unlock_methods(tmp_path / "forbidden", [SlotKind.PASSPHRASE], forbidden=SlotKind.PASSPHRASE)
    if why == "a bad raw key":
        monkeypatch.setattr(office, "unlock_raw", fails)
    elif why == "a key change that failed":
        monkeypatch.setattr(office, "rekey", fails, raising=False)
    else:
        monkeypatch.setattr(office.session, "close", fails)
    async with running(qapp, office) as r:
        if why != "a bad raw key":
            r.program._rekey(KeyChange(current="fel"))
        await r.until(lambda: r.program.stage.gate is not None and isinstance(r.gate, NewUnlockMethodView))


@pytest.mark.parametrize("how", ["tray", "sleep", "left"])
async def test_attack_who_leaves_while_the_key_is_changed_leaves_a_locked_kansli(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Nobody unlocks at the end of a change, so nothing may be shown then."""
    second = open_session(tmp_path / "second", kind=Session)
    asked, changed = asyncio.Event(), asyncio.Event()

    async def rekey(_change: KeyChange) -> object:
        asked.set()
        await changed.wait()
        return second

    made = Office(tmp_path / "first")
    monkeypatch.setattr(made, "rekey", rekey, raising=False)
    async with running(qapp, made) as r:
        r.program._rekey(KeyChange(current="gammal lösenfras å", new="ny lösenfras 🙂"))
        await r.until(asked.is_set)
        leave = {"tray": r.tray.lock_asked, "sleep": r.events[0].sleeps, "left": r.events[0].left}[how]
        leave.emit()
        changed.set()
        assert (await r.locked()).locked
        assert r.program.stage.window is None
    assert isinstance(second, Session)
    assert second.closed
    second.profile.close()


async def test_attack_a_key_that_is_to_be_changed_lifts_no_curtain(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passphrase of the change is compared in a thread, and the person locks meanwhile."""
    asked = list[KeyChange]()

    async def fails(change: KeyChange) -> Session:
        asked.append(change)
        raise SlotDamaged

    made = office_with(tmp_path)
    monkeypatch.setattr(made, "rekey", fails, raising=False)
    async with covered(qapp, tmp_path, made) as r:
        window, change = r.program.stage.window, KeyChange(current="gammal lösenfras å", new="ny lösenfras 🙂")
        assert window is not None
        window.key_change_requested.emit(change)
        assert not r.program.ending.is_working, "the session that it opens would have a window"
        for _ in range(20):
            await asyncio.sleep(0)
        assert asked == []
        assert r.program.curtain.is_down
        assert not r.office.session.closed
        assert visible_windows() == [r.shown]
        await lift(r)
        await r.until(lambda: asked == [change])
        await r.until(lambda: r.program.stage.gate is not None and isinstance(r.gate, UnlockView))


@pytest.mark.parametrize("minutes", [15, 0])
async def test_who_leaves_the_screen_leaves_kansli_unless_it_never_locks(
    qapp: QApplication, tmp_path: Path, minutes: int
) -> None:
    office = Office(tmp_path)
    office.settings.set(AUTO_LOCK_MINUTES, minutes)
    async with running(qapp, office) as r:
        r.events[0].left.emit()
        if minutes:
            await r.locked()
        await asyncio.sleep(0.05)
        assert (r.program.stage.session is None) is bool(minutes)


async def test_who_leaves_the_screen_is_away_until_it_is_unlocked(qapp: QApplication, tmp_path: Path) -> None:
    """Also where Kansli never locks: somebody who moves the mouse at the locked screen is not that person."""

    async def just_now() -> float | None:
        return 0.0

    office = Office(tmp_path)
    office.settings.set(AUTO_LOCK_MINUTES, 0)
    async with running(qapp, office, idle_s=just_now) as r:
        assert r.program.stage.window is not None
        presence, used = r.program.stage.window.auto_lock.presence, list[bool]()
        presence.changed.connect(used.append)
        r.events[0].left.emit()
        assert used == [False]
        assert not timer_of(presence).isActive(), "the system is not asked"
        r.events[0].returned.emit()
        await r.until(lambda: used == [False, True])


async def test_after_a_lock_the_window_is_where_it_was_and_as_large(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MainWindow, "setMinimumSize", lambda *_size: None)  # the screen here is 800 pixels wide
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.setGeometry(20, 40, 760, 640)
        place = r.shown.geometry()
        await r.lock()
    async with running(qapp, Office(tmp_path), locked=True) as r:
        assert r.shown.geometry() == place
        await r.unlock()
        assert r.program.stage.window is not None
        assert r.shown.geometry() == place


@pytest.mark.parametrize("by_link", [False, True])
async def test_after_a_lock_one_is_in_the_same_room_and_view_once(
    qapp: QApplication, tmp_path: Path, by_link: bool
) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        half_a_sentence(window)
        await r.lock()
        kept = r.office.session.place
        assert kept
        assert "halv" not in kept
    again = Office(tmp_path)
    again.session.keep_place(kept)
    async with running(qapp, again, link() if by_link else "", locked=True) as r:
        await r.unlock()
        window = r.program.stage.window
        assert window is not None
        room = window.current_room()
        assert room is not None
        if by_link:
            assert room.room == office().case
        else:
            assert (room.room, room.tabs.current()) == (office().unit, "documents")
            view = room.current_view()
            assert isinstance(view, FakeView)
            assert view.stood.caret == 5
        assert again.session.place == "", "it is no place to start at for ever"
        window.go_section("search")
        window.content.search_view.field.setText("kompl")
        await r.lock()
        kept = again.session.place
    again = Office(tmp_path)
    again.session.keep_place(kept)
    async with running(qapp, again, locked=True) as r:
        await r.unlock()
        window = r.program.stage.window
        assert window is not None
        assert window.navigator.place.section == "search"
        assert window.content.search_view.field.text() == "kompl"


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", '{"place": 1}', '{"place": {"section": "x"}}', "gone-room", "nowhere", "odd-standing"]
)
async def test_a_place_that_cannot_be_read_or_is_gone_is_home(qapp: QApplication, tmp_path: Path, kept: str) -> None:
    office = Office(tmp_path)
    whole = {
        "place": {"section": "rooms", "room": "ab" * 16, "tab": "chat", "obj": None},
        "words": "",
        "standing": None,
    }
    if kept == "nowhere":
        whole["place"] = {"section": "cellar", "room": None, "tab": "", "obj": None}
    if kept == "odd-standing":
        whole["standing"] = {"page": "x"}
    office.session.keep_place(json.dumps(whole) if kept in ("gone-room", "nowhere", "odd-standing") else kept)
    async with running(qapp, office, locked=True) as r:
        await r.unlock()
        window = r.program.stage.window
        assert window is not None
        assert window.navigator.place.section == "home"
        assert office.session.place == ""


async def test_a_full_disk_does_not_keep_the_program_open(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(text: str) -> None:
        raise DiskFull

    async with running(qapp, Office(tmp_path)) as r:
        monkeypatch.setattr(r.office.session, "keep_place", refuse)
        assert (await r.lock()).locked


async def test_a_fault_of_ours_in_the_open_view_keeps_nothing_from_being_locked(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program.stage.window
        assert window is not None
        monkeypatch.setattr(window, "keep_geometry", lambda: 1 / 0)
        r.program.ending.lock()
        assert (await r.locked()).locked
