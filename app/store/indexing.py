# SPDX-License-Identifier: EUPL-1.2
"""Moves new and changed texts into the search index a moment after they were stored, many at a time.

Writing to the index takes a third of a message's transaction, and its commit must then run in a thread. Until a text is
indexed it is in the table `search_due`, which is written in the transaction of its change: a crash loses none.
"""

import asyncio
from collections.abc import Sequence

from app.core import log
from app.core.ids import RoomId
from app.core.signal import Signal
from app.errors import StoreFault
from app.store.connection import Connection, Row
from app.store.database import Database

DELAY_S = 0.4
"""Seconds from the first text that waits to the indexing of all that wait. A search meanwhile indexes them at once."""
AT_ONCE, AT_ONCE_CHARS = 64, 16 * 1024
"""The most texts that one transaction indexes, and their characters together, but one text at least: 1 to 2 ms.
▲ Otherwise 64 long messages, as any member may send, would hold the event loop for 30 ms."""
_WAITS = "SELECT EXISTS (SELECT 1 FROM search_due)"
_DUE = "SELECT obj, ref, room, kind, t, title, body FROM search_due LIMIT ?"
_DROP_DUE = "DELETE FROM search_due WHERE obj = ? AND ref = ?"
_ADD = """INSERT INTO search_rows (room, obj, kind, ref, t) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (obj, ref) DO NOTHING"""


class Indexing:
    """Indexes the texts of one store that wait for it, while `run` runs. Without it they wait until somebody searches,
    or for the next start."""

    def __init__(self, db: Database, changed: Signal[RoomId]) -> None:
        """`changed`: the store's signal, which is emitted after each commit that may have left a text for the index."""
        self._db = db
        self._due = asyncio.Event()
        changed.connect(lambda room: self._look())

    def prepare(self) -> None:
        """Call it when the store is opened: what an earlier run left is indexed soon."""
        self._db.conn.search_waits = bool(self._db.value(_WAITS))
        self._look()

    def _look(self) -> None:
        if self._db.conn.search_waits:
            self._db.conn.search_waits = False
            self._due.set()

    async def run(self) -> None:
        """Runs until cancelled: indexes all that wait, DELAY_S after the first of them was stored. Cancel it before the
        store closes. What waits then is indexed after the next start."""
        while True:
            await self._due.wait()
            await asyncio.sleep(DELAY_S)
            self._due.clear()
            try:
                await self.index_due()
            except StoreFault as e:
                log.store.warning("not-indexed", code=e.code)

    async def index_due(self) -> None:
        """Indexes everything that waits, with the commits in a thread, and returns when nothing waits any more.
        StoreFault if the disk refuses; what is left is tried again with the next text, at the next search, and at the
        next start."""
        while self._db.value(_WAITS):
            await self._db.apart(self._move_some, durable=False)

    def index_due_here(self) -> None:
        """Indexes everything that waits, before a search that runs on the event loop's thread: blocks it until all is
        done. Does nothing if it is called on another thread or within a transaction. StoreFault if the disk
        refuses."""
        if not self._db.is_own_thread or self._db.in_transaction:
            return
        while self._db.value(_WAITS):
            with self._db.transaction(durable=False):
                self._move_some()

    def _move_some(self) -> None:
        conn, rows, left = self._db.conn, list[Row](), AT_ONCE_CHARS
        for row in conn.rows(_DUE, (AT_ONCE,)):
            left -= len(row[-2]) + len(row[-1])
            if rows and left < 0:
                break
            rows.append(row)
        index(conn, rows)


def index(conn: Connection, rows: Sequence[Row]) -> None:
    """Writes places to the search index, or replaces those that it has, and deletes their rows in `search_due`. Inside
    the store's transaction. `rows`: (obj, ref, room, kind, t, title, body) of each place, with `t` in ms, and no place
    (obj, ref) twice. A place that the index has and whose texts have changed takes a millisecond."""
    conn.long_commit = True
    new: list[Row] = []
    for obj, ref, room, kind, t, title, body in rows:
        added = conn.execute(_ADD, (room, obj, kind, ref, t))
        if added.rowcount:
            new.append((added.lastrowid, title, body))
        else:
            _replace(conn, obj, ref, kind, t, (title, body))
    # not INSERT OR REPLACE, which reads the index for each row: 40 µs instead of 9
    conn.executemany("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", new)
    conn.executemany(_DROP_DUE, [row[:2] for row in rows])


def _replace(conn: Connection, obj: bytes, ref: bytes, kind: str, t: int, texts: tuple[str, str]) -> None:
    """Replaces a place that the index has. Unchanged texts are not indexed again, since that takes a millisecond."""
    (row,) = conn.only("SELECT id FROM search_rows WHERE obj = ? AND ref = ?", (obj, ref))
    conn.execute("UPDATE search_rows SET t = ?, kind = ? WHERE id = ?", (t, kind, row))
    if conn.execute("SELECT title, body FROM search WHERE rowid = ?", (row,)).fetchone() != texts:
        conn.execute("UPDATE search SET title = ?, body = ? WHERE rowid = ?", (*texts, row))
