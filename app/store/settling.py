# SPDX-License-Identifier: EUPL-1.2
"""When complete objects are judged from their first change (app/store/behind.py): in a quiet moment, or later."""

import asyncio

from app.store.behind import Behind

QUIET_S = 1.0
"""Seconds without a change of a merging kind, after which complete objects are judged from their first change."""
SETTLED_WITHIN_S = 300.0
"""▲ After so long they are judged all the same. Otherwise a member who types without a pause could keep everybody on a
false state."""


class Settling:
    """Decides when complete objects are judged from their first change (it is decided which changes count): when no
    change has been received for a moment, or after a longest wait. Times are by the loop's clock (s)."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._received_at = 0.0
        self._complete_since: float | None = None

    def note_received(self) -> None:
        """A change of a merging kind was received now."""
        self._received_at = asyncio.get_running_loop().time()

    def left_s(self) -> float | None:
        """Seconds until complete objects (every change of them is here) may be judged from their first change (which of
        them count), 0 or less if they may be now: once nothing was received for QUIET_S, or once an object has been
        complete for SETTLED_WITHIN_S. None if no object is complete."""
        now = asyncio.get_running_loop().time()
        if not self._behind.complete:
            self._complete_since = None
            return None
        self._complete_since = now if self._complete_since is None else self._complete_since
        return min(QUIET_S + self._received_at, SETTLED_WITHIN_S + self._complete_since) - now
