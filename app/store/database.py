# SPDX-License-Identifier: EUPL-1.2
"""The encrypted database: one connection for the loop's thread, readers for other threads, faults with codes.

The key is raw (64 hex digits), never derived here. Nothing in this file knows what the tables mean.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import sqlcipher3.dbapi2 as driver

from app.core import log
from app.errors import (
    BugError,
    DiskFull,
    StoreCorrupt,
    StoreFault,
    StoreMissing,
    StoreUnwritable,
)
from app.store.callbacks import errors_of
from app.store.checkpoint import MANY_BYTES, Checkpointer
from app.store.connection import Connection, Params, Row
from app.store.driver_faults import fault_of, faults, is_fatal, raise_fault
from app.store.flushing import flush_log
from app.store.readers import Readers
from app.store.spare_room import NoSpareRoom, SpareRoom

__all__ = ["APPLICATION_ID", "KEY_BYTES", "Database", "fault_of", "faults", "is_fatal"]

APPLICATION_ID = 0x4B4E534C  # "KNSL"
KEY_BYTES = 32

_Acts = list[Callable[[], None]]
T = TypeVar("T")


class Database:
    """An open encrypted database, with one connection that writes and further ones that only read. All methods but
    `reader` and `check` belong to the thread that opened it."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Opens or creates the file with the raw `key` of 32 bytes. Use `Database.open` and `Database.create`
        instead."""
        if len(key) != KEY_BYTES:
            raise BugError("a raw key has 32 bytes")
        self.path = path
        self._key = key
        self._depth = 0
        self._doomed = False
        self._commits = 0  # how many transactions were committed on the loop
        self.spare: SpareRoom = NoSpareRoom()
        """What is given up when the disk is full."""
        self._gave_room = False  # whether `spare` freed space when the disk was last full
        self._after: _Acts = []
        self._before: dict[Callable[[list[Any]], object], list[Any]] = {}
        self._committing: tuple[Future[Exception | None], _Acts, list[Exception]] | None = None
        """The commit that runs apart, its callbacks, and their errors."""
        self._committer = ThreadPoolExecutor(1, "store-commit")
        self._thread = threading.get_ident()
        with faults():
            self._open_main()

    def _open_main(self) -> None:
        self._durable = True
        self.conn = self._connect()
        self._readers = Readers(self._connect)
        self._file = self.path.resolve()
        """SQLite's log is beside the file itself, not beside a link to it."""
        self._checkpointer = Checkpointer(self._connect, self._file)
        self._changed_rows = 0
        """How many rows this connection had changed at the last commit."""

    @classmethod
    def create(cls, path: Path, key: bytes) -> "Database":
        """Makes a new empty database at `path`, and its folder, with the raw `key` of 32 bytes. StoreUnwritable if the
        file exists or cannot be written; OSError if the folder cannot be made."""
        if path.exists():
            raise StoreUnwritable()
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, key: bytes) -> "Database":
        """Opens an existing database with its raw `key`. Raises StoreMissing, StoreCorrupt (also if the key is not this
        database's) or StoreUnwritable."""
        if not path.exists():
            raise StoreMissing()
        if path.stat().st_size == 0:
            raise StoreCorrupt()
        database = cls(path, key)
        try:
            database.value("SELECT count(*) FROM sqlite_master")
        except BaseException:
            database.close()
            raise
        return database

    def _connect(self) -> Connection:
        connection: Connection = driver.connect(
            str(self.path), isolation_level=None, check_same_thread=False, cached_statements=256, factory=Connection
        )
        try:
            connection.execute(f"PRAGMA key=\"x'{self._key.hex()}'\"")
            for pragma in (
                "cipher_log_level=NONE",  # SQLCipher would write errors with page numbers to stderr
                "busy_timeout=5000",
                "journal_mode=WAL",
                "synchronous=FULL",  # NORMAL may lose commits at power loss and roll a device's chain back
                "foreign_keys=ON",
                "secure_delete=ON",
                "temp_store=MEMORY",
                "cache_size=-16384",  # KiB
                f"journal_size_limit={MANY_BYTES}",
                "wal_autocheckpoint=8000",  # a safety net: the checkpointer thread acts long before
            ):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Finishes a commit that still runs, stops the checkpoint thread, closes all connections and drops the key. A
        second call does nothing."""
        self._settle()
        self._committer.shutdown()
        self._checkpointer.stop()
        self._readers.close()
        self.conn.close()
        self._key = b""

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """A context that is one transaction; an inner one joins the outer. Any error rolls back all of it.

        If `durable`, the transaction is on the disk when the context ends. Otherwise it is complete, but reaches the
        disk only with the next durable one: use that for data that the server sends again after a crash. An inner one
        is as durable as the outer. The callbacks that were given to `after_commit` run when the outermost transaction
        has committed.
        """
        self._check_thread()
        try:
            with faults():
                if self._depth:
                    yield from self._join()
                else:
                    yield from self._outermost(durable)
        except DiskFull:
            self._gave_room = not self._depth and self.spare.give()
            raise
        if not self._depth:
            self._run_after()

    def again(self, write: Callable[[], T]) -> T:
        """Returns the result of `write`, which makes a transaction. ▲ If the disk is full, gives up what can be fetched
        again (`spare`) and calls `write` once more: an edit is refused only if that gives no room. Within a transaction
        `write` is called once, since all of that transaction would have to be repeated. DiskFull, and the errors of
        `write`. ▲ An error of a callback after the commit repeats nothing."""
        before, self._gave_room = self._commits, False
        try:
            return write()
        except DiskFull:
            if self._depth or self._commits != before or not self._gave_room:
                raise
        return write()

    async def apart(self, write: Callable[[], object], *, durable: bool = True, is_short: bool = False) -> None:
        """Commits one transaction apart from the event loop. Calls `write`, which is synchronous, within it, then
        commits it, and then runs the callbacks that `write` gave to `after_commit`. If `durable`, flushes the
        write-ahead log to the disk (fsync) before this returns; not `durable` is for what is received again after a
        power cut (decision 0017).

        The commit and the flush each run in a thread: together 2 to 15 ms for a slice of the server's. With `is_short`,
        the commit and the callbacks run on the loop, before the flush begins: that is quicker than waking a thread if
        few small rows are written. Other reads and writes on the loop's connection wait for the commit and the
        callbacks, not for the flush. A caller that is cancelled while it waits gets CancelledError at once; the
        transaction is committed and flushed all the same.

        If `write` or the commit fails, nothing is stored and no callback runs. An error of a callback is raised at the
        end. If the flush fails, this raises DiskFull or StoreUnwritable after the callbacks: everything is stored, and
        a power cut may lose it.
        """
        self._check_thread()
        if self._depth:
            raise BugError("a transaction of its own cannot join another")
        with faults():
            self._begin(durable=False)
            try:
                write()
                self._check_sound()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth, self._doomed = 0, False
                self._before.clear()
            acts, self._after = self._after, []
            failed: list[Exception] = []
            is_short = is_short and not self.conn.long_commit
            commit = self._committed_here() if is_short else self._committer.submit(self._commit_apart)
            self._committing = commit, acts, failed
            try:
                if is_short:
                    self._settle()
            finally:  # ▲ also if a callback ends with more than an Exception, as pycrdt's errors are
                flush = self._flush() if durable else None
            if not commit.done():
                await asyncio.wait([asyncio.wrap_future(commit)])
            if self._committing is not None and self._committing[0] is commit:
                self._settle()
            if (error := commit.result()) is not None:
                raise error
        if flush is not None:
            await asyncio.wait([flush])  # waiting does not cancel the flush
            if (fault := flush.result()) is not None:
                raise fault
        if failed:
            raise failed[0]

    def _flush(self) -> "asyncio.Future[StoreFault | None]":
        """Has the committer's thread flush the log after the commit. Returns its result: the fault, or None. ▲ If it
        fails, the checkpointer copies the pages, also if the caller was cancelled and reads no result."""

        def hurry(done: "asyncio.Future[StoreFault | None]") -> None:
            if not done.cancelled() and done.result() is not None:
                self._checkpointer.hurry()

        flush = asyncio.wrap_future(self._committer.submit(flush_log, self._file))
        flush.add_done_callback(hurry)
        return flush

    def _settle(self) -> None:
        """If a commit is running in another thread, waits for it and then runs its callbacks. Errors of the commit or
        the callbacks are stored for the caller that began the commit, and are not raised here: a caller that had to
        wait, such as a keystroke, has no part in them."""
        if self._committing is None:
            return
        (commit, acts, failed), self._committing = self._committing, None
        if commit.result() is None:
            self._wake_checkpointer()
            failed.extend(errors_of(acts))

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is on the thread that opened this."""
        return threading.get_ident() == self._thread

    def _check_thread(self) -> None:
        if not self.is_own_thread:
            raise BugError("the store belongs to the loop's thread")

    def _join(self) -> Iterator[Connection]:
        self._depth += 1
        try:
            yield self.conn
        except BaseException:
            self._doomed = True
            raise
        finally:
            self._depth -= 1

    def _outermost(self, durable: bool) -> Iterator[Connection]:
        self._begin(durable)
        try:
            yield self.conn
            while durable and self._before:
                act, items = self._before.popitem()
                act(items)
            self._check_sound()
            self._commit()
            self._commits += 1
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._depth, self._doomed = 0, False
            self._before.clear()
        self._wake_checkpointer()

    def _begin(self, durable: bool) -> None:
        self._settle()
        self.spare.watch()
        if durable != self._durable:
            self.conn.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self.conn.execute("BEGIN IMMEDIATE")
        self.conn.long_commit = False
        self._depth = 1

    def _check_sound(self) -> None:
        if self._doomed:
            raise BugError("an inner transaction failed and the error was swallowed")

    def _commit(self) -> None:
        """Commits the open transaction, on the calling thread. If that fails, rolls back and raises the error."""
        try:
            self.conn.execute("COMMIT")
        except BaseException:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            raise

    def _committed_here(self) -> "Future[Exception | None]":
        """As `_commit_apart`, but commits on the loop's thread; returns a finished future with its result."""
        commit: Future[Exception | None] = Future()
        commit.set_result(self._commit_apart())
        return commit

    def _commit_apart(self) -> Exception | None:
        """Commits, and returns the error instead of raising it; None if it succeeded. Called in a thread."""
        try:
            self._commit()
        except Exception as e:
            return e
        return None

    def _wake_checkpointer(self) -> None:
        before, self._changed_rows = self._changed_rows, self.conn.total_changes
        self._checkpointer.wrote(self._changed_rows - before)

    def _roll_back(self) -> None:
        self._after.clear()
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")

    def before_commit(self, act: Callable[[list[T]], object], item: T) -> None:
        """Has `act` called within the running transaction, right before its commit: once, with the items of all calls
        for the same `act`, in order. What `act` writes is committed with the rest; its error rolls back all of it. Not
        called in a transaction that is not durable, or that `apart` commits in a thread. BugError if none is open."""
        if not self._depth:
            raise BugError("no transaction is open")
        self._before.setdefault(act, []).append(item)

    def after_commit(self, act: Callable[[], None], *, first: bool = False) -> None:
        """Has `act` called, without arguments, on the loop's thread once the running transaction is committed; at once
        if no transaction is open, never if it is rolled back. `first`: before the callbacks that were given until now.
        Its first error is raised to the code that made the transaction, after the other callbacks; what was committed
        stays."""
        if not self._depth:
            act()
        elif first:
            self._after.insert(0, act)
        else:
            self._after.append(act)

    def _run_after(self) -> None:
        acts, self._after = self._after, []
        errors = errors_of(acts)
        for error in errors[1:]:
            log.store.exception("after-commit", error)
        if errors:
            raise errors[0]

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on the loop's connection."""
        return self._depth > 0

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """All rows of the query `sql` on the loop's connection; [] if none. `params`: the values for its `?`.
        StoreFault if the disk or the file is at fault."""
        self._settle()
        try:  # not `with faults()`: a message asks some ten times, and the context manager costs 5 µs each time
            result: list[Row] = self.conn.execute(sql, params).fetchall()
        except driver.Error as e:
            raise_fault(e)
            raise
        return result

    def one(self, sql: str, params: Params = ()) -> Row | None:
        """The first row of the query `sql`, or None. `params`: the values for its `?`. StoreFault if the disk or the
        file is at fault."""
        self._settle()
        try:
            result: Row | None = self.conn.execute(sql, params).fetchone()
        except driver.Error as e:
            raise_fault(e)
            raise
        return result

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row of the query `sql`, or None if there is no row. `params`: the values for
        its `?`. StoreFault if the disk or the file is at fault."""
        row = self.one(sql, params)
        return row[0] if row else None

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """Lends a read-only connection to the caller for the time of the context, for any thread: search rebuilds,
        exports, long lists. Waits while 7 are lent, and raises BugError after 30 s of that. StoreClosed after
        `close`."""
        with faults(), self._readers.lend() as reader:
            yield reader

    def check(self) -> list[str]:
        """Checks the whole file and returns what is wrong with it, [] if nothing: first the authentication code of each
        encrypted page, then SQLite's structure. A file too damaged to be checked gives StoreCorrupt's code. Any thread.
        100 MB take about a second."""
        try:
            with self.reader() as reader:
                problems = [str(row[0]) for row in reader.execute("PRAGMA cipher_integrity_check")]
                rows = reader.execute("PRAGMA integrity_check(20)")
                return problems + [str(row[0]) for row in rows if row[0] != "ok"]
        except StoreCorrupt as e:
            return [e.code]

    def rekey(self, key: bytes) -> None:
        """Encrypts the whole database under `key`, a new raw key of 32 bytes. After a crash in the middle the old key
        opens it, as it does after DiskFull and StoreUnwritable, which leave this object closed. Needs as much free disk
        space as the file has. BugError within a transaction, or for a key that has not 32 bytes. If the file cannot be
        opened again afterwards, this object is closed too, and the new key opens it."""
        if len(key) != KEY_BYTES or self._depth:
            raise BugError("rekey needs a 32-byte key and no open transaction")
        self._settle()
        self._checkpointer.stop()
        self._readers.close()
        self.conn.close()
        with faults():
            connection = self._connect()
            try:
                # rekey in WAL would leave frames under both keys; a rollback journal keeps the old pages as they are
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode=DELETE")
                self._reseal(connection, key)
            finally:
                connection.close()
            self._key = key
            with suppress(StoreFault), faults():  # the key is changed: an error would say that it is not
                self._open_main()

    def _reseal(self, connection: Connection, key: bytes) -> None:
        """Encrypts the file under the new `key`. SQLCipher has one error for every failure of this, without a reason:
        so this raises DiskFull if the free space is less than the file's size, and StoreUnwritable otherwise."""
        needed, free = self.path.stat().st_size, shutil.disk_usage(self.path.parent).free
        try:
            connection.execute(f"PRAGMA rekey=\"x'{key.hex()}'\"")
        except driver.Error as e:
            if fault_of(e) is not None:
                raise
            fault = DiskFull() if free < needed else StoreUnwritable()
            log.store.error("fault", code=fault.code)
            raise fault from e
