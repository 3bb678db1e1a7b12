# SPDX-License-Identifier: EUPL-1.2
"""The two threads that have connections to the SQLite file: a writer and a reader."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, ProgrammingError

from sync.server.load.spending import Payer, payer
from sync.server.store.base import Full, StoreError, Unreadable
from sync.server.store.database import connected, lengthen_log, prepare, probe
from sync.server.store.writer import Writer, unwritable

log = logging.getLogger("sync.server")

T = TypeVar("T")


class Threads:
    """The base of all parts of SqlStore: runs their writes in one thread, which also commits, and their reads in
    another."""

    def __init__(
        self,
        path: Path,
        *,
        max_pages: int | None = None,
        log_bytes: int = 0,
        committed: Callable[[float], None] = lambda took_s: None,
    ) -> None:
        """Makes the SQL store for the SQLite file `path`; only `open` connects, and creates the file if there is none.
        `max_pages` of 4 KiB limit its size; beyond them it behaves as a full disk; None for no limit. `log_bytes`: how
        long `open` makes the write-ahead log (`lengthen_log`), for a store that will be written often; 0 leaves it as
        it is. `committed` is called in the writer's thread after each commit, also a failed one, with the seconds that
        it and its jobs took; it must not raise."""
        self._committed = committed
        self._path, self._log_bytes = path, log_bytes
        self._engine = connected(path, max_pages)
        self._writer: Writer | None = None
        self._reader: ThreadPoolExecutor | None = None
        self._read_connection: Connection | None = None
        self._along: Callable[[Connection], None] | None = None
        """Runs in the transaction of the next write that succeeds."""

    async def open(self) -> None:
        try:
            await asyncio.to_thread(self._prepare)
        except BaseException as e:
            self._engine.dispose()
            if isinstance(e, DBAPIError):
                raise _not_opened(e) from e
            raise
        self._writer = Writer(self._engine, self._committed)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    def _prepare(self) -> None:
        prepare(self._engine)
        if self._log_bytes:
            lengthen_log(self._engine, self._path, self._log_bytes)

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._reader is not None:
            await asyncio.get_running_loop().run_in_executor(self._reader, self._close_reader)
            self._reader.shutdown()
            self._reader = None
        self._engine.dispose()

    @property
    def queued(self) -> int:
        return self._writer.queued if self._writer is not None else 0

    async def probe(self) -> None:
        await self._write(probe)

    def _close_reader(self) -> None:
        if self._read_connection is not None:
            self._read_connection.close()
            self._read_connection = None

    def _write(self, run: Callable[[Connection], T], ahead: Callable[[], None] | None = None) -> "asyncio.Future[T]":
        if self._writer is None:
            raise RuntimeError("the store is not open")
        along, self._along = self._along, None
        if along is None:
            return self._writer.submit(run, ahead)

        def both(c: Connection) -> T:
            result = run(c)
            along(c)
            return result

        written = self._writer.submit(both)
        written.add_done_callback(lambda done: self._still(done, along))
        return asyncio.shield(written)  # a caller that is cancelled does not undo the write

    def _still(self, done: "asyncio.Future[T]", along: Callable[[Connection], None]) -> None:
        """Called when a write has ended, also if its caller was cancelled before; `done` is its future. `along`, which
        stores the record of an administrator's command, ran in the same transaction. If the write failed, `along` is
        kept for the next write. It is dropped instead if a newer one is kept for that already."""
        if done.exception() is not None and self._along is None:
            self._along = along

    async def _read(self, run: Callable[[Connection], T]) -> T:
        if self._reader is None:
            raise RuntimeError("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read_now, run, payer())

    def _read_now(self, run: Callable[[Connection], T], who: Payer | None) -> T:
        began = time.thread_time()
        try:
            if self._read_connection is None:
                self._read_connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            return run(self._read_connection)
        except (InterfaceError, ProgrammingError):
            raise  # our own fault, such as a query without its values
        except DBAPIError as e:
            raise _unreadable(e) from e
        finally:
            if who is not None:
                who.charge_from_thread(time.thread_time() - began)


def _not_opened(e: DBAPIError) -> StoreError:
    """The StoreError that the database error `e` becomes when a database is opened, which also writes to it: Full if
    the disk is full or failing, otherwise Unreadable. Logs SQLite's name for the error."""
    error = unwritable(e)
    if not isinstance(error, Full):
        return _unreadable(e)
    log.error("the database cannot be opened: %s", _name_of(e))
    return error


def _unreadable(e: DBAPIError) -> Unreadable:
    """The StoreError that the database error `e` of a read becomes. Logs SQLite's name for the error, since it is the
    operator who must act."""
    log.error("the database cannot be read: %s", _name_of(e))
    return Unreadable(f"the database cannot be read: {_name_of(e)}")


def _name_of(e: DBAPIError) -> str:
    return getattr(e.orig, "sqlite_errorname", type(e.orig).__name__)
