# SPDX-License-Identifier: EUPL-1.2
"""Whether the person uses the computer: what their presence follows."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.clock import awake_s
from ui.kit.tasks import run

AWAY_MINUTES = 10
"""Minutes without input after which the person counts as away."""
ASK_S = 60
"""The system is asked once in so many seconds without input in Kansli's windows, and when AWAY_MINUTES are over."""


class InUse(QObject):
    """Emits `changed` with False after AWAY_MINUTES without input, and with True at the next input. Input is what
    Kansli's windows get and, after `ask_system`, also what other programs get."""

    changed = Signal(bool)
    used = Signal(float)
    """The person has used the computer, so many seconds ago: emitted at each input in Kansli's windows, and when the
    system reports a later one elsewhere."""

    def __init__(self, parent: QObject, clock: Callable[[], float] = awake_s) -> None:
        """`clock` returns seconds that also pass while the computer sleeps."""
        super().__init__(parent)
        self._clock = clock
        self._input_s = clock()
        self._idle_s: Callable[[], Awaitable[float | None]] | None = None
        self._is_used, self._is_paused = True, False
        self._timer = QTimer(self, singleShot=True, interval=AWAY_MINUTES * 60_000)
        self._timer.timeout.connect(self._on_time)
        self._timer.start()

    def ask_system(self, idle_s: Callable[[], Awaitable[float | None]]) -> None:
        """From now on input to other programs counts, too. `idle_s` returns the seconds since the last input anywhere
        on the computer, or None if the system does not say: then only input in Kansli's windows counts. It raises
        nothing. Call it on the event loop."""
        self._idle_s = idle_s
        if not self._is_paused:
            self._timer.start(ASK_S * 1000)

    def note_input(self) -> None:
        """Call it at each input in Kansli's windows: the person uses the computer now. It ends a pause."""
        self._is_paused = False
        self._input_s = self._clock()
        self._timer.start(ASK_S * 1000 if self._idle_s is not None else AWAY_MINUTES * 60_000)
        self._set(True)
        self.used.emit(0.0)

    def pause(self) -> None:
        """Call it when the screen is locked or the session is left. The person counts as away until the next
        `note_input` or `end_pause`, and the system is not asked."""
        self._is_paused = True
        self._timer.stop()
        self._set(False)

    def end_pause(self) -> None:
        """Call it when the screen is unlocked. Asks the system for the last input, in a task, and from then on once a
        minute. Until an input of the last AWAY_MINUTES is found, the person stays away. If the system gives no answer,
        only `note_input` ends that. Does nothing if `pause` was not called."""
        if self._is_paused and self._idle_s is not None:
            self._is_paused = False
            self._input_s = self._clock() - AWAY_MINUTES * 60
            run(self, self._ask(self._idle_s))

    def _on_time(self) -> None:
        if self._idle_s is None:
            self._set(False)
        else:
            run(self, self._ask(self._idle_s))

    async def _ask(self, idle_s: Callable[[], Awaitable[float | None]]) -> None:
        """Asks the system, and plans the next time. While the person is away that finds out when they are back."""
        ago_s = await idle_s()
        if self._is_paused:
            return
        now_s = self._clock()
        if ago_s is not None and now_s - ago_s > self._input_s:
            self._input_s = now_s - ago_s
            self.used.emit(ago_s)
        left_s = self._input_s + AWAY_MINUTES * 60 - now_s
        self._set(left_s > 0)
        self._timer.start(int(1000 * (max(1.0, min(ASK_S, left_s)) if left_s > 0 else ASK_S)))

    def _set(self, used: bool) -> None:
        if used != self._is_used:
            self._is_used = used
            self.changed.emit(used)
