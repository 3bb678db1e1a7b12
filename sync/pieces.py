# SPDX-License-Identifier: EUPL-1.2
"""Work that is done in pieces: a generator that stops after each piece and returns its result at the end."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def finished(steps: Generator[None, None, T]) -> T:
    """Runs all pieces at once and returns the result: for small work, threads and tests."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
