# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops after each, and returns what it found at its end."""

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
