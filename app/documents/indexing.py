# SPDX-License-Identifier: EUPL-1.2
"""Brings documents' search texts and list rows up to date a moment after they changed, one document at a time."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from app.core import log
from app.core.ids import ObjId, RoomId, short
from app.core.signal import Signal
from app.documents import projection
from app.documents.presence import Later
from app.richtext.model import Document
from app.store.database import Database, is_fatal
from app.store.objects import Objects

UNINDEXED, FAILED = 1, 2
"""Values of `document_rows.pending`: must be indexed; could not be indexed."""
INDEX_AFTER_S = 1.5
INDEX_SHARE = 40
"""Indexing a large document waits this many times what it took last, so that it never takes over 2.5 % of the loop."""
HEAVY_S = 0.005
LONGEST_S = 30.0
"""A document whose indexing takes over HEAVY_S (500 kB take 76 ms) is indexed at a pause in the typing, but at the
latest after this."""


class Indexing:
    """Keeps the rows and the search text of changed documents up to date.

    `document` is a context manager that gives a document's present content. `changed` is emitted with a room whose list
    of documents has changed.
    """

    def __init__(
        self,
        db: Database,
        objects: Objects,
        document: Callable[[ObjId], AbstractContextManager[Document]],
        changed: Signal[RoomId],
        later: Later,
    ) -> None:
        self._db = db
        self._objects = objects
        self._document = document
        self._changed = changed
        self._later = later
        self._waits: Callable[[], None] | None = None
        self._after_s = INDEX_AFTER_S
        self._heavy = self._working = self._closed = False
        self._since = 0.0

    def start(self) -> None:
        """Indexes what an earlier run left, and tries once more what it could not index."""
        with self._db.transaction():
            self._db.conn.execute("UPDATE document_rows SET pending = ? WHERE pending = ?", (UNINDEXED, FAILED))
        if self._unindexed(1):
            self.plan()

    def close(self) -> None:
        """Stops waiting and indexes what is left. A second call does nothing: the store may be closed by then."""
        if self._closed:
            return
        self._closed = True
        if self._waits:
            self._waits()
        self.run_all()

    def run_all(self) -> None:
        """Brings every document up to date at once."""
        for obj in self._unindexed(1_000_000):
            self._try(obj)

    def plan(self) -> None:
        """Indexes a moment from now. A second call adds nothing, but restarts the wait if indexing is slow enough for a
        person who types to feel it."""
        if self._waits is None:
            self._wait(self._after_s)
        elif self._heavy and not self._working and time.perf_counter() + self._after_s < self._since + LONGEST_S:
            self._waits()
            self._waits = self._later(self._after_s, self._next)

    def _wait(self, delay_s: float) -> None:
        self._since = time.perf_counter()
        self._waits = self._later(delay_s, self._next)

    def _next(self) -> None:
        """Indexes one document. It waits until that is done: a commit that ran apart may end in it and bring changes,
        which plan another round."""
        began, rooms = time.perf_counter(), []
        self._working = True
        try:
            rooms = [self._try(obj) for obj in self._unindexed(1)]
        finally:
            self._waits, self._working = None, False
        took_s = time.perf_counter() - began
        self._heavy = took_s > HEAVY_S
        self._after_s = max(INDEX_AFTER_S, took_s * INDEX_SHARE)
        if self._unindexed(1):
            self._wait(took_s * INDEX_SHARE)
        for room in rooms:
            if room is not None:
                self._changed.emit(room)

    def _try(self, obj: ObjId) -> RoomId | None:
        """Indexes one document. ▲ One that fails is marked and stops no other; its next change tries it again."""
        try:
            return self._index(obj)
        except Exception as e:
            if is_fatal(e):
                raise
            log.store.exception("indexing", e, obj=short(obj))
            with self._db.transaction():
                self._db.conn.execute("UPDATE document_rows SET pending = ? WHERE obj = ?", (FAILED, obj))
            return None

    def _index(self, obj: ObjId) -> RoomId | None:
        row = self._objects.get(obj)
        if row is None:
            self._db.conn.execute("DELETE FROM document_rows WHERE obj = ?", (obj,))
            return None
        with self._document(obj) as document, self._db.transaction() as conn:
            projection.index(conn, row, document)
        return row.room

    def _unindexed(self, limit: int) -> Sequence[ObjId]:
        rows = self._db.rows("SELECT obj FROM document_rows WHERE pending = ? LIMIT ?", (UNINDEXED, limit))
        return [row[0] for row in rows]
