# SPDX-License-Identifier: EUPL-1.2
"""The desktop application: one event loop, the way in, the window, an orderly way out. The only user of qasync."""

import argparse
import asyncio
import gc
import linecache
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import qasync
from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMessageBox

from app import purging
from app.bootstrap import Office
from app.core import log
from app.errors import AppError
from app.profile import DEFAULT, Profile
from app.session import Session
from app.setting import entries
from app.settings import LANGUAGE, LOG_LEVEL, SERVER, SERVERS, THEME
from app.unlocking import KeyChange, SlotKind
from ui.errors import code_of, sentence_of
from ui.kit import icons, theme
from ui.kit.translate import change_language, tr
from ui.shell import away
from ui.shell.away import AwayView
from ui.shell.gate import GatePage
from ui.shell.new_way import NewWayView
from ui.shell.returning import ReturnView
from ui.shell.unfinished import UnfinishedView
from ui.shell.unlock import UnlockView
from ui.shell.welcome import CodeView, WelcomeView
from ui.shell.window import MainWindow
from ui.tools import TOOLS

SWITCH_INTERVAL_S = 0.001
"""Sealing in threads holds the GIL: the loop must get it back before a person notices."""
SIZE = (1440, 900)


def main(argv: Sequence[str]) -> int:
    """Runs until the window is closed; gives the exit status: 0, or 2 if the profile cannot be used."""
    arguments = _parser().parse_args(argv)
    if arguments.purge_machine:
        return purging.main()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # what is imported stays: looking through it for garbage took 40 ms, now and then, of the loop
    linecache.clearcache()  # PySide reads the source of each module imported after it; Python would keep them, 19 MB
    application = QApplication.instance() or QApplication(["kansli"])
    assert isinstance(application, QApplication)  # noqa: S101 - nobody makes another kind
    application.setApplicationName("Kansli")
    application.setDesktopFileName("se.kansli.Kansli")
    application.setQuitOnLastWindowClosed(False)
    try:
        profile = Profile.open(arguments.profile, arguments.data)
    except AppError as fault:
        _refuse(application, fault)
        return 2
    try:
        office = Office(profile, insecure_loopback=arguments.insecure_loopback)
        log.start(profile.logs_folder, office.settings.get(LOG_LEVEL))
        office.policy.tell()
        change_language(office.settings.get(LANGUAGE))
        theme.apply(application, office.settings.get(THEME))
        application.setWindowIcon(icons.app_icon())
        with _loop(application) as runner:
            runner.run(Program(office, arguments.link).run())
    finally:
        log.stop()
        profile.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kansli", description="The sealed office.")
    parser.add_argument("--profile", default=DEFAULT, help="which account's files to use")
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of all profiles (default: KANSLI_DATA or the system's)"
    )
    parser.add_argument(
        "--insecure-loopback", action="store_true", help="allow a server without TLS on this machine (development)"
    )
    parser.add_argument(
        "--purge-machine", action="store_true", help="remove every profile of every user of this computer, and end"
    )
    parser.add_argument("link", nargs="?", default="", help="an invitation: kansli://enrol?server=…&code=…")
    return parser


def _refuse(application: QApplication, fault: AppError) -> None:
    """The profile cannot be used: said on the terminal, and in a window where there is one."""
    said = sentence_of(fault)
    sys.stderr.write(f"kansli: {said.title} {said.text} ({code_of(fault)})\n")
    if QApplication.platformName() != "offscreen":
        box = QMessageBox(QMessageBox.Icon.Warning, "Kansli", f"{said.title}\n\n{said.text}")
        with _loop(application) as runner:
            runner.run(_read(box))


async def _read(box: QMessageBox) -> None:
    """Until the person has closed it."""
    closed = asyncio.Event()
    box.finished.connect(lambda _result: closed.set())
    box.open()
    await closed.wait()


def _loop(application: QApplication) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application))


class Gate(QMainWindow):
    """The window before one is in; closing it ends the program."""

    def __init__(self, closed: asyncio.Event) -> None:
        super().__init__()
        self._closed = closed
        self.setWindowTitle("Kansli")
        self.resize(*SIZE)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._closed.set()
        event.accept()


