# SPDX-License-Identifier: EUPL-1.2
"""The lock that still receives: all windows are covered while the session stays open and receives.

It decides for each lock whether the curtain falls or the process ends (ui/ending.py). docs/decisions/0027 says why.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QRect, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.bootstrap import Office
from app.core import log
from app.core.clock import awake_s
from app.core.later import Later
from app.lock_settings import ALLOW_CARD, ALLOW_PIN, CLOSE, LOCK, PIN_LENGTH
from app.pin import Pin, PinTries
from app.pins import pin_rules
from app.session import Session
from app.settings import ALLOW_KEYRING, ALLOW_PASSPHRASE, LANGUAGE
from app.unlocking import SlotKind
from ui.desktop.resident import Resident
from ui.ending import Ending
from ui.kit.covering import OwnClipboard
from ui.kit.tasks import run_guarded
from ui.shell.entry.card_field import CardMethod
from ui.shell.window import window_place
from ui.shell.window.main_window import MainWindow
from ui.stage import Stage

if TYPE_CHECKING:
    from ui.shell.entry import curtain as curtain_view
else:
    curtain_view = Later("ui.shell.entry.curtain", when_idle=True)

LONGEST_S = 4 * 3600
"""After so long under the curtain the store is closed."""


_FOLLOWED = {each.key for each in (LOCK, LANGUAGE, ALLOW_PIN, PIN_LENGTH, ALLOW_KEYRING, ALLOW_PASSPHRASE, ALLOW_CARD)}


class Curtain:
    """Covers the window on a lock, and uncovers it when the person has unlocked. `lifted` is called each time after
    that."""

    def __init__(
        self,
        office: Office,
        stage: Stage,
        resident: Resident,
        ending: Ending,
        lifted: Callable[[], object],
        clock: Callable[[], float] = awake_s,
    ) -> None:
        """`clock` gives seconds that nobody can set and that also pass while the computer sleeps."""
        self._office, self._stage, self._resident, self._ending = office, stage, resident, ending
        self._lifted, self._clock = lifted, clock
        self._tries: PinTries | None = None
        self._focused: QWidget | None = None
        self._place = QRect()
        self._since = 0.0
        self._clipboard = OwnClipboard()
        self._timer = QTimer(singleShot=True)
        self._timer.timeout.connect(self.look)
        self._ends = office.settings.changed.connect(self._on_setting)

    @property
    def is_down(self) -> bool:
        """Whether the curtain covers the window."""
        return self._stage.is_covered

    def end(self) -> None:
        """Stops following the settings, since the program ends."""
        self._ends()
        self._timer.stop()

    # -- falling --------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Locks as the settings say: the curtain falls, or the process ends if the settings or policy want that, or if
        nothing but a silent key store could lift the curtain. Does nothing while it is down or no session is open."""
        window, session = self._stage.window, self._stage.session
        if self.is_down:
            return
        if window is None or session is None or not self._may_fall():
            self._ending.lock()
        else:
            self._fall(window, session)

    def close(self) -> None:
        """Locks by ending the process, whether the curtain is down or not: the computer sleeps, its lid is closed, or
        the store may not stay open longer."""
        self._ending.lock()

    def look(self) -> bool:
        """Ends the process if the curtain has been down for LONGEST_S; the time in which the computer slept counts.
        Otherwise looks again when that time is over. Returns whether it ends the process."""
        left_s = LONGEST_S - (self._clock() - self._since)
        if not self.is_down:
            return False
        if left_s > 0:
            self._timer.start(int(left_s * 1000) + 1)
            return False
        log.ui.info("covered-too-long")
        self.close()
        return True

    def _may_fall(self) -> bool:
        """Whether policy and settings let the curtain fall, and something can lift it."""
        if self._office.settings.get(LOCK) == CLOSE:
            return False
        found: list[SlotKind] = []
        run_guarded(self._timer, lambda: found.extend(self._office.unlocking.lifting()))
        return bool(found)

    def _fall(self, window: MainWindow, session: Session) -> None:
        """▲ Saves what is being written, then covers every window before anything else happens. No fault keeps them on
        the screen: if they cannot be covered, the process ends."""
        log.ui.info("covering")
        try:
            self._keep(window, session)
        except Exception as fault:  # ▲ of our own code, in any view; what it is about stays in memory
            log.ui.exception("covering", fault)
        try:
            self._tries = self._new_tries(session)
            self._show()
            self._since = self._clock()
            self.look()
            window.set_covered(True)
            self._clipboard.take()
            self._resident.show_covered()
        except Exception as fault:  # ▲ nobody would know what is still to be seen
            log.ui.exception("covering", fault)
            self.close()

    def _keep(self, window: MainWindow, session: Session) -> None:
        self._office.unlocking.note_covered()
        self._focused = QApplication.focusWidget()
        self._place = window.geometry()
        QGuiApplication.inputMethod().commit()  # what is being composed belongs to the text
        if (fault := self._ending.save()) is not None:
            log.store.exception("covering", fault)  # it stays in memory, and is stored later
        self._ending.keep_place(window, session)  # for a process that ends under the curtain

    def _new_tries(self, session: Session) -> PinTries | None:
        verifier = Pin(session.store.notes).verifier(pin_rules(self._office.settings))
        return PinTries(verifier, self._clock) if verifier is not None else None

    def _show(self) -> None:
        """Covers the window with the page that asks for what lifts the curtain. A page that covers it already is
        replaced."""
        keys = self._office.unlocking
        lifting = keys.lifting()
        view = curtain_view.CurtainView(
            self._tries,
            keys.check if SlotKind.PASSPHRASE in lifting else None,
            keys.check_keyring if SlotKind.KEYRING in lifting else None,
            CardMethod(keys.card, keys.check_card) if SlotKind.CARD in lifting else None,
        )
        view.lifted.connect(self._lift)
        view.spent.connect(self.close)
        self._stage.cover(view)

    def _lift(self) -> None:
        """Shows the window as it was, with the focus where it was."""
        window, session = self._stage.window, self._stage.session
        if window is None or session is None or not self.is_down or self._ending.over.is_set():
            return
        log.ui.info("uncovered")
        self._tries = None
        self._timer.stop()
        self._office.unlocking.note_lifted()
        window_place.forget(session)
        if not window.isMaximized() and not window.isFullScreen():
            window.setGeometry(self._place)  # the desktop does not know its place any more
        self._stage.uncover()
        window.set_covered(False)
        self._clipboard.give_back()
        focused, self._focused = self._focused, None
        if focused is not None and shiboken6.isValid(focused):
            focused.activateWindow()
            focused.setFocus()
        else:
            window.activateWindow()
        self._lifted()

    # -- meanwhile ------------------------------------------------------------------------------------------------

    def _on_setting(self, key: str) -> None:
        if key in _FOLLOWED and self.is_down:  # a moment later all that policy says is in force
            QTimer.singleShot(0, self._timer, self._renew)

    def _renew(self) -> None:
        """Asks again as settings and policy want it now, or closes if they want that."""
        session = self._stage.session
        if not self.is_down or session is None:
            return
        if not self._may_fall():
            self.close()
            return
        if self._tries is not None and Pin(session.store.notes).verifier(pin_rules(self._office.settings)) is None:
            self._tries = None
        self._show()
