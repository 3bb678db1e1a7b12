# SPDX-License-Identifier: EUPL-1.2
"""A person with one computer, or two, and a clock that a test moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app.clocks import Now, now
from tests.app.own.devices import Server
from tests.app.reminders.devices import Air, Reminded, Two

__all__ = ["now"]  # a fixture


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
