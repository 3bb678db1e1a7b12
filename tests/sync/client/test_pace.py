# SPDX-License-Identifier: EUPL-1.2
"""A request ends if too few bytes move, and continues for as long as enough do. The test moves the loop's clock."""

import asyncio

import pytest

from sync.client.wire.progress_timeout import Pace
from sync.errors import TooSlow, Unreachable


class Clock:
    """The loop's time. `pass_s` lets time pass, and runs everything that is due."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop, self._ahead_s = asyncio.get_running_loop(), 0.0
        real = self._loop.time
        monkeypatch.setattr(self._loop, "time", lambda: real() + self._ahead_s)

    async def pass_s(self, seconds: float) -> None:
        self._ahead_s += seconds
        for _ in range(3):
            await asyncio.sleep(0)


async def test_enough_bytes_in_each_window_keep_a_request_going(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    async with Pace(60, 1000) as pace:
        for _ in range(100):
            await clock.pass_s(40)
            pace.moved(1000)
        pace.turn()
        await clock.pass_s(50)


async def test_too_few_bytes_in_a_window_end_it_however_often_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def drip() -> None:
        async with Pace(60, 1000) as pace:
            for _ in range(7):
                await clock.pass_s(10)
                pace.moved(1)

    with pytest.raises(TooSlow):
        await drip()


async def test_a_server_that_sends_nothing_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(Unreachable) as found:
        async with Pace(60, 1000):
            await clock.pass_s(61)
    assert found.value.code == "unreachable"


async def test_what_the_caller_cancels_is_cancelled() -> None:
    async def wait() -> None:
        async with Pace(60, 1000):
            await asyncio.Future()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
