# SPDX-License-Identifier: EUPL-1.2
"""Merges the descriptions that this person wrote with those that replaced them, on all boards of the account.

A description is one value of the CRDT: if two people change it without knowing of each other, one value replaces the
other. The rows of the board keep each of this person's descriptions that was replaced (`board_overwritten`), until it
is merged here. Merging may need the former descriptions of that card. They are found by merging all changes of the
board again, one by one: 1.6 s for a board of 10,000 cards. Therefore that is done in parts, and the event loop runs
between them. A large board is opened in the same way.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import closing
from typing import Any

from app.core import log
from app.core.ids import ObjId, RoomId
from app.core.pieces import driven, finished, loop_runs
from app.errors import NotFound, StoreFault
from app.objects.live import LiveObjects
from app.objects.pieces import Assembler
from app.store.changes import Changes
from app.store.database import Database
from app.tasks.descriptions import Description, description_from
from app.tasks.model import Board

MERGED_AT_ONCE = 10
"""Changes that are merged one by one in one part: 1.6 ms. A board with no more of them is read at once."""

_OVERWRITTEN = "SELECT obj, card, id, room, value FROM board_overwritten"
_DROP = "DELETE FROM board_overwritten WHERE obj = ? AND card = ? AND id = ?"


class Settling:
    """Merges replaced descriptions of this person. `live` returns the open boards, `may_write` whether the person may
    write in a room, `is_large` whether a board is to be opened in parts. Lives on the event loop. Without a running
    loop, all is done at once."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        live: Callable[[], LiveObjects[Board]],
        may_write: Callable[[RoomId], bool],
        is_large: Callable[[ObjId], bool],
    ) -> None:
        self._db = db
        self._changes = changes
        self._live = live
        self._may_write = may_write
        self._is_large = is_large
        self._read: dict[tuple[ObjId, str], Mapping[str, Description]] = {}
        """What was just read, by board and card."""
        self._tasks: dict[object, asyncio.Task[None]] = {}
        """By board and card: reads the values of a description. By board: opens it."""
        self._is_closed = False

    def close(self) -> None:
        """Cancels what is under way. What is not merged by then is merged after the next start."""
        self._is_closed = True
        for task in list(self._tasks.values()):
            task.cancel()

    def settle_soon(self) -> None:
        """Calls `settle` now, or in the event loop's next turn if an edit of a board is in progress."""
        if any(board.is_changing for board in self._live().models()):
            asyncio.get_running_loop().call_soon(self.settle)
        else:
            self.settle()

    def settle(self) -> None:
        """Merges the stored descriptions with those that replaced them, also on boards that are not open, and writes
        the results as new changes. What takes long is only begun here, and calls `settle` again when it is ready. Left
        for a later call are descriptions in rooms in which the person may not write, and those whose result the disk
        refuses. StoreFault if the list of them cannot be read, or an entry cannot be removed from it."""
        lost = [] if self._is_closed else self._db.rows(_OVERWRITTEN)
        for obj, card, ident, room, value in lost:
            if not self._may_write(room) or self._is_opening(obj):
                continue
            if not self._live().shared(obj).settle(card, description_from(json.loads(value))):
                continue
            if self._live().unsaved(obj):  # the program may end before the disk takes it: then it is merged again
                continue
            with self._db.transaction():
                self._db.conn.execute(_DROP, (obj, card, ident))

    def history(self, obj: ObjId, card: str) -> Mapping[str, Description] | None:
        """All values that the description of the card `card` has had on the board `obj`, by the value's id; empty if it
        never changed. None if reading them takes long. The reading is then begun, and when it is done the descriptions
        that need the values are merged."""
        key = obj, card
        if key in self._read:
            return self._read[key]
        if not loop_runs() or len(self._changes.of(obj, 0, MERGED_AT_ONCE + 1)) <= MERGED_AT_ONCE:
            return finished(self._values(obj, card))
        self._begin(key, lambda: self._read_apart(obj, card))
        return None

    async def _read_apart(self, obj: ObjId, card: str) -> None:
        board = await self._live().load(obj)
        self._read[obj, card] = await driven(self._values(obj, card))
        try:
            board.settle_waiting(card)
            self.settle()
        finally:
            del self._read[obj, card]

    def _values(self, obj: ObjId, card: str) -> Generator[None, None, Mapping[str, Description]]:
        row, pieces = 0, Assembler()
        with closing(Board()) as board:
            while some := self._changes.of(obj, row, MERGED_AT_ONCE):
                row = some[-1].rowid
                with self._changes.merging(some[0].room, obj, some):
                    for update in pieces.feed(some):
                        board.merge([update])
                yield
            return board.seen(card)

    def _is_opening(self, obj: ObjId) -> bool:
        """Whether the board is being opened in parts; begins that if it is large and not open."""
        if self._live().get(obj) is not None or not loop_runs() or not self._is_large(obj):
            return False
        self._begin(obj, lambda: self._settle_large(obj))
        return True

    async def _settle_large(self, obj: ObjId) -> None:
        board = await self._live().load(obj)
        self.settle()
        for reading in [task for key, task in self._tasks.items() if isinstance(key, tuple) and key[0] == obj]:
            await asyncio.wait([reading])
        del board  # it was kept open until here

    def _begin(self, key: object, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts `work`, unless it runs for this key already. Nobody waits for it, so its errors are logged."""
        if key in self._tasks or self._is_closed:
            return
        self._tasks[key] = task = asyncio.ensure_future(work())

        def end(_done: asyncio.Task[None]) -> None:
            self._tasks.pop(key, None)
            fault = task.exception() if not task.cancelled() else None
            if isinstance(fault, StoreFault | NotFound):  # it is merged at a later call
                log.store.warning("description-waits", code=fault.code)
            elif fault is not None:
                log.store.exception("description-waits", fault)

        task.add_done_callback(end)
