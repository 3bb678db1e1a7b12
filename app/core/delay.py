# SPDX-License-Identifier: EUPL-1.2
"""Calls a function after a delay, in a form that tests can replace."""

import asyncio
from collections.abc import Callable

Later = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Calls a function after some seconds. The returned function cancels that."""


class LoopTimer:
    """`Later` on the loop that ran when `start` was called, for what is also called while none runs: a widget that goes
    as the program ends. Before `start`, and after the loop was closed, nothing is called."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Takes the running loop. RuntimeError if none runs."""
        self._loop = asyncio.get_running_loop()

    def later(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        """Calls `act` after `delay_s`. The returned function cancels that."""
        if self._loop is None or self._loop.is_closed():
            return lambda: None
        return self._loop.call_later(delay_s, act).cancel


def on_loop(delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
    """`Later` on the running event loop."""
    return asyncio.get_running_loop().call_later(delay_s, act).cancel
