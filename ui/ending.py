# SPDX-License-Identifier: EUPL-1.2
"""How the program ends: it is quit, it is locked, or everything of a revoked device is removed. The last two end the
process, and ui/main.py starts the program again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Literal

from PySide6.QtWidgets import QWidget

from app.bootstrap import Office
from app.copies.service import WorkingCopies
from app.core import log
from app.core.later import Later
from app.errors import StoreFault
from app.session import Session
from app.unlocking import SlotKind
from ui.desktop.again import Restart
from ui.desktop.resident import Resident
from ui.desktop.sweeping import Sweeping
from ui.errors import code_of
from ui.kit.dialogs import show
from ui.kit.front import to_front
from ui.kit.tasks import as_exception, report, run
from ui.kit.translate import tr
from ui.shell.entry.card_field import CardMethod
from ui.shell.entry.discarding import Proof
from ui.shell.entry.gate import GatePage
from ui.shell.window import window_place
from ui.shell.window.held_copies import HeldCopiesDialog
from ui.shell.window.main_window import MainWindow
from ui.stage import Stage

if TYPE_CHECKING:
    from ui.shell.entry import curtain, erasing, locking
    from ui.shell.window import quitting
else:
    curtain = Later("ui.shell.entry.curtain", when_idle=True)
    erasing = Later("ui.shell.entry.erasing", when_idle=True)
    locking = Later("ui.shell.entry.locking", when_idle=True)
    quitting = Later("ui.shell.window.quitting", when_idle=True)


class Ending:
    """Ends the program in order: when the person quits or locks, when a newer release is started in its place, or when
    everything of a revoked device is removed. `over` is an event that is set when nothing is left to do but to
    `close`."""

    def __init__(self, office: Office, stage: Stage, resident: Resident) -> None:
        self.over = asyncio.Event()
        self.by_system = False
        """Whether the system asked the program to end, perhaps while it was being locked. Then it is not started
        again."""
        self._office, self._stage, self._resident = office, stage, resident
        self.lock_waits = False
        """Whether the person locked, or the computer slept, while the session was being closed for something else."""
        self._ends_to: Literal["lock", "new", "upgrade"] | None = None
        """Why the program is to be started again: to show the gate, to begin as on the first day, or to run the release
        that was installed meanwhile. None: it is not."""
        self._work: asyncio.Task[None] | None = None
        self._erasing: asyncio.Task[None] | None = None
        self._question: quitting.QuitDialog | HeldCopiesDialog | None = None
        self._looking: asyncio.Task[None] | None = None
        self._sweeping = Sweeping()

    def restart(self, link: str) -> Restart | None:
        """How to start the program again after its end, and then follow `link` (or ""). None if it is not started
        again."""
        if self._ends_to is None or self.by_system:
            return None
        return Restart(locked=self._ends_to == "lock", background=self._stage.quiet, link=link)

    # -- quitting -------------------------------------------------------------------------------------------------

    @property
    def held(self) -> "locking.LockingView | None":
        """The page that covers the window while Kansli is to be locked and the disk refuses what was written; None at
        all other times."""
        view = self._stage.view
        return view if isinstance(view, locking.LockingView) and view.is_held else None

    def may_close(self) -> bool:
        """Called when the person closes the window: does what follows, and returns whether the window may close. True:
        everything is stored and the program ends. False: the window was hidden and the program stays in the tray, or
        something cannot be stored and the person is asked."""
        shown = self._stage.shown
        if shown is not None and self._resident.stays and not self._office.is_new:
            shown.hide()
            self._resident.notify_of_closed_window()
            return False
        return self._leave()

    def quit(self) -> None:
        """Stores everything and ends the program, also one that stays in the tray, because the person quits. If
        something cannot be stored, the person is asked first."""
        if self._stage.window is not None and not self._stage.is_covered:
            self._stage.window.keep_geometry()
        self._leave()

    def save(self) -> StoreFault | None:
        """Stores everything that was written. Returns why the disk refuses, or None if all is stored."""
        window, session = self._stage.window, self._stage.session
        if window is not None:
            window.keep_draft()
        try:
            if session is not None:
                session.save()
        except StoreFault as fault:
            return fault
        return None

    def keep_place(self, window: MainWindow, session: Session) -> None:
        """Stores where and how large the window is and which place it shows, for the next start. ▲ A fault, also one of
        our own code in the open view, is only logged: it keeps nothing from being locked."""
        try:
            window.keep_geometry()
            window_place.keep(window, session)
        except Exception as fault:
            log.ui.exception("place-not-kept", fault)

    def on_desktop_ends(self) -> None:
        """Stores everything and ends the program, because the desktop session ends: the person logs out or the computer
        is turned off. If the disk refuses, that is logged, and the program stays until the system ends it.

        ▲ Asks nothing and waits for nothing: the system ends the program in a few seconds in any case.
        """
        if (fault := self.save()) is not None:
            log.store.exception("desktop-ends", fault)
        else:
            self._end()

    def _leave(self) -> bool:
        """Stores everything and ends the program; if the disk refuses, asks the person whether to lose it and ends
        later or not at all. Returns whether the program ends now. Without a window or a session nobody is asked."""
        if (view := self.held) is not None:
            self._ask_to_lose(view)
            return False
        shown, session, fault = self._stage.shown, self._stage.session, self.save()
        if fault is not None and isinstance(page := self._stage.view, curtain.CurtainView):
            to_front(page.window())
            page.refuse_to_quit(fault)  # the question would name rooms and documents
            return False
        if shown is None or session is None:
            self._end()
            return True
        if fault is None and (self._stage.is_covered or not session.copies.is_any_open):
            self._end()
            return True
        if fault is None:
            if self._looking is None or self._looking.done():
                self._looking = run(shown, self._leave_copies(shown, session.copies))
            return False
        to_front(shown)
        if self._question is None:
            run(shown, self._ask(quitting.QuitDialog(shown, fault, session.save, session.unstored)))
        return False

    async def _leave_copies(self, shown: QWidget, copies: WorkingCopies) -> None:
        """Ends the program, unless other programs have copies of files open; then the person is asked first."""
        try:
            await copies.look()
        except StoreFault as fault:  # the copies stay, and the next session keeps what is changed
            log.store.exception("copies-at-quitting", fault)
        if not copies.held:
            self._end()
        elif self._question is None:
            to_front(shown)
            await self._ask(HeldCopiesDialog(shown, copies))

    async def _ask(self, question: "quitting.QuitDialog | HeldCopiesDialog") -> None:
        self._question = question
        try:
            if await show(question):
                self._end()
        finally:
            self._question = None

    def _end(self) -> None:
        """Ends the program at once, without storing anything; it is not started again."""
        self._ends_to = None
        self.over.set()

    def _ask_to_lose(self, view: "locking.LockingView") -> None:
        to_front(view.window())
        view.ask()

    # -- locking --------------------------------------------------------------------------------------------------

    def begin(self, work: Callable[[], Coroutine[object, object, None]]) -> bool:
        """Starts `work`, which closes the session to lock, to remove everything, or to change the key, as a task.
        Returns True; False, and starts nothing, while earlier work of this kind runs. An error that `work` raises is
        logged and reported in the window that is open then."""
        if self.is_working:
            return False
        self.lock_waits = False
        self._work = asyncio.ensure_future(work())
        self._work.add_done_callback(self._on_work_done)
        return True

    @property
    def is_working(self) -> bool:
        """Whether work that `begin` started runs."""
        return self._work is not None and not self._work.done()

    def _on_work_done(self, work: asyncio.Task[None]) -> None:
        error, shown = None if work.cancelled() else work.exception(), self._stage.shown
        if error is not None and shown is not None:
            report(shown, as_exception(error))
        elif error is not None:
            log.ui.exception("ending", error)

    def lock(self) -> None:
        """Locks: covers the window, stores what is unsaved, and ends the process. While the disk refuses, it tries
        again until all is stored or the person discards it. The program is then started again and waits until the
        person unlocks it. ▲ Python cannot clear its memory, so that keys and text would stay in this process. Does
        nothing if no session is open; while one is being closed, sets `lock_waits`."""
        self.lock_waits = self.lock_waits or self.is_working
        self._lock_to("lock", "")

    async def lock_at_last(self, session: Session) -> None:
        """▲ Locks, since `lock_waits`: for work that has opened the session again, and before it shows anything."""
        self._stage.session, self._ends_to = session, "lock"
        await self._lock(session, "")

    def upgrade(self) -> None:
        """Starts the newer release that is installed in place of this process, which first stores what is unsaved
        behind a covered window, as when locking. The new program asks the computer's key store at once. Does nothing if
        no session is open, or while one is being closed."""
        self._lock_to("upgrade", tr("Kansli is starting again"))

    def _lock_to(self, ends_to: Literal["lock", "upgrade"], heading: str) -> None:
        session = self._stage.session
        if session is not None and self.begin(lambda: self._lock(session, heading)):
            self._ends_to = ends_to
            log.ui.info("locking" if ends_to == "lock" else "upgrading")
            if self._question is not None:
                self._question.reject()

    async def _lock(self, session: Session, heading: str) -> None:
        if self._stage.window is not None and not self._stage.is_covered:  # then it was kept when the curtain fell
            self.keep_place(self._stage.window, session)
        view = locking.LockingView(session.save, heading, proof=self._proof)
        view.held.connect(self._notify_of_held_changes)
        self._show_gate(view)
        try:
            self._stage.drop_window()
            await view.settled()
        finally:
            self.over.set()

    def _proof(self) -> Proof:
        """How a person proves that the unsaved work is theirs to discard: by an unlock method that lifts the curtain.
        If only a silent key store opens the store, no proof is asked for: anybody who sits there could open the
        store."""
        keys = self._office.unlocking
        lifting = keys.known_lifting()
        return Proof(
            passphrase=keys.check if SlotKind.PASSPHRASE in lifting else None,
            keyring=keys.check_keyring if SlotKind.KEYRING in lifting else None,
            card=CardMethod(keys.card, keys.check_card) if SlotKind.CARD in lifting else None,
        )

    def _notify_of_held_changes(self) -> None:
        """Shows a notification beside the tray's sign that something cannot be stored and keeps Kansli from being
        locked: only if the window is hidden and there is a tray."""
        if self._stage.quiet and self._resident.tray is not None:
            text = tr("Kansli is locked as soon as it is saved. Open it to see what is wrong.")
            self._resident.tray.notify(tr("Something that you wrote is not saved yet"), text)

    # -- removing -------------------------------------------------------------------------------------------------

    def erase(self) -> None:
        """Removes everything of the account from this computer, if the account's own log has revoked this device, and
        ends the process. The program is started again, as on the first day, unless the person quits meanwhile; the
        removal is completed also then. If it fails, shows why, and tries again when the person asks for it. Does
        nothing if the device is not revoked, or while a session is being closed."""
        self.begin(self._erase)

    async def _erase(self) -> None:
        session = self._stage.session
        if session is None or session.devices.ended != "revoked":
            return
        page = erasing.ErasingPage()
        self._show_gate(page)
        self._stage.session = None
        self._stage.drop_window()
        while not self.over.is_set():
            self._erasing = asyncio.ensure_future(self._office.erase(session))
            try:
                await asyncio.shield(self._erasing)
            except Exception as fault:
                log.store.error("not-erased", code=code_of(fault))
                await page.asked_again(fault)
            else:
                break
        if not self.over.is_set():  # the person did not quit meanwhile
            self._ends_to = "new"
            self.over.set()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _show_gate(self, page: GatePage) -> None:
        self._stage.show_gate(page)
        self._resident.show_locked(True)

    async def close(self) -> None:
        """Closes the main window and the session, if they are open, and waits for a removal that is under way.
        StoreFault if something could not be stored; the session is closed also then. A second call does nothing."""
        if self._erasing is not None:
            await asyncio.wait({self._erasing})
        session, self._stage.session = self._stage.session, None
        self._stage.drop_window()
        if session is not None:
            try:
                await session.close()
            finally:
                self._sweeping.session_closed()
