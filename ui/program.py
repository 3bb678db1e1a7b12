# SPDX-License-Identifier: EUPL-1.2
"""The program between start and end: the entry views, the window, and events of the desktop meanwhile. Its end is in
ending.py."""

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication

from app import diagnosis
from app.bootstrap import Office
from app.core import log
from app.core.later import Later
from app.errors import BugError, StoreFault, WorldError
from app.installed import Installed, version_file
from app.session import Session
from app.settings import AUTO_LOCK_MINUTES, PROXY_ADDRESS, PROXY_MODE
from app.unlocking import KeyChange
from ui.curtain import Curtain
from ui.desktop.again import Restart
from ui.desktop.closing import Closing
from ui.desktop.resident import Desktop, Resident
from ui.desktop.waking import Events
from ui.ending import Ending
from ui.idle_imports import IdleImports
from ui.kit.front import to_front
from ui.kit.tasks import report, run, run_guarded
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.window import away, window_place
from ui.shell.window.away import AwayView
from ui.shell.window.main_window import MainWindow
from ui.shell.window.outside_links import is_invitation
from ui.signals import Signals
from ui.stage import Stage
from ui.tool import AnyTool
from ui.tools import TOOLS

if TYPE_CHECKING:
    from ui import entry_views
    from ui.shell.entry import welcome
else:
    welcome = Later("ui.shell.entry.welcome")
    entry_views = Later("ui.entry_views")

WARM_AFTER_MS = 1000
"""How long after the window was shown the code for a colleague's first change is loaded: it must not delay the first
paint."""

INSTALLED_EVERY_MS = 600_000
"""How often the disk is read for a newer release: a file of some bytes."""
POLICY_EVERY_MS = 3_600_000
"""A program that is not locked for days applies a new policy within the hour."""


