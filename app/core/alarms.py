# SPDX-License-Identifier: EUPL-1.2
"""One timer for everything in a session that happens at a time of day: reminders, snoozed notices, due days.

A timer counts seconds. A time of day can come earlier or later than those seconds end: the computer sleeps, somebody
sets the clock, the time zone changes. So the timer reads the clock at least every TICK_S. `look` reads it at once, for
example when the computer woke.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

from app.core import clock, log
from app.core.delay import Later, on_loop
from app.core.signal import Signal

TICK_S = 60.0
"""The most seconds between two readings of the clock."""
SHIFT_MS = 2000
"""The clock counts as set if it differs by more than these milliseconds from what has passed since the last reading."""
SLEPT_S = 5.0
"""The computer counts as having slept if the clock is read later than planned by more than these seconds."""


class Alarm:
    """A call at a time of day. `Alarms.make` makes it; each `set` replaces its time."""

    def __init__(self, owner: "Alarms", act: Callable[[], object]) -> None:
        self._owner, self._act = owner, act
        self.at_ms: int | None = None
        """When `act` is called next, by this device's clock; None: never."""

    def set(self, at_ms: int | None) -> None:
        """Has `act` called once at `at_ms` (ms since 1970 UTC), in place of the time before; in the next turn of the
        event loop if that is past. None: `act` is not called."""
        self.at_ms = at_ms
        self._owner.plan()

    def ring(self) -> None:
        """Clears the time and calls `act`, which may set another time. `Alarms` calls it."""
        self.at_ms = None
        self._act()


class Alarms:
    """The alarms of one session (from unlocking the store to closing it). Use it on the event loop alone. Before
    `start` and after `close` no alarm is called. One whose time has passed before `start` is called in the next turn of
    the event loop after it. An exception from one alarm's function is logged, and the alarms after it are called all
    the same."""

    def __init__(self, later: Later = on_loop, awake_s: Callable[[], float] = clock.awake_s) -> None:
        """`later`: calls a function after some seconds. `awake_s`: seconds of a clock that nobody can set."""
        self.shifted: Signal[()] = Signal()
        """Emitted when the clock or the time zone was set, or when the computer has slept."""
        self._later, self._awake_s = later, awake_s
        self._alarms: list[Alarm] = []
        self._cancel: Callable[[], None] = lambda: None
        self._is_open = self._is_looking = False
        self._looked = (clock.now_ms(), awake_s())
        self._due_s = awake_s()
        """When the timer ends, by `awake_s`."""
        self._zone = _zone()

    def make(self, act: Callable[[], object]) -> Alarm:
        """Makes an alarm that calls `act`. It has no time yet."""
        made = Alarm(self, act)
        self._alarms.append(made)
        return made

    def start(self) -> None:
        """Starts the timer. Call it when the event loop runs."""
        self._is_open = True
        self._looked = (clock.now_ms(), self._awake_s())
        self._zone = _zone()
        self.plan()

    def close(self) -> None:
        """Stops the timer. A second call does nothing."""
        self._is_open = False
        self._cancel()

    def plan(self) -> None:
        """Sets the timer to the earliest alarm, at most TICK_S ahead. `Alarm.set` calls it."""
        if not self._is_open or self._is_looking:
            return
        self._cancel()
        now = clock.now_ms()
        times = [each.at_ms for each in self._alarms if each.at_ms is not None]
        wait_s = min([TICK_S, *(max(0, at - now) / 1000 for at in times)])
        self._due_s = self._awake_s() + wait_s
        self._cancel = self._later(wait_s, self.look)

    def look(self) -> None:
        """Reads the clock now, emits `shifted` if it was set or the computer slept, and calls the alarms whose time has
        come. Call it when the computer woke."""
        if not self._is_open or self._is_looking:
            return
        self._is_looking = True
        try:
            if self._has_shifted():
                self.shifted.emit()
            now = clock.now_ms()
            for each in [each for each in self._alarms if each.at_ms is not None and each.at_ms <= now]:
                try:
                    each.ring()
                except Exception as fault:  # ▲ otherwise a fault of one alarm would silence all the others
                    log.store.exception("alarm", fault)
        finally:
            self._is_looking = False
            self.plan()

    def _has_shifted(self) -> bool:
        was_ms, was_s = self._looked
        now_ms, now_s, zone = clock.now_ms(), self._awake_s(), self._zone
        self._looked, self._zone = (now_ms, now_s), _zone()
        is_set = abs(now_ms - was_ms - (now_s - was_s) * 1000) > SHIFT_MS
        return is_set or now_s > self._due_s + SLEPT_S or self._zone != zone


def _zone() -> tuple[object, ...]:
    """The time zone of this computer, read again: a process otherwise goes on with the one from its start."""
    if sys.platform == "win32":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL("ucrtbase")._tzset()
    else:
        time.tzset()
    now = time.localtime(clock.now_ms() / 1000)
    return now.tm_gmtoff, now.tm_zone
