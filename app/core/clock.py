# SPDX-License-Identifier: EUPL-1.2
"""The time of day in milliseconds. Tests put their own clock in place with `set_clock`."""

import time
from collections.abc import Callable
from datetime import datetime


def _system_ms() -> int:
    return time.time_ns() // 1_000_000


_now: Callable[[], int] = _system_ms
_LAST_MS = 253_370_764_800_000
"""The year 9999."""


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return _now()


def set_clock(now: Callable[[], int] | None) -> Callable[[], None]:
    """Replaces the clock (None: the system's) and returns what puts the former one back."""
    global _now
    former = _now
    _now = now or _system_ms

    def restore() -> None:
        global _now
        _now = former

    return restore


def local(t_ms: int) -> datetime:
    """A time in ms as local time. ▲ What no calendar has, which somebody wrote, becomes 1970 or 9999."""
    return datetime.fromtimestamp(min(max(t_ms, 0), _LAST_MS) / 1000).astimezone()


def awake_s() -> float:
    """A clock in seconds that nobody sets and that also goes while the computer sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    # Windows' monotonic clock counts sleep too; Linux' does not
    return time.clock_gettime(clock) if clock is not None else time.monotonic()
