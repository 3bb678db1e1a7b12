# SPDX-License-Identifier: EUPL-1.2
"""Decides when what is queued for the connections is written: a few connections in each step of the event loop.

A message in a room of 300 has 300 listeners. Writing to all of them in one step would delay everybody else by 8 ms. A
connection that waits for its step meanwhile collects what else comes for it, and is written to once.
"""

import asyncio
from collections.abc import Callable

_AT_ONCE = 16
"""Connections that are written to in one step, 28 µs each."""
_STEPS = 8
"""If many wait, an eighth of them in one step: 1,000 connections are written to in 24 steps, 16,000 in 45."""


class Flushing:
    """The connections for which something is queued, the one that has waited longest first. Each is represented by a
    function that writes what is queued at the time of its call."""

    def __init__(self) -> None:
        self._due: dict[Callable[[], None], None] = {}
        self._running = False

    @property
    def is_idle(self) -> bool:
        """Whether no connection waits to be written to."""
        return not self._due

    def note(self, flush: Callable[[], None]) -> None:
        """Has `flush` called, without arguments, in one of the next steps of the event loop. A second call before then
        does nothing. An error of `flush` goes to the event loop, and the others are called all the same."""
        self._due[flush] = None
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._step)

    def drop(self, flush: Callable[[], None]) -> None:
        """Takes back `note`: `flush` is not called. Does nothing if it is not due."""
        self._due.pop(flush, None)

    def _step(self) -> None:
        """Calls the functions whose turn it is, and plans the next step. ▲ Also if one of them raises. Otherwise a
        fault of one connection would keep all others from being written to until the next start."""
        try:
            for _ in range(min(len(self._due), max(_AT_ONCE, len(self._due) // _STEPS))):
                flush = next(iter(self._due))
                del self._due[flush]
                flush()
        finally:
            self._running = bool(self._due)
            if self._running:
                asyncio.get_running_loop().call_soon(self._step)
