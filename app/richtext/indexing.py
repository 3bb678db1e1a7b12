# SPDX-License-Identifier: EUPL-1.2
"""Brings the search texts and list rows of objects with rich text up to date a moment after they changed, one object at
a time. A tool whose kind has rich text gives its projection's `index`, and marks a row in `project` (`UNINDEXED`)."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

from app.core import log
from app.core.delay import Later
from app.core.ids import ObjId, RoomId, short
from app.core.signal import Signal
from app.errors import StoreFault
from app.richtext.model import Document
from app.store.connection import Connection
from app.store.database import Database, is_fatal
from app.store.objects import Objects
from app.store.rows import ObjectRow

UNINDEXED, FAILED = 1, 2
"""Values of the column `pending`: must be indexed; could not be indexed. 0: is indexed."""
Index = Callable[[Connection, ObjectRow, Document], None]
"""Writes an object's list row and search entries inside the store's transaction, and sets its `pending` to 0."""
INDEX_AFTER_S = 1.5
INDEX_SHARE = 40
"""Indexing a large document waits this many times what it took last, so that it never takes over 2.5 % of the loop."""
HEAVY_S = 0.005
LONGEST_S = 30.0
"""A document whose indexing takes over HEAVY_S (500 kB take 76 ms) is indexed at a pause in the typing, but at the
latest after this."""


class Indexing:
    """Writes the list rows and the search text of documents a moment after they changed.

    `rows`: the tool's table with a row for each document, which has the columns `obj` and `pending`. `index(conn, row,
    document)` writes the list row and search entries of a document within the store's transaction; after an error the
    next change of that document tries again. `document` gets an id and returns a context manager that gives the
    document's present content. `later` calls a function after some seconds. `changed` is emitted with a room whose list
    of documents has changed. Call `start` when the loop runs, `plan` when a document has changed, and `close` before
    the store closes.
    """

    def __init__(
        self,
        db: Database,
        objects: Objects,
        rows: str,
        index: Index,
        document: Callable[[ObjId], AbstractContextManager[Document]],
        changed: Signal[RoomId],
        later: Later,
    ) -> None:
        self._db = db
        self._objects = objects
        self._write = index
        self._document = document
        self._changed = changed
        self._later = later
        self._mark = f"UPDATE {rows} SET pending = ? WHERE"  # noqa: S608 - a constant of the tool
        self._drop = f"DELETE FROM {rows} WHERE obj = ?"  # noqa: S608
        self._pending = f"SELECT obj FROM {rows} WHERE pending = ? LIMIT ?"  # noqa: S608
        self._waits: Callable[[], None] | None = None
        self._after_s = INDEX_AFTER_S
        self._heavy = self._working = self._closed = False
        self._since = 0.0

    def start(self) -> None:
        """Plans to index the documents that an earlier run of the program left, and those that failed then."""
        with self._db.transaction():
            self._db.conn.execute(f"{self._mark} pending = ?", (UNINDEXED, FAILED))
        if self._unindexed(1):
            self.plan()

    def close(self) -> None:
        """Stops waiting and indexes what is left. A second call does nothing: the store may be closed by then. If the
        disk refuses, the rest is indexed at the next start."""
        if self._closed:
            return
        self._closed = True
        if self._waits:
            self._waits()
        with suppress(StoreFault):
            self.run_all()

    def run_all(self) -> None:
        """Writes the list rows and search texts of all documents that have changed since they were last written, at
        once, as before the program ends. A document that fails stops no other. StoreFault if the disk refuses."""
        for obj in self._unindexed(1_000_000):
            self._try(obj)

    def plan(self) -> None:
        """Has the changed documents indexed a moment from now. A second call adds nothing, but restarts the wait if
        indexing is slow enough for a person who types to feel it."""
        if self._waits is None:
            self._wait(self._after_s)
        elif self._heavy and not self._working and time.perf_counter() + self._after_s < self._since + LONGEST_S:
            self._waits()
            self._waits = self._later(self._after_s, self._next)

    def _wait(self, delay_s: float) -> None:
        self._since = time.perf_counter()
        self._waits = self._later(delay_s, self._next)

    def _next(self) -> None:
        """Indexes one document, and plans the next. While it runs, `plan` starts no new wait: a commit that ran in a
        thread may end in it and bring changes. If the disk refuses, it tries again after LONGEST_S."""
        began, rooms = time.perf_counter(), []
        self._working = True
        try:
            rooms = [self._try(obj) for obj in self._unindexed(1)]
        except StoreFault as fault:  # what was refused stays marked
            log.store.exception("indexing", fault)
            self._wait(LONGEST_S)
            return
        else:
            self._waits = None
        finally:
            self._working = False
        took_s = time.perf_counter() - began
        self._heavy = took_s > HEAVY_S
        self._after_s = max(INDEX_AFTER_S, took_s * INDEX_SHARE)
        if self._unindexed(1):
            self._wait(took_s * INDEX_SHARE)
        for room in rooms:
            if room is not None:
                self._changed.emit(room)

    def _try(self, obj: ObjId) -> RoomId | None:
        """Indexes the document `obj`. Returns its room, None if it no longer exists (its row is then removed) or
        failed. ▲ A document that fails is marked and stops no other; its next change tries it again. StoreFault if the
        disk refuses."""
        try:
            return self._index(obj)
        except StoreFault:
            raise
        except Exception as e:
            if is_fatal(e):
                raise
            log.store.exception("indexing", e, obj=short(obj))
            with self._db.transaction():
                self._db.conn.execute(f"{self._mark} obj = ?", (FAILED, obj))
            return None

    def _index(self, obj: ObjId) -> RoomId | None:
        row = self._objects.get(obj)
        if row is None:
            self._db.conn.execute(self._drop, (obj,))
            return None
        with self._document(obj) as document, self._db.transaction() as conn:
            self._write(conn, row, document)
        return row.room

    def _unindexed(self, limit: int) -> Sequence[ObjId]:
        rows = self._db.rows(self._pending, (UNINDEXED, limit))
        return [row[0] for row in rows]
