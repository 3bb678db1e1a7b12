# SPDX-License-Identifier: EUPL-1.2
"""Clocks that a test moves."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.core import clock
from tests.app.own.devices import NOVEMBER


@dataclass
class Now:
    """The time of day on all devices, and a clock that nobody sets."""

    ms: int = NOVEMBER
    awake_s: float = 1000.0

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)
        self.awake_s += seconds


@pytest.fixture
def now() -> Iterator[Now]:
    """The time of day that the program reads. It begins in November 2026."""
    made = Now()
    restore = clock.set_clock(made)
    yield made
    restore()
