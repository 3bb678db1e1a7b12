# SPDX-License-Identifier: EUPL-1.2
"""Moves committed pages from the write-ahead log into the database file, on its own thread.

SQLite would do it inside an unlucky commit on the event loop: 1,000 pages and two fsyncs, 5–20 ms.

The first commit after a checkpoint writes the log from its beginning again, and flushes its header before that. This
takes as long as the commit itself. So a checkpoint waits until there is more to move.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as driver

from app.core import log
from app.errors import StoreFault
from app.store.flushing import lengthen_log, log_bytes

REST_S = 5.0
"""Seconds that fewer than MANY_ROWS changed rows wait for a checkpoint."""
MANY_ROWS = 1000
"""A key changes about ten rows, a full slice of 256 messages some 2,000."""
MANY_BYTES = 16 * 1024 * 1024
"""A log file that is longer gets a checkpoint without REST_S, even with fewer than MANY_ROWS: one row may have some MB.
The first commit after a checkpoint writes the log from its beginning again, and SQLite then cuts the file to this
length (`journal_size_limit`). With 8 MiB in place of 16, 1,000 messages a few ms apart took an eighth longer: between
two checkpoints their log grew beyond 8 MiB, and was cut and made longer again each time."""
LOOK_S = 0.4
"""How often the log's length is read meanwhile."""
SETTLED_S = 1.0
"""Seconds from the first commit until the log is made MANY_BYTES long. Meanwhile the start reads much from the disk."""
PAUSE_S = 0.4
"""Many rows that are changed within this time share one checkpoint."""


class Checkpointer:
    """A thread that copies committed pages from SQLite's write-ahead log into the database file (a passive checkpoint,
    which never blocks the writer). It acts when many rows have been written, or when a few have waited for a while.
    Before its first checkpoint it makes the log MANY_BYTES long, so that commits overwrite it (`lengthen_log`)."""

    def __init__(self, connect: Callable[[], Any], database: Path) -> None:
        """`connect` returns a new connection to the database at the path `database`, with its key set; the checkpoint
        thread calls it, and after a driver's error again after the next commit."""
        self._connect = connect
        self._database = database
        self._wake = threading.Event()
        self._many = threading.Event()
        self._urgent = threading.Event()
        """The thread is to begin a checkpoint or to end, and makes the log no longer before that."""
        self._is_long = False
        """Whether the log needs to be made no longer: it is long, or the disk refuses."""
        self._rows = 0
        """How many rows changed since the last checkpoint began."""
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def wrote(self, rows: int) -> None:
        """Notes that a transaction was committed which changed `rows` rows. Starts the checkpoint thread at the first
        call. Call it on the loop's thread."""
        if self._thread is None and not self._end.is_set():
            self._thread = threading.Thread(target=self._run, name="store-checkpoint", daemon=True)
            self._thread.start()
        self._rows += rows
        if self._rows >= MANY_ROWS:
            self._many.set()
        self._wake.set()

    def hurry(self) -> None:
        """Makes the thread begin a checkpoint after PAUSE_S (0.4 s). Called on the loop's thread when the log could not
        be flushed. ▲ After a failed fsync Linux may mark the log's cached pages as written. The next fsync then
        succeeds although they never reached the disk. SQLite reads a log up to its first damaged page, so that a power
        cut would lose every later commit too. A checkpoint copies the pages from the cache into the database file and
        flushes that."""
        self._urgent.set()
        self.wrote(MANY_ROWS)

    def stop(self) -> None:
        """Ends the checkpoint thread; returns when its database connection is closed. A second call does nothing."""
        self._end.set()
        self._urgent.set()
        self._many.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _rest(self) -> None:
        """Waits until a checkpoint is worth its cost: many rows were written, the log is long, or few rows have waited
        REST_S (5 s). Returns at once when the thread is to end."""
        end = time.monotonic() + REST_S
        while time.monotonic() < end and log_bytes(self._database) <= MANY_BYTES:
            if self._many.wait(LOOK_S):
                return

    def _lengthen(self, connection: Any) -> Any:
        """Makes the log MANY_BYTES long, in steps between which the loop can commit. If a checkpoint is urgent, the
        rest of them is left for later. The first error of the driver ends this, and is logged. Returns `connection`; if
        that is None, the one that it opened, None if none could be opened. ▲ If the log cannot be flushed, a checkpoint
        begins at once. Linux reports a failed flush once, so the next flush of a commit may succeed although the commit
        is not on the disk."""
        try:
            connection = connection or self._connect()
            while not self._urgent.is_set() and not self._is_long:
                self._is_long = not lengthen_log(self._database, connection, MANY_BYTES)
        except driver.Error as e:
            self._is_long = True
            log.store.warning("log-not-lengthened", code=type(e).__name__)
        except StoreFault:
            self._is_long = True
            self._many.set()
        return connection

    def _run(self) -> None:
        connection: Any = None
        while not self._end.is_set():
            self._wake.wait()
            if not self._is_long and not self._urgent.wait(SETTLED_S):
                connection = self._lengthen(connection)
            self._rest()
            if self._end.wait(PAUSE_S):
                break
            self._rows = 0
            self._urgent.clear()
            self._many.clear()
            self._wake.clear()
            try:
                connection = connection or self._connect()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except driver.Error as e:
                # tried again after the next commit; if the fault lasts, the writer's own checkpoint raises it where it
                # can be reported
                log.store.warning("checkpoint-failed", code=type(e).__name__)
        if connection is not None:
            connection.close()
