# SPDX-License-Identifier: EUPL-1.2
"""Moves new texts into the search index a moment after they were stored, many at a time.

Writing to the index takes a third of a message's transaction, and its commit must then run in a thread. Until a text is
indexed it is in the table `search_due`, which is written in the transaction of its change: a crash loses none.
"""

import asyncio

from app.core import log
from app.core.ids import RoomId
from app.core.signal import Signal
from app.errors import StoreFault
from app.store.connection import Row
from app.store.database import Database

DELAY_S = 0.4
"""Seconds from the first text that waits to the indexing of all that wait. A search meanwhile indexes them at once."""
AT_ONCE, AT_ONCE_CHARS = 64, 16 * 1024
"""The most texts that one transaction indexes, and their characters together, but one text at least: 1 to 2 ms.
▲ Otherwise 64 long messages, as any member may send, would hold the event loop for 30 ms."""
_DUE = "SELECT EXISTS (SELECT 1 FROM search_due)"


class Indexing:
    """Indexes the texts of one store that wait for it: DELAY_S after the first of them was stored, in the background of
    the running event loop. Without a loop they wait until somebody searches, or for the next start."""

    def __init__(self, db: Database, changed: Signal[RoomId]) -> None:
        """`changed`: the store's signal, which is emitted after each commit that may have left a text for the index."""
        self._db = db
        self._timer: asyncio.TimerHandle | None = None
        self._working: asyncio.Task[None] | None = None
        self._is_closed = False
        changed.connect(lambda room: self._look())

    def prepare(self) -> None:
        """Call it when the store is opened: what an earlier run left is indexed soon."""
        self._db.conn.search_waits = bool(self._db.value(_DUE))
        self._look()

    def close(self) -> None:
        """Ends the work in the background. What waits is indexed after the next start. A second call does nothing."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._working is not None and not self._working.get_loop().is_closed():
            self._working.cancel()
        self._timer = self._working = None

    def _look(self) -> None:
        if self._is_closed or not self._db.conn.search_waits or self._timer is not None or self._working is not None:
            return
        try:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self._begin)
        except RuntimeError:  # no loop runs
            return
        self._db.conn.search_waits = False

    def _begin(self) -> None:
        self._timer = None
        self._working = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            await self.index_due()
        except StoreFault as e:
            log.store.warning("not-indexed", code=e.code)
        finally:
            self._working = None
            self._look()

    async def index_due(self) -> None:
        """Indexes everything that waits, with the commits in a thread, and returns when nothing waits any more.
        StoreFault if the disk refuses; what is left is tried again with the next text, at the next search, and at the
        next start."""
        while self._db.value(_DUE):
            await self._db.apart(self._move_some, durable=False)

    def index_due_here(self) -> None:
        """Indexes everything that waits, before a search that runs on the event loop's thread: blocks it until all is
        done. Does nothing if it is called on another thread or within a transaction. StoreFault if the disk
        refuses."""
        if not self._db.is_own_thread or self._db.in_transaction:
            return
        while self._db.value(_DUE):
            with self._db.transaction(durable=False):
                self._move_some()

    def _move_some(self) -> None:
        conn = self._db.conn
        texts, left = list[Row](), AT_ONCE_CHARS
        for text in conn.rows("SELECT id, title, body FROM search_due ORDER BY id LIMIT ?", (AT_ONCE,)):
            left -= len(text[1]) + len(text[2])
            if texts and left < 0:
                break
            texts.append(text)
        conn.executemany("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", texts)
        conn.executemany("DELETE FROM search_due WHERE id = ?", [(text[0],) for text in texts])
        conn.long_commit = True
