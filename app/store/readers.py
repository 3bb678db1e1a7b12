# SPDX-License-Identifier: EUPL-1.2
"""Connections that only read, for threads beside the event loop's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import BugError, StoreClosed
from app.store.connection import Connection

MOST = 7
"""How many connections may be lent at a time: each has a page cache of up to 16 MB."""
KEPT = 2
"""How many stay open while nobody uses them. A new one reads the schema first: about 1 ms."""
PATIENCE_S = 30.0


class Readers:
    """A pool of database connections that only read, each lent to one caller at a time. Every method may be called from
    any thread."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """`connect` returns a new database connection with its key set. It is called in the thread that borrows, and
        its error is raised there."""
        self._connect = connect
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST)
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lends a connection to the caller for the time of the context. Waits while MOST are lent, and raises BugError
        after PATIENCE_S, since a thread that is lent one and asks for another could wait for ever. StoreClosed after
        `close`."""
        if not self._free.acquire(timeout=PATIENCE_S):
            raise BugError("no reading connection became free")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._put_back(connection)
        finally:
            self._free.release()

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise StoreClosed()
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _put_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Closes the connections that nobody uses at once, and each lent one when its context ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
