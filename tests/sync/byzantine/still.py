# SPDX-License-Identifier: EUPL-1.2
"""Time under control of the test: a loop whose clock moves only when nothing is left to do, threads that finish at
once, and seeded dice in place of the system's random bytes. The same choices give the same run under any load; hours
cost nothing."""

import asyncio
import os
import random
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar, TypeVarTuple

import pytest

from app.core import clock as app_clock
from app.core import ids
from app.store import database
from sync.client.room import bootstrap_buffer
from sync.client.wire import backoff
from sync.server.load import fairness, rates
from sync.server.rules import clock_guard, handshake, object_shares, room_requests, staging

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
BEGAN_MS = 1_795_000_000_000
YEAR_MS = 365 * 86_400_000
LONG_ROOM = 6
"""Positions from which on a room is opened as a long one: headers only at first, then the content that is needed."""
_MOST_TURNS = 200_000
"""A step that takes more turns of the loop does not end."""


class Clock:
    """Seconds since the run began, by the loop and by everybody's wall clock."""

    def __init__(self) -> None:
        self.s = 0.0
        self.asleep_s = 0.0
        """In which no program ran: the wall clock is so much further than the loop's."""

    def ms(self) -> int:
        return BEGAN_MS + int((self.s + self.asleep_s) * 1000)


class _Idle(selectors.SelectSelector):
    """Nothing is ever received from outside: waiting moves the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns += 1
        assert self.turns < _MOST_TURNS, "the loop does not come to rest"
        assert timeout is not None, "everybody waits for somebody"
        self._clock.s += max(0.0, timeout)
        return []


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop on such a clock. No sockets, no threads, no signals."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._idle = clock, _Idle(clock)
        super().__init__(self._idle)

    def time(self) -> float:
        return self._clock.s

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as e:
            done.set_exception(e)
        return done

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Runs one coroutine to its end."""
        self._idle.turns = 0
        return self.run_until_complete(what)

    def settle(self, s: float) -> None:
        """Lets that much time pass, and runs everything that is due in it."""
        self.do(asyncio.sleep(s))


class AtOnce(Executor):
    """A thread that has finished when it is started."""

    def __init__(self, *args: object) -> None: ...

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as e:
            done.set_exception(e)
        return done


@contextmanager
def still(seed: object) -> Iterator[tuple[StillLoop, Clock]]:
    """A loop with a clock of its own. Inside it, random bytes and the pauses between attempts come from dice with this
    `seed`, and the store has no threads. Other waits are chosen with Python's own dice, which Hypothesis seeds."""
    dice, clock = random.Random(str(seed)), Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "urandom", dice.randbytes)
        patched.setattr(database, "ThreadPoolExecutor", AtOnce)
        patched.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", LONG_ROOM)
        wall = SimpleNamespace(
            time_ns=lambda: clock.ms() * 1_000_000,
            monotonic=lambda: clock.s + clock.asleep_s,
            clock_gettime_ns=lambda _clock: clock.ms() * 1_000_000,
            CLOCK_BOOTTIME=0,
        )
        for module in (ids, handshake, clock_guard, fairness, rates, room_requests, object_shares, staging):
            patched.setattr(module, "time", wall)
        waits = SimpleNamespace(Random=lambda: random.Random(dice.random()))
        patched.setattr(backoff, "random", waits)
        restore_clock = app_clock.set_clock(clock.ms)
        loop = StillLoop(clock)
        asyncio.set_event_loop(loop)
        try:
            yield loop, clock
        finally:
            restore_clock()
            loop.close()
            asyncio.set_event_loop(None)
