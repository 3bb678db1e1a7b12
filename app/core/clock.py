# SPDX-License-Identifier: EUPL-1.2
"""The time of day in milliseconds. Tests put their own clock in place with `set_clock`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from sync.protocol.version import MAX_TIME_MS as MAX_MS

__all__ = ("APART_MS", "MAX_MS", "awake_s", "local", "now_ms", "set_clock")

APART_MS = 1_200_000
"""How far the clocks of two devices may be apart: the server takes clocks that are 10 minutes off its own."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _system_ms() -> int:
    return time.time_ns() // 1_000_000


_now: Callable[[], int] = _system_ms


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return _now()


def local(t_ms: int) -> datetime:
    """A time in ms since 1970 UTC as a local time, with its time zone. A time before 1970 or after the beginning of the
    year 9999 becomes the nearest one inside. ▲ Otherwise a colleague could write a time that ends the view of everybody
    who looks at it."""
    utc = _EPOCH + timedelta(milliseconds=min(max(0, t_ms), MAX_MS))
    try:
        return utc.astimezone()
    except OSError:  # Windows knows local times from 1970 to 3000 only
        return utc.astimezone(timezone(timedelta(seconds=-time.timezone)))


def set_clock(now: Callable[[], int] | None) -> Callable[[], None]:
    """Replaces the clock by `now`, which returns ms since 1970 UTC (None: the system's clock). Returns a function that
    restores the former clock."""
    global _now
    former = _now
    _now = now or _system_ms

    def restore() -> None:
        global _now
        _now = former

    return restore


def awake_s() -> float:
    """Seconds of a clock that nobody can set and that also runs while the computer sleeps. Only differences mean
    anything."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    # Windows' monotonic clock counts sleep too; Linux' does not
    return time.clock_gettime(clock) if clock is not None else time.monotonic()