class Program:
    """From the way in to the way out: first start or unlocking, the window, locking again."""

    def __init__(self, office: Office, link: str = "") -> None:
        self._office = office
        self._link = link
        self._over = asyncio.Event()
        self._gate: Gate | None = None
        self._window: MainWindow | None = None
        self._session: Session | None = None
        self._locking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the window is closed or the system asks us to end; the session is closed in order."""
        signals = _Signals(self._over)
        try:
            self._start()
            await self._over.wait()
        finally:
            signals.close()
            await self._close()

    def _start(self) -> None:
        if self._office.is_new:
            self._show_gate(self._welcome())
            return
        if self._office.is_unfinished:
            self._show_gate(self._unfinished())
            return
        try:
            session = self._office.unlock_raw()
        except AppError as fault:
            view = self._unlock()
            self._show_gate(view)
            view.show_error(fault)
            return
        if session is not None:
            self._open(session)
        else:
            self._show_gate(self._way_in())

    def _welcome(self) -> WelcomeView:
        settings = self._office.settings
        server, servers = self._link or settings.get(SERVER), entries(settings.get(SERVERS))
        view = WelcomeView(self._office, server=server, servers=servers)
        view.done.connect(self._open)
        view.lost.connect(lambda: self._show_gate(self._returning()))
        return view

    def _returning(self) -> ReturnView:
        settings = self._office.settings
        view = ReturnView(self._office, server=settings.get(SERVER), servers=entries(settings.get(SERVERS)))
        view.done.connect(self._open)
        view.left.connect(lambda: self._show_gate(self._welcome()))
        return view

    def _unfinished(self) -> UnfinishedView:
        office, kinds = self._office, self._office.kinds()
        view = UnfinishedView(
            office.resume if SlotKind.PASSPHRASE in kinds else None,
            office.resume_by_keyring if SlotKind.KEYRING in kinds else None,
        )
        view.unlocked.connect(self._open)
        view.anew.connect(self._begin_anew)
        return view

    def _begin_anew(self) -> None:
        self._office.begin_anew()
        if self._gate is not None:
            self._gate.setCentralWidget(self._welcome())

    def _way_in(self) -> GatePage:
        """Unlocking, or another way of it where policy has forbidden the only one."""
        forbidden = self._office.unlocking.forbidden
        if forbidden is None:
            return self._unlock()
        view = NewWayView(forbidden, self._office.replace)
        view.unlocked.connect(self._open)
        return view

    def _unlock(self) -> UnlockView:
        kinds = self._office.kinds()
        view = UnlockView(
            self._office.unlock if SlotKind.PASSPHRASE in kinds else None,
            self._office.unlock_keyring if SlotKind.KEYRING in kinds else None,
        )
        view.unlocked.connect(self._open)
        if SlotKind.KEYRING in kinds:
            asyncio.get_running_loop().call_soon(view.unlock_with_keyring)
        return view

    def _show_gate(self, view: CodeView | GatePage) -> None:
        if self._gate is not None:
            self._gate.hide()
            self._gate.deleteLater()
        self._gate = Gate(self._over)
        self._gate.setCentralWidget(view)
        self._gate.show()
        self._gate.activateWindow()

    def _open(self, session: Session) -> None:
        self._session = session
        if session.overdue:
            self._show_gate(self._away(session))
        else:
            self._show_window(session)

    def _away(self, session: Session) -> AwayView:
        view = AwayView(session, session.engine.retry_now)
        view.met.connect(lambda: self._show_window(session) if self._session is session and not self._window else None)
        view.lock.connect(self._lock)
        view.erase.connect(self._erase)
        return view

    def _show_window(self, session: Session) -> None:
        self._window = MainWindow(session, TOOLS, keys=self._office.unlocking)
        self._window.lock_requested.connect(self._lock)
        self._window.key_change_requested.connect(self._rekey)
        self._window.erase_requested.connect(self._erase)
        self._window.installEventFilter(_Closing(self._over, self._window))
        away.watch(self._window, lambda: session.overdue, self._lock)
        self._window.show()
        if self._gate is not None:
            self._gate.hide()
            self._gate.deleteLater()
            self._gate = None

    def _lock(self) -> None:
        """Closes the database, drops keys and everything readable; then asks for the way in again."""
        if self._locking is None or self._locking.done():
            self._locking = asyncio.ensure_future(self._lock_now())

    async def _lock_now(self) -> None:
        self._office.renew_policy()
        self._show_gate(self._way_in())
        await self._close()

    def _rekey(self, change: KeyChange) -> None:
        """Gives the database a new key, between two sessions."""
        if self._locking is None or self._locking.done():
            self._locking = asyncio.ensure_future(self._rekey_now(change))

    async def _rekey_now(self, change: KeyChange) -> None:
        page = GatePage(tr("Your content gets a new key"), tr("A second or so for each 100 MB. Please wait."))
        page.spinner.start()
        self._show_gate(page)
        await self._close()
        try:
            session = await self._office.rekey(change)
        except AppError as fault:  # nothing was changed: the way in is as it was
            view = self._unlock()
            self._show_gate(view)
            view.show_error(fault)
            return
        self._open(session)
        if self._window is not None:
            self._window.go_section("settings")
            self._window.toast(tr("The ways of unlocking are changed"))

    def _erase(self) -> None:
        """Removes everything of a revoked device, then begins as on the first day."""
        if self._locking is None or self._locking.done():
            self._locking = asyncio.ensure_future(self._erase_now())

    async def _erase_now(self) -> None:
        session = self._session
        if session is None or session.devices.ended != "revoked":
            return
        page = GatePage(tr("Everything is being removed from this computer"), "")
        page.spinner.start()
        self._show_gate(page)
        self._session = None
        self._drop_window()
        await self._office.erase(session)
        self._show_gate(self._welcome())

    async def _close(self) -> None:
        session, self._session = self._session, None
        self._drop_window()
        if session is not None:
            await session.close()

    def _drop_window(self) -> None:
        window, self._window = self._window, None
        if window is not None:
            window.hide()
            window.deleteLater()
            QApplication.sendPostedEvents(window, 0)


class _Closing(QObject):
    """Hears that the main window was closed."""

    def __init__(self, over: asyncio.Event, window: MainWindow) -> None:
        super().__init__(window)
        self._over = over

    def eventFilter(self, watched: QObject, event: object) -> bool:
        if isinstance(event, QCloseEvent):
            self._over.set()
        return False


class _Signals:
    """SIGTERM and SIGINT end the program in order, also while Qt's loop sleeps."""

    def __init__(self, over: asyncio.Event) -> None:
        self._ours, theirs = socket.socketpair()
        for end in (self._ours, theirs):
            end.setblocking(False)
        self._theirs = theirs
        self._old_fd = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        self._old = {s: signal.signal(s, lambda *_: over.set()) for s in (signal.SIGTERM, signal.SIGINT)}

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            self._ours.recv(64)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()
