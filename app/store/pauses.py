# SPDX-License-Identifier: EUPL-1.2
"""Pauses of trials: an object whose changes end the worker waits longer after each crash."""

import asyncio
from collections.abc import Iterable

from app.core.ids import ObjId

PAUSE_SHARE, MOST_PAUSE_S = 4, 600.0
"""▲ After a crash the trials of an object pause for PAUSE_SHARE × (its crashes in this run of the program) × (what the
trial took), at most MOST_PAUSE_S seconds. So a member who sends one crashing change after the other delays only that
object."""


class Pauses:
    """Which objects' trials pause in this run of the program. A trial merges others' changes in the worker process
    first. Times are by the loop's clock (s)."""

    def __init__(self) -> None:
        self._crashes: dict[ObjId, int] = {}
        self._until: dict[ObjId, float] = {}

    def begin(self, obj: ObjId, took_s: float) -> None:
        """Begins a pause of the object's trials: one of its changes ended the worker, or took too long. `took_s`: how
        long that trial took."""
        self._crashes[obj] = self._crashes.get(obj, 0) + 1
        rest_s = min(MOST_PAUSE_S, PAUSE_SHARE * self._crashes[obj] * took_s)
        self._until[obj] = asyncio.get_running_loop().time() + rest_s

    def has_crashed(self, obj: ObjId) -> bool:
        """Whether a pause of the object has ever begun."""
        return obj in self._crashes

    def is_over(self, obj: ObjId) -> bool:
        """Whether the object may be tried now."""
        return self._until.get(obj, 0.0) <= asyncio.get_running_loop().time()

    def left_s(self, objs: Iterable[ObjId]) -> list[float]:
        """Seconds that the pauses of these objects still last, below 0 if one is over. Objects that never paused are
        skipped, so the list may be shorter than `objs`."""
        now = asyncio.get_running_loop().time()
        return [self._until[obj] - now for obj in objs if obj in self._until]
