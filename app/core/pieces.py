# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops before 2 ms are over and returns what it found at its end."""

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def finished(steps: Generator[None, None, T]) -> T:
    """All of it at once: for what is small, and for threads and tests."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found


class TooLong(Exception):
    """The work was not done within its time; it was closed."""


class Budget:
    """Time that several pieces of work may use together, in seconds. What others do meanwhile does not count."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds


async def driven(steps: Generator[None, None, T], budget: Budget | None = None) -> T:
    """All of it, with a turn of the loop after each piece. TooLong once the budget is used up."""
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
