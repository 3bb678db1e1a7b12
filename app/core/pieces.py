# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops before 2 ms are over and returns what it found at its end."""

import asyncio
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


async def driven(steps: Generator[None, None, T]) -> T:
    """All of it, with a turn of the loop after each piece."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
        await asyncio.sleep(0)
