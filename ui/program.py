# SPDX-License-Identifier: EUPL-1.2
"""The program between start and end: the way in, the window, locking, and what comes from the desktop meanwhile."""

import asyncio
import os
from typing import Literal

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.bootstrap import Office
from app.core import log
from app.errors import AppError, StoreFault
from app.session import Session
from app.settings import AUTO_LOCK_MINUTES, PROXY_ADDRESS, PROXY_MODE, WINDOW_GEOMETRY
from app.unlocking import KeyChange
from ui.desktop.again import Restart
from ui.desktop.closing import Closing, Gate
from ui.desktop.resident import Desktop, Resident
from ui.desktop.sweeping import Sweeping
from ui.desktop.waking import Events
from ui.kit.front import to_front
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell import away
from ui.shell.arriving import is_invitation
from ui.shell.away import AwayView
from ui.shell.gate import GatePage
from ui.shell.locking import LockingView
from ui.shell.welcome import WelcomeView
from ui.shell.window import MainWindow
from ui.signals import Signals
from ui.tools import TOOLS
from ui.ways_in import GateView, WaysIn

SIZE = (1440, 900)
WARM_AFTER_MS = 1000
"""After the window was shown: what the first change of a colleague needs must not hold up the first paint."""


class Program:
    """From the way in to the way out: first start or unlocking, the window, locking again."""

    def __init__(
        self,
        office: Office,
        link: str = "",
        *,
        background: bool = False,
        locked: bool = False,
        desktop: Desktop | None = None,
    ) -> None:
        """`link`: what it was started with. `background`: begins in the tray, without a window. `locked`: waits at the
        gate for the person, even if the profile could be unlocked without them."""
        self._office = office
        self._link = link
        self._background, self._locked = background, locked
        self._ends_to: Literal["lock", "new"] | None = None
        """Why the program is to be started again: to show the gate, or to begin as on the first day. None: it is
        not."""
        self._told_to_end = False
        """Whether the system asked the program to end, perhaps while it was being locked. Then it is not started
        again."""
        self._over = asyncio.Event()
        self._gate: Gate | None = None
        self._window: MainWindow | None = None
        self._session: Session | None = None
        self._locking: asyncio.Task[None] | None = None
        self._ways = WaysIn(office, self._open, self._show_gate)
        self._resident = Resident(office.profile, office.settings, desktop or Desktop())
        self._sweeping = Sweeping()

    async def run(self) -> None:
        """Until the window is closed or the system asks us to end; the session is closed in order."""
        signals, resident = Signals(self._over), self._resident
        resident.called.connect(self._on_called)
        resident.lock_asked.connect(self._lock)
        resident.quit_asked.connect(self._quit)
        resident.tray_came.connect(self._show_in_tray)
        resident.no_tray.connect(self._show_minimised)
        end = self._office.settings.changed.connect(self._on_setting)
        try:
            resident.start(self._hear)
            self._start()
            await self._over.wait()
        finally:
            end()
            resident.close()
            signals.close()
            self._told_to_end = signals.came
            try:
                await self._close()
            except StoreFault as fault:  # all that could be stored is stored; there is nobody left to notify
                log.store.exception("session-close", fault)

    # -- the desktop ----------------------------------------------------------------------------------------------

    @property
    def _quiet(self) -> bool:
        """Nothing of Kansli is on the screen, and nothing is to come up by itself."""
        shown = self._window or self._gate
        return shown.isHidden() if shown is not None else self._background

    def _hear(self, events: Events) -> None:
        events.woke.connect(self._on_woke)
        events.left.connect(self._on_left)
        events.network_changed.connect(self._hurry)

    def _on_woke(self) -> None:
        if self._window is None or not self._window.auto_lock.look():
            self._hurry()

    def _on_left(self) -> None:
        """Who leaves the screen leaves Kansli, unless it never locks by itself."""
        if self._office.settings.get(AUTO_LOCK_MINUTES) > 0 and self._session is not None:
            self._lock()

    def _hurry(self) -> None:
        if self._session is not None:
            self._session.hurry()

    def _on_setting(self, key: str) -> None:
        if key in (PROXY_MODE.key, PROXY_ADDRESS.key):
            self._hurry()

    def _on_called(self, said: str) -> None:
        """Another start, or the tray: to the front, and then where the link leads."""
        link, _, token = said.partition("\n")
        if token.isascii() and token.isprintable() and token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token[:256]  # Qt takes it for the next window that is brought up
        shown = self._window or self._gate
        if shown is not None:
            to_front(shown)
        if link:
            self._follow(link)

    def _follow(self, link: str) -> None:
        """Where a link leads; while locked, after unlocking."""
        if self._window is not None:
            self._window.follow(link)
            return
        self._link = link
        gate = self._gate.centralWidget() if self._gate is not None else None
        if is_invitation(link) and isinstance(gate, WelcomeView) and gate.currentWidget() is gate.code_page:
            self._show_gate(self._welcome())

    def _show_in_tray(self) -> None:
        self._resident.show_locked(self._session is None)
        if self._window is not None:
            self._window.tell_by(self._resident.tray)

    def _show_minimised(self) -> None:
        """Started without a window where there is no tray: then it is in the task bar."""
        shown = self._window or self._gate
        if shown is not None and self._quiet:
            shown.showMinimized()

    def _may_close(self) -> bool:
        """The person closes the window: it goes and the program ends, or it is hidden and the program stays."""
        shown = self._window or self._gate
        if shown is not None and self._resident.stays and not self._office.is_new:
            shown.hide()
            self._resident.say_that_it_stays()
            return False
        if (view := self._held) is not None:
            self._ask_to_lose(view)
            return False
        self._end()
        return True

    def _quit(self) -> None:
        if self._window is not None:
            self._window.keep_geometry()
        if (view := self._held) is not None:
            self._ask_to_lose(view)
        else:
            self._end()

    # -- the end ------------------------------------------------------------------------------------------------------

    @property
    def restart(self) -> Restart | None:
        """How to start the program again after `run` has ended; None if it is not to be started again."""
        if self._ends_to is None or self._told_to_end:
            return None
        return Restart(locked=self._ends_to == "lock", background=self._quiet, link=self._link)

    @property
    def _held(self) -> LockingView | None:
        """The view that covers the window while something that was written cannot be stored; None at all other
        times."""
        view = self._gate.centralWidget() if self._gate is not None else None
        return view if isinstance(view, LockingView) and view.is_held else None

    def _end(self) -> None:
        """Ends the program without starting it again."""
        self._ends_to = None
        self._over.set()

    def _ask_to_lose(self, view: LockingView) -> None:
        to_front(view.window())
        view.ask()

    # -- the way in -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._office.is_new:
            self._show_gate(self._welcome())
            return
        if self._office.is_unfinished:
            self._show_gate(self._ways.unfinished())
            return
        if self._locked:
            self._show_gate(self._ways.usual())
            return
        try:
            session = self._office.unlock_raw()
        except AppError as fault:
            view = self._ways.usual()
            self._show_gate(view)
            view.show_error(fault)
            return
        if session is not None:
            self._open(session)
        else:
            self._show_gate(self._ways.usual(at_once=True))

    def _welcome(self) -> WelcomeView:
        link, self._link = (self._link, "") if is_invitation(self._link) else ("", self._link)
        return self._ways.welcome(link)

    def _show_gate(self, view: GateView) -> None:
        quiet = self._quiet
        if self._gate is not None:
            self._gate.hide()
            self._gate.deleteLater()
        self._gate = Gate(self._may_close, SIZE, self._office.settings.get(WINDOW_GEOMETRY))
        if self._window is not None and not self._window.isMaximized() and not self._window.isFullScreen():
            self._gate.setGeometry(self._window.geometry())  # so that the gate covers the whole window
        self._gate.setCentralWidget(view)
        self._resident.show_locked(True)
        if not quiet:
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

    def _warm(self, session: Session) -> None:
        """Nothing if the loop has ended meanwhile: then the program does."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._window is not None:
            run(self._window, session.warm())

    def _show_window(self, session: Session) -> None:
        quiet = self._quiet
        window = self._window = MainWindow(session, TOOLS, keys=self._office.unlocking)
        window.lock_requested.connect(self._lock)
        window.key_change_requested.connect(self._rekey)
        window.erase_requested.connect(self._erase)
        window.quit_requested.connect(self._quit)
        window.unread_changed.connect(self._resident.show_unread)
        away.watch(window, lambda: session.overdue, self._lock)
        window.installEventFilter(Closing(self._may_close, window))
        self._show_in_tray()
        self._resident.show_unread(window.unread)
        if not quiet:
            window.show()
            QTimer.singleShot(0, window, lambda: log.ui.info("window-shown"))  # it has been painted by then
        QTimer.singleShot(WARM_AFTER_MS, window, lambda: self._warm(session))
        if self._gate is not None:
            self._gate.hide()
            self._gate.deleteLater()
            self._gate = None
        link, self._link = self._link, ""
        if link:
            window.follow(link)

    def _lock(self) -> None:
        """Locks: covers the window, stores what is unsaved, and ends the process. The program is then started again and
        shows the gate. ▲ Python cannot clear its memory, so that keys and text would stay in this process."""
        session = self._session
        if session is not None and (self._locking is None or self._locking.done()):
            self._ends_to = "lock"
            log.ui.info("locking")
            self._locking = asyncio.ensure_future(self._lock_now(session))

    async def _lock_now(self, session: Session) -> None:
        if self._window is not None:
            self._window.keep_geometry()
        view = LockingView(session.save)
        view.held.connect(self._tell_that_it_is_held)
        self._show_gate(view)
        try:
            self._drop_window()
            await view.settled()
        finally:
            self._over.set()

    def _tell_that_it_is_held(self) -> None:
        """Says so beside the tray's sign, if the window is hidden."""
        if self._quiet and self._resident.tray is not None:
            text = tr("Kansli is locked as soon as it is saved. Open it to see what is wrong.")
            self._resident.tray.tell(tr("Something that you wrote is not saved yet"), text)

    def _rekey(self, change: KeyChange) -> None:
        """Gives the database a new key, between two sessions."""
        if self._locking is None or self._locking.done():
            self._locking = asyncio.ensure_future(self._rekey_now(change))

    async def _rekey_now(self, change: KeyChange) -> None:
        page = GatePage(tr("Your content gets a new key"), tr("A second or so for each 100 MB. Please wait."))
        page.spinner.start()
        self._show_gate(page)
        try:
            await self._close()
            session = await self._office.rekey(change)
        except AppError as fault:  # nothing was changed: the way in is as it was
            view = self._ways.usual()
            self._show_gate(view)
            view.show_error(fault)
            return
        self._open(session)
        if self._window is not None:
            self._window.go_section("settings")
            self._window.toast(tr("The ways of unlocking are changed"))

    def _erase(self) -> None:
        """Removes everything of a revoked device and ends the process. A new one is started, which begins as on the
        first day."""
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
        self._ends_to = "new"
        self._over.set()

    async def _close(self) -> None:
        session, self._session = self._session, None
        self._drop_window()
        if session is not None:
            try:
                await session.close()
            finally:
                self._sweeping.session_closed()

    def _drop_window(self) -> None:
        window, self._window = self._window, None
        if window is not None:
            window.hide()
            window.deleteLater()
            QApplication.sendPostedEvents(window, 0)
