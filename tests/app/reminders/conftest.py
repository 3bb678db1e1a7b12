# SPDX-License-Identifier: EUPL-1.2
"""A person with one computer, or two, and a clock that a test moves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.core import clock
from app.notices.turns import Rung
from app.objects.object import Payload
from tests.app.own.devices import DAY_MS, NOVEMBER, Server
from tests.app.reminders.devices import HOUR_MS, MESSAGES, Air, Now, Reminded

ONE, TWO, THREE = MESSAGES
RUNG: Payload[Rung] = Payload(Rung)
GOOD: list[object] = [0, 0, NOVEMBER + HOUR_MS, NOVEMBER // DAY_MS, "61" * 16, "62" * 16, "chat", "63" * 16]


Two = tuple[Reminded, Reminded, Server]


@pytest.fixture
def now() -> Iterator[Now]:
    made = Now()
    end = clock.set_clock(made)
    yield made
    end()


@pytest.fixture
async def alone(tmp_path: Path, now: Now) -> AsyncIterator[Reminded]:
    made = Reminded(tmp_path, 1, now, Air())
    made.run()
    await made.go(online=True)
    yield made
    await made.stop()
    made.close()


@pytest.fixture
async def two(tmp_path: Path, now: Now) -> AsyncIterator[Two]:
    air = Air()
    both = Reminded(tmp_path / "home", 1, now, air), Reminded(tmp_path / "office", 2, now, air)
    for device in both:
        device.run()
        await device.go(online=True)
    yield (*both, Server())
    for device in both:
        await device.stop()
        device.close()
