# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops after each piece and returns its result at the end."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def finished(steps: Generator[None, None, T]) -> T:
    """Runs `steps` to its end and returns its result: for small work, threads and tests. `steps` is a generator that
    stops after each piece of its work, so that a caller on the event loop could let other tasks run in between."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
