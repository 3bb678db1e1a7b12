# SPDX-License-Identifier: EUPL-1.2
"""A program that runs over an office in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

import app.session
from app.errors import DiskFull
from app.installed import Installed
from app.passphrases import PassphraseRules
from app.unlocking import SlotKind
from app.unstored import Unstored
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.tool_views import TOOLS, FakeView
from tests.ui.shell.unlock_methods import unlock_methods
from ui.desktop.again import Restart
from ui.desktop.resident import Desktop
from ui.desktop.tray import Tray
from ui.desktop.waking import Events
from ui.kit import tasks
from ui.program import Program
from ui.shell.entry.unlock import UnlockView
from ui.shell.window.main_window import MainWindow

ENROL = "kansli://enrol?server=kansli.example&code=ABCD-EFGH"


def link() -> str:
    """A link to the board of the case room."""
    return f"kansli://{office().case.hex()}/{office().board.hex()}?kind=board"


def half_a_sentence(window: MainWindow) -> FakeView:
    """Opens the third tab of the unit's room and writes there; the caret is behind the fifth character."""
    window.open_room(office().unit)
    window.navigator.open_tab(2)
    room = window.current_room()
    assert room is not None
    view = room.current_view()
    assert isinstance(view, FakeView)
    view.field.setText("halv mening å 🙂")
    view.field.setCursorPosition(5)
    return view


class Session(app.session.Session):
    """A session that records whether it was closed, how often it was hurried and saved, and the place that was kept;
    and whose disk can be full."""

    hurried = 0
    closed = False
    saves = 0
    full = False
    """Whether the disk refuses to store what was written last."""
    lost: Sequence[Unstored] = ()
    """What the disk refuses to store."""

    place = ""

    def hurry(self) -> None:
        self.hurried += 1
        super().hurry()

    async def close(self) -> None:
        self.closed = True
        await super().close()

    def keep_place(self, text: str) -> None:
        super().keep_place(text)
        self.place = text

    def save(self) -> None:
        self.saves += 1
        if self.full:
            raise DiskFull
        super().save()

    def unstored(self) -> list[Unstored]:
        return list(self.lost) if self.full else super().unstored()


class Office:
    """Stands in for app.bootstrap.Office. It opens without a key, unless it is locked."""

    def __init__(self, folder: Path, *, new: bool = False, locked: bool = False) -> None:
        opened = open_session(folder, kind=Session)
        assert isinstance(opened, Session)
        self.session, self.profile = opened, opened.profile
        self.settings = self.session.settings
        self.is_new, self.is_unfinished = new, False
        self.unlocking = unlock_methods(folder, [SlotKind.KEYRING])
        self.locked = locked
        self.keyring_asked = 0
        self.renewed = 0

    def renew_policy(self) -> None:
        self.renewed += 1

    async def unlock_raw(self) -> Session | None:
        return None if self.locked else self.session

    def kinds(self) -> list[SlotKind]:
        return [SlotKind.PASSPHRASE, SlotKind.KEYRING]

    async def unlock(self, passphrase: str) -> Session:
        return self.session

    async def unlock_keyring(self) -> Session:
        self.keyring_asked += 1
        return await asyncio.Future()

    withholds_keyring = False

    def passphrase_rules(self) -> PassphraseRules:
        return PassphraseRules()

    def keyring_available(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return lambda *_: True  # no unlock method is lost here


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
    """A program that runs. `notified`: notifications beside the tray's sign."""

    program: Program
    office: Office
    qapp: QApplication
    task: "asyncio.Task[None]"
    events: list[Events]
    autostart: Autostart
    notified: list[str] = field(default_factory=list)

    @property
    def shown(self) -> QWidget:
        found = self.program.stage.shown
        assert found is not None
        return found

    @property
    def tray(self) -> Tray:
        found = self.program.resident.tray
        assert found is not None
        return found

    @property
    def gate(self) -> object:
        assert self.program.stage.gate is not None
        return self.program.stage.gate.centralWidget()

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


async def says_nothing() -> float | None:
    """A system that does not say how long nobody has used the computer."""
    return None


@asynccontextmanager
async def running(
    qapp: QApplication,
    office: Office,
    link: str = "",
    *,
    has_tray: bool = True,
    background: bool = False,
    locked: bool = False,
    installed: Installed | None = None,
    idle_s: Callable[[], Awaitable[float | None]] = says_nothing,
) -> AsyncIterator[Running]:
    made: list[Events] = []
    autostart = Autostart()

    def watch(parent: QObject) -> Events:
        made.append(Events(parent))
        return made[-1]

    def tray(parent: QObject) -> Tray | None:
        return Tray(parent) if has_tray else None

    command = ["kansli", "--background"]
    desktop = Desktop(tray=tray, watch=watch, autostart=autostart, command=command, idle_s=idle_s)
    how = {"background": background, "locked": locked, "installed": installed}
    program = Program(office, link, **how, desktop=desktop, tools=TOOLS)  # type: ignore[arg-type]
    task = asyncio.ensure_future(program.run())
    found = Running(program, office, qapp, task, made, autostart)
    await found.until(lambda: bool(made))
    if has_tray:
        found.tray.notify = lambda title, text: found.notified.append(title)  # type: ignore[method-assign]
    try:
        yield found
    finally:
        program.ending.over.set()
        await task
        office.profile.close()
        tasks.set_error_hook(None)
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
