# SPDX-License-Identifier: EUPL-1.2
"""Tasks that look at a room after each change of it wait until the change is on its way (app/core/waking.py)."""

import asyncio

import pytest

from app.core import waking


class Rest:
    """The rest of a task, which ends when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = asyncio.Event()
        self._over = asyncio.Event()
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        assert seconds == waking.REST_S
        self.began.set()
        await self._over.wait()
        self._over.clear()

    async def end(self) -> None:
        """Waits until the task rests, and ends the rest."""
        await self.began.wait()
        self.began.clear()
        self._over.set()


async def test_what_wakes_a_task_several_times_while_it_rests_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rest, wake = Rest(monkeypatch), asyncio.Event()
    wake.set()
    waiting = asyncio.ensure_future(waking.gathered(wake))
    await rest.began.wait()
    wake.set()
    await rest.end()
    await waiting
    assert not wake.is_set()


async def test_what_wakes_a_task_while_it_works_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    rest, wake = Rest(monkeypatch), asyncio.Event()
    wake.set()
    for _ in range(2):
        waiting = asyncio.ensure_future(waking.gathered(wake))
        await rest.end()
        await waiting
        wake.set()