class Program:
    """The running program for one profile: first start or unlocking, the window, and its end by quitting or locking."""

    def __init__(
        self,
        office: Office,
        link: str = "",
        *,
        background: bool = False,
        locked: bool = False,
        desktop: Desktop | None = None,
        installed: Installed | None = None,
        tools: Sequence[AnyTool] = TOOLS,
    ) -> None:
        """`office` opens the profile's session. `link`: the link with which the program was started. `background`: it
        begins in the tray, without a window. `locked`: it waits for the person to unlock, even if the profile could be
        unlocked without them. `desktop`: the tray, autostart and computer's events to use; None: those of this system.
        `installed` knows which release is on the disk: by default the package's file does. `tools`: what its windows
        show of the office's tools."""
        self._office, self._tools = office, tools
        self._link = link
        self._locked = locked
        self._change: KeyChange | None = None
        """What was asked for just before the curtain fell."""
        self.resident = Resident(office.profile, office.settings, desktop or Desktop())
        self.stage = Stage(
            office.settings,
            lambda: self.ending.may_close(),
            background=background,
            report=lambda: diagnosis.report(office.profile, office.settings),
        )
        self.ending = Ending(office, self.stage, self.resident)
        self.curtain = Curtain(office, self.stage, self.resident, self.ending, self._on_lifted)
        self._installed = installed or Installed(version_file())
        self._upgrades = QTimer(interval=INSTALLED_EVERY_MS)
        self._upgrades.timeout.connect(self._look_for_upgrade)
        self._policy = QTimer(interval=POLICY_EVERY_MS)
        self._policy.timeout.connect(self._renew_policy)

    @cached_property
    def _entry_views(self) -> "entry_views.EntryViews":
        return entry_views.EntryViews(self._office, self._open, self._show_gate)

    async def run(self) -> None:
        """Runs the program until the person quits or locks, or the system asks it to end. The session is closed in
        order; if something cannot be stored then, that is only logged."""
        ending, resident = self.ending, self.resident
        signals, imports = Signals(ending.over), IdleImports()
        resident.called.connect(self._on_called)
        resident.lock_asked.connect(self.curtain.lock)
        resident.quit_asked.connect(ending.quit)
        resident.tray_came.connect(self._show_in_tray)
        resident.no_tray.connect(self._show_minimised)
        end = self._office.settings.changed.connect(self._on_setting)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # noqa: S101 - there are windows
        application.commitDataRequest.connect(ending.on_desktop_ends)
        try:
            resident.start(self._connect_events)
            self._policy.start()
            self._upgrades.start()
            await self._start()
            imports.start()
            await ending.over.wait()
        finally:
            end()
            imports.stop()
            self.curtain.end()
            application.commitDataRequest.disconnect(ending.on_desktop_ends)
            self._policy.stop()
            self._upgrades.stop()
            resident.close()
            signals.close()
            ending.by_system = signals.came
            try:
                await ending.close()
            except StoreFault as fault:  # all that could be stored is stored; there is nobody left to notify
                log.store.exception("session-close", fault)

    # -- the desktop ----------------------------------------------------------------------------------------------

    def _connect_events(self, events: Events) -> None:
        events.sleeps.connect(lambda: self._on_sleeps(events))
        events.ends.connect(self.ending.on_desktop_ends)
        events.woke.connect(self._on_woke)
        events.left.connect(self._on_left)
        events.returned.connect(self._on_returned)
        events.network_changed.connect(self._hurry)

    def _renew_policy(self) -> None:
        run_guarded(self._policy, self._office.renew_policy)

    def _on_woke(self) -> None:
        self._renew_policy()
        self._look_for_upgrade()
        window = self.stage.window
        if not self.curtain.look() and (window is None or not window.auto_lock.look()):
            self._hurry()

    def _on_sleeps(self, events: Events) -> None:
        """▲ Closes before the computer sleeps, also if Kansli never locks by itself. Otherwise the keys would be in the
        memory of a computer that is carried about and stolen.

        ▲ Everything is stored when this returns. Windows may sleep then, before the tasks have run that close; a
        battery that is empty meanwhile would take what was being written.
        """
        is_open = self.stage.session is not None or self.ending.is_working
        if is_open:
            self.curtain.close()
        try:
            self.ending.save()  # what the disk refuses stays in memory, and closing says so
        except Exception as fault:  # ▲ of our own code, in any view: the computer is not kept waiting
            log.ui.exception("sleeping", fault)
        if not is_open:
            events.ready.emit()

    def _on_left(self) -> None:
        """Locks when the desktop session is locked or left. If the setting is that Kansli never locks by itself, the
        person is only away."""
        is_open = self.stage.session is not None or self.ending.is_working
        if self._office.settings.get(AUTO_LOCK_MINUTES) > 0 and is_open:
            self.curtain.lock()
        elif self.stage.window is not None:
            self.stage.window.auto_lock.presence.pause()

    def _on_returned(self) -> None:
        if self.stage.window is not None and not self.curtain.is_down:
            self.stage.window.auto_lock.presence.end_pause()

    def _on_lifted(self) -> None:
        """Does what waited under the curtain: a change of the key, or the tray's sign, a newer release, and a link
        that was opened."""
        change, self._change = self._change, None
        if change is not None:
            self._rekey(change)
            return
        self._show_in_tray()
        self._look_for_upgrade()
        link, self._link = self._link, ""
        if link:
            self._follow(link)

    def _look_for_upgrade(self) -> None:
        """Shows in the window, once, that a newer release is installed on the disk. While locked there is no window: it
        is shown later."""
        window, found = self.stage.window, self._installed.newer()
        if window is not None and not self.curtain.is_down and found is not None:
            window.show_upgrade(found, needs_computer=self._installed.needs_computer)

    def _hurry(self) -> None:
        if self.stage.session is not None:
            self.stage.session.hurry()

    def _on_setting(self, key: str) -> None:
        if key in (PROXY_MODE.key, PROXY_ADDRESS.key):
            self._hurry()

    def _on_called(self, message: str) -> None:
        """Handles another start of the program, or a press on the tray: shows the window, and follows the link in
        `message`: the link, a newline, the token by which the desktop lets a window come to the front; each may be
        missing."""
        link, _, token = message.partition("\n")
        if token.isascii() and token.isprintable() and token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token[:256]  # Qt takes it for the next window that is brought up
        self._to_front()
        if link:
            self._follow(link)

    def _to_front(self) -> None:
        if self.stage.shown is not None:
            to_front(self.stage.shown)

    def _follow(self, link: str) -> None:
        """Follows a link with which the program was started, now or by another start; while locked, after unlocking. An
        invitation is filled in at once while the first page of a first start is shown."""
        if self.stage.window is not None and not self.curtain.is_down:
            self.stage.window.follow(link)
            return
        self._link = link
        gate = self.stage.view
        if is_invitation(link) and isinstance(gate, welcome.WelcomeView) and gate.currentWidget() is gate.code_page:
            self._show_gate(self._welcome())

    def _show_in_tray(self) -> None:
        self.resident.show_locked(self.stage.session is None)
        if self.curtain.is_down:
            self.resident.show_covered()
        if self.stage.window is not None:
            self.stage.window.notify_by(self.resident.tray)

    def _show_minimised(self) -> None:
        """Shows the window minimised, in the task bar, since the program was started without a window and there is no
        tray. Does nothing if a window is on the screen already."""
        shown = self.stage.shown
        if shown is not None and self.stage.quiet:
            shown.showMinimized()

    @property
    def restart(self) -> Restart | None:
        """How to start the program again after `run` has ended; None if it is not to be started again."""
        return self.ending.restart(self._link)

    # -- before a window -------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self._office.is_new:
            self._show_gate(self._welcome())
            return
        if self._office.is_unfinished:
            self._show_gate(self._entry_views.unfinished())
            return
        if self._locked:
            self._show_gate(self._entry_views.usual())
            return
        try:
            session = await self._office.unlock_raw()
        except (WorldError, BugError) as fault:
            view = self._entry_views.usual()
            self._show_gate(view)
            view.show_error(fault)
            return
        if session is not None:
            self._open(session)
        else:
            self._show_gate(self._entry_views.usual(at_once=True))

    def _welcome(self) -> "welcome.WelcomeView":
        link, self._link = (self._link, "") if is_invitation(self._link) else ("", self._link)
        return self._entry_views.welcome(link)

    def _show_gate(self, view: "entry_views.GateView") -> None:
        self.stage.show_gate(view)
        self.resident.show_locked(True)

    def _open(self, session: Session) -> None:
        self.stage.session = session
        if session.overdue:
            self._show_gate(self._away(session))
        else:
            self._show_window(session)

    def _away(self, session: Session) -> AwayView:
        view = AwayView(session, session.engine.retry_now)
        view.let_in.connect(lambda: self._on_let_in(session))
        view.lock.connect(self.ending.lock)
        view.erase.connect(self.ending.erase)
        return view

    def _on_let_in(self, session: Session) -> None:
        if self.stage.session is session and self.stage.window is None:
            self._show_window(session)

    def _warm(self, session: Session) -> None:
        """Starts, in the background, what the first change by a colleague would otherwise wait for (the process that
        tries changes). Does nothing if there is no window, or if the event loop has ended, since the program then
        ends."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        if self.stage.window is not None:
            run(self.stage.window, session.warm())

    def _show_window(self, session: Session) -> None:
        quiet = self.stage.quiet
        window = self.stage.window = MainWindow(session, self._tools, keys=self._office.unlocking)
        window.auto_lock.presence.ask_system(self.resident.idle_s)
        window.lock_requested.connect(self.curtain.lock)
        window.front_wanted.connect(self._to_front)
        window.key_change_requested.connect(self._rekey)
        window.erase_requested.connect(self.ending.erase)
        window.quit_requested.connect(self.ending.quit)
        window.restart_requested.connect(self.ending.upgrade)
        window.unread_changed.connect(self.resident.show_unread)
        away.watch(window, lambda: session.overdue, self.ending.lock)
        window.installEventFilter(Closing(self.ending.may_close, window))
        self._show_in_tray()
        self._look_for_upgrade()
        self.resident.show_unread(window.unread)
        if self._link:
            window_place.forget(session)
        else:
            window_place.go_back(window, session)
        if not quiet:
            window.show()
            QTimer.singleShot(0, window, lambda: log.ui.info("window-shown"))  # it has been painted by then
        QTimer.singleShot(WARM_AFTER_MS, window, lambda: self._warm(session))
        self.stage.drop_gate()
        link, self._link = self._link, ""
        if link:
            window.follow(link)

    def _rekey(self, change: KeyChange) -> None:
        """Gives the database the new key in `change`; the session is closed and opened again for it. If something that
        was written cannot be stored, shows why and changes nothing: the edit would be lost with the first session. ▲
        Under the curtain it waits: the session that is opened afterwards has a window."""
        if self.curtain.is_down:
            self._change = change
            return
        window, fault = self.stage.window, self.ending.save()
        if window is not None and fault is not None:
            report(window, fault)
            return
        self.ending.begin(lambda: self._rekey_now(change))

    async def _rekey_now(self, change: KeyChange) -> None:
        page = GatePage(tr("Your content gets a new key"), tr("A second or so for each 100 MB. Please wait."))
        page.spinner.start()
        self._show_gate(page)
        try:
            await self.ending.close()
            session = await self._office.rekey(change)
        except (WorldError, BugError) as fault:  # nothing was changed: the unlock methods are as before
            view = self._entry_views.usual()
            self._show_gate(view)
            view.show_error(fault)
            return
        if self.ending.lock_waits:
            await self.ending.lock_at_last(session)
            return
        self._open(session)
        if (window := self.stage.window) is not None:
            window.go_section("settings")
            window.toast(tr("The ways of unlocking are changed"))
