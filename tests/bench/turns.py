# SPDX-License-Identifier: EUPL-1.2
"""Times every turn of a plain asyncio loop: how long each handle runs, and how much of it was our own processor time.

There is no Qt in it, so what it sees is exactly our own work on the loop.
"""

import asyncio
import time
from dataclasses import dataclass, field

from tests.bench.registry import percentile

LONG_MS = 5.0


@dataclass
class Turns:
    """Between `start` and `stop`: one (wall ms, processor ms, what ran) for each handle."""

    seen: list[tuple[float, float, str]] = field(default_factory=list)

    def start(self) -> None:
        self.seen.clear()
        self._run = run = asyncio.Handle._run
        seen = self.seen

        def timed(handle: asyncio.Handle) -> None:
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            run(handle)
            took = (time.perf_counter_ns() - wall) / 1e6
            if took > LONG_MS:
                seen.append((took, (time.thread_time_ns() - cpu) / 1e6, _what(handle)))
            else:
                seen.append((took, 0.0, ""))

        asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]

    def stop(self) -> dict[str, object]:
        """Milliseconds: longest, p99, and how many turns were long."""
        asyncio.Handle._run = self._run  # type: ignore[method-assign]
        walls = [wall for wall, _, _ in self.seen]
        long = sorted((turn for turn in self.seen if turn[0] > LONG_MS), reverse=True)
        return {
            "turns": len(walls),
            "max": max(walls),
            "p99": percentile(walls, 99),
            "over": len(long),
            "cpu_max": max((cpu for _, cpu, _ in long), default=0.0),
            "longest": [[round(wall, 1), round(cpu, 1), what] for wall, cpu, what in long[:8]],
        }


def _what(handle: asyncio.Handle) -> str:
    """The coroutine or function that ran."""
    callback = getattr(handle, "_callback", None)
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return str(getattr(owner.get_coro(), "__qualname__", ""))
    return str(getattr(callback, "__qualname__", callback))
