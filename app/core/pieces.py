# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops before 2 ms are over and returns what it found at its end."""

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

from sync.pieces import finished

__all__ = ["Budget", "TooLong", "driven", "finished", "loop_runs"]

T = TypeVar("T")


class TooLong(Exception):
    """Error: a piece of work used up its time budget before it was done. Its generator has been closed."""


class Budget:
    """A number of seconds that several runs of `driven` may use together. Only the time inside the work counts, not the
    pauses."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds


async def driven(steps: Generator[None, None, T], budget: Budget | None = None) -> T:
    """Runs a generator that works in steps to its end, and returns its result. The event loop may run other tasks after
    each step. Raises TooLong, after closing the generator, once `budget` is used up; the time that this work takes is
    deducted from it. None is no limit."""
    while True:
        if budget is not None and budget.left_s < 0:
            steps.close()
            raise TooLong
        began = time.perf_counter()
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
        finally:
            if budget is not None:
                budget.left_s -= time.perf_counter() - began
        await asyncio.sleep(0)


def loop_runs() -> bool:
    """Whether an event loop runs in this thread. If none does, as in a thread or while the program starts and ends,
    nothing can be left for later: the caller does all of its work at once."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
