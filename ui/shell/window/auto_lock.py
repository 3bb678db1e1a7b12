# SPDX-License-Identifier: EUPL-1.2
"""Locks after a time without keyboard or mouse in Kansli's windows: emits that it is over, and the owner locks."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app.core.clock import awake_s
from ui.shell.window.in_use import InUse

_INPUT = {
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.InputMethod,
    QEvent.Type.TouchBegin,
}


class AutoLock(QObject):
    """Emits `idle` once after so many `minutes` without input by keyboard or mouse; its owner then locks the program.
    Time in which the computer slept counts. 0 minutes: never. `presence` follows the same input, whatever
    the minutes, and it may ask the system.

    Only input in Kansli's windows keeps it open. Otherwise a Kansli that nobody uses would stay open all day beside
    another program, and a program that answers in the desktop's place could keep it open."""

    idle = Signal()

    def __init__(self, minutes: int, parent: QObject, clock: Callable[[], float] = awake_s) -> None:
        """`clock` returns seconds that also pass while the computer sleeps, as those of a timer do not."""
        super().__init__(parent)
        self._clock = clock
        self._since = clock()
        self._paused = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.idle)
        self.set_minutes(minutes)
        self.presence = InUse(self, clock)
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def set_minutes(self, minutes: int) -> None:
        """Sets after how many minutes without input `idle` is emitted (0: never), and begins to count again."""
        self._timer.stop()
        self._timer.setInterval(minutes * 60_000)
        if minutes > 0 and not self._paused:
            self._begin()

    def minutes(self) -> int:
        """The minutes without input after which it locks; 0 = never."""
        return self._timer.interval() // 60_000

    def pause(self, paused: bool) -> None:
        """Begins or ends a pause, while the curtain covers the window: no idle time is counted, and the person is
        away. The end of the pause counts as input."""
        self._paused = paused
        self._timer.stop()
        if paused:
            self.presence.pause()
            return
        self.presence.note_input()
        if self._timer.interval():
            self._begin()

    def look(self) -> bool:
        """Checks at once whether the person was idle too long, since the computer may have slept. If so, emits `idle`
        and returns True."""
        over = self._timer.isActive() and self._clock() - self._since >= self._timer.interval() / 1000
        if over:
            self._timer.stop()
            self.idle.emit()
        return over

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in _INPUT or self._paused:
            return False
        self.presence.note_input()
        if not self._timer.isActive():
            return False
        if self.look():
            return True  # the key that wakes is not written into what is being locked
        self._begin()
        return False

    def _begin(self) -> None:
        self._since = self._clock()
        self._timer.start()
