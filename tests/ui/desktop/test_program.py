# SPDX-License-Identifier: EUPL-1.2
"""The program on a desktop: its window in sight, in the tray, locked, and what comes from outside meanwhile."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

import ui.program
from app.core.i18n import set_language
from app.errors import DiskFull, SlotDamaged
from app.passphrases import PassphraseRules
from app.profile import Profile
from app.settings import AUTO_LOCK_MINUTES, AUTOSTART, CLOSE_TO_TRAY, LANGUAGE, PROXY_MODE
from app.unlocking import KeyChange, SlotKind
from tests.ui.desktop.test_tray import menu_texts
from tests.ui.shell.fake_keys import FakeKeys
from tests.ui.shell.fake_session import TOOLS, FakeSession
from tests.ui.shell.sample import BOARD, CASE
from tests.ui.soon import caught_up
from ui.desktop.again import Restart
from ui.desktop.resident import Desktop
from ui.desktop.tray import Tray
from ui.desktop.waking import Events
from ui.kit import tasks, theme
from ui.kit.dialogs import Dialog
from ui.program import Program
from ui.shell.locking import LockingView
from ui.shell.new_way import NewWayView
from ui.shell.unlock import UnlockView
from ui.shell.welcome import WelcomeView

LINK = f"kansli://{CASE.hex()}/{BOARD.hex()}?kind=board"
ENROL = "kansli://enrol?server=kansli.example&code=ABCD-EFGH"


class Session(FakeSession):
    """One that is closed and hurried."""

    hurried = 0
    closed = False
    saves = 0
    full = False
    """Whether the disk refuses to store what was written last."""

    def hurry(self) -> None:
        self.hurried += 1

    async def close(self) -> None:
        self.closed = True

    async def warm(self) -> None: ...

    def save(self) -> None:
        self.saves += 1
        if self.full:
            raise DiskFull


class Office:
    """In the place of app.bootstrap.Office: opens without a key until it is locked."""

    def __init__(self, folder: Path, *, new: bool = False, locked: bool = False) -> None:
        self.profile = Profile.open(root=folder)
        self.session = Session(folder)
        self.settings = self.session.settings
        self.is_new, self.is_unfinished = new, False
        self.unlocking = FakeKeys(list(SlotKind))
        self.locked = locked
        self.keyring_asked = 0

    def unlock_raw(self) -> Session | None:
        return None if self.locked else self.session

    def kinds(self) -> list[SlotKind]:
        return list(SlotKind)

    async def unlock(self, passphrase: str) -> Session:
        return self.session

    async def unlock_keyring(self) -> Session:
        self.keyring_asked += 1
        return await asyncio.Future()

    def passphrase_rules(self) -> PassphraseRules:
        return PassphraseRules()

    def keyring_available(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return lambda *_: True  # the ways in are not gone here


class Autostart:
    """What the desktop would start."""

    line_: str | None = None

    def line(self, command: Sequence[str]) -> str:
        return " ".join(command)

    def read(self) -> str | None:
        return self.line_

    def write(self, line: str) -> None:
        self.line_ = line

    def remove(self) -> None:
        self.line_ = None


@dataclass
class Running:
    """A program that runs. `told`: notifications beside the tray's sign."""

    program: Program
    office: Office
    qapp: QApplication
    task: "asyncio.Task[None]"
    events: list[Events]
    autostart: Autostart
    told: list[str] = field(default_factory=list)

    @property
    def shown(self) -> QWidget:
        found = self.program._stage.window or self.program._stage.gate
        assert found is not None
        return found

    @property
    def tray(self) -> Tray:
        found = self.program._resident.tray
        assert found is not None
        return found

    @property
    def gate(self) -> object:
        assert self.program._stage.gate is not None
        return self.program._stage.gate.centralWidget()

    async def until(self, look: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not look():
            assert time.monotonic() < end, "not so in time"
            self.qapp.processEvents()
            await asyncio.sleep(0.005)

    async def lock(self) -> Restart:
        self.tray.lock_asked.emit()
        return await self.locked()

    async def locked(self) -> Restart:
        """Waits until the program has ended, and returns how it is to be started again."""
        await self.until(self.task.done)
        assert self.office.session.closed
        assert self.program.restart is not None
        return self.program.restart

    async def unlock(self) -> None:
        assert isinstance(self.gate, UnlockView)
        self.gate.unlocked.emit(self.office.session)


@pytest.fixture(autouse=True)
def light_and_swedish(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_language("sv")
    theme.apply(qapp, "light")
    monkeypatch.setattr(ui.program, "TOOLS", TOOLS)
    monkeypatch.setattr("ui.desktop.resident.WATCH_AFTER_MS", 0)
    monkeypatch.setattr("ui.desktop.resident.TRAY_EVERY_MS", 1)
    with tempfile.TemporaryDirectory() as folder:  # a test's own folder has too long a name for a socket
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield


@asynccontextmanager
async def running(
    qapp: QApplication,
    office: Office,
    link: str = "",
    *,
    has_tray: bool = True,
    background: bool = False,
    locked: bool = False,
) -> AsyncIterator[Running]:
    made: list[Events] = []
    autostart = Autostart()

    def watch(parent: QObject) -> Events:
        made.append(Events(parent))
        return made[-1]

    def tray(parent: QObject) -> Tray | None:
        return Tray(parent) if has_tray else None

    desktop = Desktop(tray=tray, watch=watch, autostart=autostart, command=["kansli", "--background"])
    how = {"background": background, "locked": locked}
    program = Program(office, link, **how, desktop=desktop)  # type: ignore[arg-type]
    task = asyncio.ensure_future(program.run())
    found = Running(program, office, qapp, task, made, autostart)
    await found.until(lambda: bool(made))
    if has_tray:
        found.tray.tell = lambda title, text: found.told.append(title)  # type: ignore[method-assign]
    try:
        yield found
    finally:
        program._ending.over.set()
        await task
        office.profile.close()
        tasks.set_error_hook(None)
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


async def test_closing_leaves_it_in_the_tray_and_says_so_once(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        assert r.shown.isVisible()
        for _ in range(2):
            assert not r.shown.close()
            assert r.shown.isHidden()
            r.tray.open_asked.emit()
            assert r.shown.isVisible()
        assert r.told == ["Fönstret är stängt"]
        assert not r.task.done()


@pytest.mark.parametrize("why", ["no tray", "by setting", "first start"])
async def test_closing_ends_it(qapp: QApplication, tmp_path: Path, why: str) -> None:
    office = Office(tmp_path, new=why == "first start")
    office.settings.set(CLOSE_TO_TRAY, why != "by setting")
    async with running(qapp, office, has_tray=why != "no tray") as r:
        assert r.shown.close()
        await asyncio.wait_for(r.task, 10)


async def test_quit_ends_it_from_the_menus_and_the_palette(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.close()
        window = r.program._stage.window
        assert window is not None
        assert "Avsluta" in [c.text for c in window.commands.shown()]
        window.commands["quit"].run()
        await asyncio.wait_for(r.task, 10)
        assert r.office.session.closed


async def test_the_tray_quits_and_its_sign_goes(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True)) as r:
        sign = r.tray
        sign.quit_asked.emit()
        await asyncio.wait_for(r.task, 10)
        assert not sign.item.isVisible()


async def test_a_full_disk_keeps_nobody_from_closing_and_quitting(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings.write_atomic", full)
    async with running(qapp, Office(tmp_path)) as r:
        assert not r.shown.close()
        assert r.told == ["Fönstret är stängt"]
        r.tray.quit_asked.emit()
        await asyncio.wait_for(r.task, 10)


async def test_started_by_the_desktop_no_window_comes_up(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path), background=True) as r:
        assert r.shown.isHidden()
        r.tray.open_asked.emit()
        assert r.shown.isVisible()


async def test_started_by_the_desktop_and_locked_no_window_comes_up(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True), background=True) as r:
        assert r.shown.isHidden()
        await r.until(lambda: r.office.keyring_asked == 1)
        await r.unlock()
        assert r.program._stage.window is not None
        assert r.shown.isHidden()


async def test_without_a_tray_it_is_in_the_task_bar(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path), background=True, has_tray=False) as r:
        await r.until(lambda: r.shown.isMinimized())


async def test_what_is_locked_in_the_tray_stays_there_and_tells_nothing(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        window = r.program._stage.window
        assert window is not None
        caught_up(window)
        unread = sum(room.unread for room in r.office.session.rooms.rooms() if not room.muted)
        assert unread
        assert r.tray.says() == f"Kansli: {unread} olästa"
        r.shown.close()
        assert await r.lock() == Restart(locked=True, background=True, link="")
        assert r.shown.isHidden()
    async with running(qapp, Office(tmp_path), background=True, locked=True) as r:
        assert r.shown.isHidden()
        assert (r.tray.says(), r.tray.unread) == ("Kansli är låst", 0)
        assert "Lås Kansli" not in menu_texts(r.tray)
        await r.unlock()
        assert r.shown.isHidden()
        assert r.tray.says() == f"Kansli: {unread} olästa"


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
        await r.until(lambda: r.program._stage.window is None)
        assert isinstance(r.gate, LockingView)
        assert r.shown.geometry() == place
        assert r.shown.isVisible()
        assert await r.locked() == Restart(locked=True, background=False, link="")


async def test_a_link_that_comes_during_locking_is_given_on(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full = True
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program._ending.held is not None)
        r.program._resident.called.emit(f"{LINK}\n")
        r.office.session.full = False
        held(r).again.click()
        assert (await r.locked()).link == LINK


def held(r: Running) -> LockingView:
    view = r.program._ending.held
    assert view is not None
    return view


@pytest.mark.parametrize("hidden", [False, True])
async def test_attack_a_lock_that_cannot_store_an_edit_covers_the_window_until_it_is_stored(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: bool
) -> None:
    monkeypatch.setattr("ui.shell.locking.RETRY_S", 0.01)
    async with running(qapp, Office(tmp_path)) as r:
        r.office.session.full = True
        if hidden:
            r.shown.close()
        r.told.clear()
        r.tray.lock_asked.emit()
        await r.until(lambda: r.program._ending.held is not None)
        assert r.program._stage.window is None
        assert r.shown.isHidden() is hidden
        assert r.told == (["Något du har skrivit är inte sparat än"] if hidden else [])
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
        r.program._ending.lock()
        await r.until(lambda: r.program._ending.held is not None)
        view = held(r)

        async def asked() -> Dialog:
            if by == "button":
                view.discard.click()
            elif by == "quit":
                r.program._ending.quit()
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
async def test_no_fault_leads_around_a_way_of_unlocking_that_policy_has_forbidden(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def fails() -> Session:
        raise SlotDamaged

    async def fails_later(change: KeyChange) -> Session:
        return fails()

    office = Office(tmp_path)
    office.unlocking = FakeKeys([SlotKind.PASSPHRASE], forbidden=SlotKind.PASSPHRASE)
    if why == "a bad raw key":
        monkeypatch.setattr(office, "unlock_raw", fails)
    elif why == "a key change that failed":
        monkeypatch.setattr(office, "rekey", fails_later, raising=False)
    else:
        monkeypatch.setattr(office.session, "close", lambda: fails_later(KeyChange(current="")))
    async with running(qapp, office) as r:
        if why != "a bad raw key":
            r.program._rekey(KeyChange(current="fel"))
        await r.until(lambda: r.program._stage.gate is not None and isinstance(r.gate, NewWayView))


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
        assert (r.program._stage.session is None) is bool(minutes)


async def test_a_computer_that_wakes_connects_at_once_or_locks(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.events[0].woke.emit()
        r.events[0].network_changed.emit()
        r.office.settings.set(PROXY_MODE, "none")
        assert r.office.session.hurried == 3
        window = r.program._stage.window
        assert window is not None
        window.auto_lock._since -= 16 * 60
        r.events[0].woke.emit()
        await r.locked()
        assert r.office.session.hurried == 3


async def test_another_start_brings_it_to_the_front_and_its_link_is_followed(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "")
    async with running(qapp, Office(tmp_path)) as r:
        r.shown.close()
        line = r.program._resident.line
        assert line is not None
        assert line.listening
        line.called.emit(f"{LINK}\nåä\x00")
        assert r.shown.isVisible()
        window = r.program._stage.window
        assert window is not None
        view = window.current_room()
        assert view is not None
        assert view.room == CASE


async def test_a_link_waits_until_it_is_unlocked(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, locked=True)) as r:
        r.program._resident.called.emit(f"{LINK}\n")
        assert isinstance(r.gate, UnlockView)
        await r.unlock()
        window = r.program._stage.window
        assert window is not None
        assert window.current_room() is not None


async def test_an_invitation_is_filled_in_and_nothing_more(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, new=True)) as r:
        assert isinstance(r.gate, WelcomeView)
        r.program._resident.called.emit(f"{LINK}\n")
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == ""
        r.program._resident.called.emit(f"{ENROL}\n")
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == "ABCD-EFGH"
        assert r.gate.currentWidget() is r.gate.code_page


async def test_no_link_but_an_invitation_is_taken_for_a_server(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path, new=True), "kansli://" + "x" * 5000) as r:
        assert isinstance(r.gate, WelcomeView)
        assert r.gate.code.text() == ""
        assert r.program._link.startswith("kansli://x")


async def test_the_desktops_start_follows_the_setting(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        assert r.autostart.line_ is None
        r.office.settings.set(AUTOSTART, True)
        assert r.autostart.line_ == "kansli --background"
        r.office.settings.set(AUTOSTART, False)
        assert r.autostart.line_ is None


async def test_the_tray_speaks_the_language_in_force(qapp: QApplication, tmp_path: Path) -> None:
    async with running(qapp, Office(tmp_path)) as r:
        r.office.settings.set(LANGUAGE, "en")
        await r.until(lambda: "Open Kansli" in menu_texts(r.tray))
        r.office.settings.set(LANGUAGE, "sv")
        await r.until(lambda: "Öppna Kansli" in menu_texts(r.tray))
