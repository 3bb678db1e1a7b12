# SPDX-License-Identifier: EUPL-1.2
"""The wall clock of the program and of a server in the same process, as a test sets it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from app.core import clock
from sync.server.rules import clock_guard, handshake


class Moment:
    """Everybody's wall clock, in ms: it goes on from the last `set`."""

    def __init__(self, ms: int) -> None:
        self.set(ms)

    def set(self, ms: int) -> None:
        """Moves the clock to this time."""
        self._ms, self._since = ms, time.monotonic_ns()

    def __call__(self) -> int:
        return self._ms + (time.monotonic_ns() - self._since) // 1_000_000


@contextmanager
def moment(ms: int) -> Iterator[Moment]:
    """The program's clock and the server's, in the block."""
    now = Moment(ms)
    wall = SimpleNamespace(
        time_ns=lambda: now() * 1_000_000,
        clock_gettime_ns=lambda _clock: now() * 1_000_000,
        monotonic_ns=lambda: now() * 1_000_000,
        CLOCK_BOOTTIME=0,
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(handshake, "time", wall)
        patched.setattr(clock_guard, "time", wall)
        restore = clock.set_clock(now)
        try:
            yield now
        finally:
            restore()
