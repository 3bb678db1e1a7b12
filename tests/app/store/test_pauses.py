# SPDX-License-Identifier: EUPL-1.2
"""How long the trials of an object pause after it has ended the worker."""

import asyncio

import pytest

from app.store.pauses import MOST_PAUSE_S, Pauses
from tests.app.store.test_trials import NOTE
from tests.office import BOARD_ID


async def test_attack_each_crash_makes_its_object_alone_pause_longer_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 1000.0)
    pauses, left = Pauses(), list[float]()
    for took_s in (1.0, 1.0, 1.0, 10_000.0):
        pauses.begin(NOTE, took_s)
        left += pauses.left_s([BOARD_ID, NOTE])
    assert left == [4.0, 8.0, 12.0, MOST_PAUSE_S]
    assert (pauses.is_over(NOTE), pauses.is_over(BOARD_ID)) == (False, True)
