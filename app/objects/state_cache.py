# SPDX-License-Identifier: EUPL-1.2
"""Stores the merged states of objects, so that opening one need not merge all its changes. Knows no model."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from app.core.ids import ObjId
from app.core.pieces import loop_runs
from app.errors import StoreFault
from app.objects.crdt import is_short_state, may_be_kept
from app.store.database import Database
from app.store.objects import Objects


class StateCache:
    """Stores merged states, a long one in the background. Lives on the event loop."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._db = db
        self._objects = objects
        self._tasks = set[asyncio.Task[None]]()
        self._is_closed = False

    def close(self) -> None:
        """Gives up what is still to be stored in the background, and stores each further state at once."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()

    def keep(self, obj: ObjId, row: int, state: bytes) -> None:
        """Stores the merged state of an object, which has its changes up to row `row`; not one that is too large to be
        read again. StoreFault if the disk refuses.

        A state of more than 0.5 MB is counted first, which takes 0.3 s for each MB of text, so that is done in a
        thread. If a change that is in the state no longer counts meanwhile, or one that it lacks does, it is not
        stored.
        """
        if is_short_state(state) or self._is_closed or not loop_runs():
            if may_be_kept(state):
                self._objects.set_crdt_state(obj, row, state)
            return
        self._begin(self._keep(obj, row, state, self._objects.state_drops(obj)))

    async def _keep(self, obj: ObjId, row: int, state: bytes, drops: int) -> None:
        if await asyncio.to_thread(may_be_kept, state):
            with suppress(StoreFault):  # it is only slower to open without
                await self._db.apart(partial(self._objects.add_crdt_state, obj, row, state, drops), durable=False)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
