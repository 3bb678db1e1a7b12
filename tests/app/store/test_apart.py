# SPDX-License-Identifier: EUPL-1.2
"""Transactions whose commit runs in a thread: the order of everything is as if it had run on the loop."""

import asyncio
import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as driver

from app.errors import BugError, DiskFull, StoreFault, StoreUnwritable
from app.store import checkpoint, database, flushing
from app.store.database import Database
from tests.patience import PATIENCE_S
from tests.world import until


class Gate:
    """The driver's connection, whose COMMIT waits until the gate is opened, and then may fail."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.shut = threading.Event()
        self.open = threading.Event()
        self.fails: Exception | None = None

    def execute(self, sql: str, *params: object) -> Any:
        if sql == "COMMIT" and threading.current_thread() is not threading.main_thread():
            self.shut.set()
            assert self.open.wait(PATIENCE_S)
            if self.fails is not None:
                raise self.fails
        return self._real.execute(sql, *params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = Database.create(tmp_path / "a.db", bytes(32))
    with db.transaction():
        db.conn.execute("CREATE TABLE notes (n INTEGER PRIMARY KEY)")
    yield db
    db.close()


@pytest.fixture
def gate(db: Database, monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(db.conn)
    monkeypatch.setattr(db, "conn", gate)
    return gate


def write(db: Database, n: int) -> None:
    with db.transaction():
        db.conn.execute("INSERT INTO notes VALUES (?)", (n,))


def notes(db: Database) -> list[int]:
    return [n for (n,) in db.rows("SELECT n FROM notes ORDER BY n")]


async def begun(db: Database, gate: Gate, n: int) -> "asyncio.Task[None]":
    """A transaction whose commit waits at the gate."""
    task = asyncio.ensure_future(db.apart(lambda: write(db, n)))
    assert await asyncio.to_thread(gate.shut.wait, 10)
    return task


async def test_the_loop_goes_on_while_a_commit_waits_for_the_disk(db: Database, gate: Gate) -> None:
    task = await begun(db, gate, 1)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    gate.open.set()
    await task
    assert notes(db) == [1]


async def test_who_reads_or_writes_meanwhile_waits_for_the_commit(db: Database, gate: Gate) -> None:
    order: list[str] = []

    def first() -> None:
        write(db, 1)
        db.after_commit(lambda: order.append("first"))

    task = asyncio.ensure_future(db.apart(first))
    assert await asyncio.to_thread(gate.shut.wait, 10)
    threading.Timer(0.05, gate.open.set).start()
    with db.transaction():
        assert order == ["first"]
        db.conn.execute("INSERT INTO notes VALUES (2)")
        db.after_commit(lambda: order.append("second"))
    assert notes(db) == [1, 2]
    await task
    assert order == ["first", "second"]


async def test_a_commit_that_fails_is_rolled_back_and_raised_only_to_its_caller(db: Database, gate: Gate) -> None:
    emitted: list[int] = []
    full = driver.OperationalError("database or disk is full")
    full.sqlite_errorcode = 13
    gate.fails = full

    def lost() -> None:
        write(db, 1)
        db.after_commit(lambda: emitted.append(1))

    task = asyncio.ensure_future(db.apart(lost))
    assert await asyncio.to_thread(gate.shut.wait, 10)
    gate.open.set()
    write(db, 2)
    with pytest.raises(DiskFull):
        await task
    assert notes(db) == [2]
    assert emitted == []


async def test_what_fails_after_a_commit_is_raised_to_its_caller_and_stops_no_keystroke(
    db: Database, gate: Gate
) -> None:
    """A keystroke that comes while a slice is committed must not be lost because somebody could not show the slice."""
    emitted: list[int] = []

    def fails() -> None:
        raise KeyError

    def slice_() -> None:
        db.conn.execute("INSERT INTO notes VALUES (1)")
        db.after_commit(fails)
        db.after_commit(lambda: emitted.append(1))

    task = asyncio.ensure_future(db.apart(slice_))
    await asyncio.to_thread(gate.shut.wait, 10)
    gate.open.set()
    write(db, 2)
    assert notes(db) == [1, 2]
    assert emitted == [1]
    with pytest.raises(KeyError):
        await task


async def test_a_cancelled_wait_does_not_undo_the_commit(db: Database, gate: Gate) -> None:
    task = await begun(db, gate, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open.set()
    assert notes(db) == [1]
    await db.apart(lambda: write(db, 2))
    assert notes(db) == [1, 2]


async def test_a_write_that_fails_leaves_nothing(db: Database) -> None:
    def half() -> None:
        write(db, 1)
        raise MemoryError

    with pytest.raises(MemoryError):
        await db.apart(half)
    assert notes(db) == []
    with db.transaction(), pytest.raises(BugError):
        await db.apart(lambda: None)


async def test_closing_waits_for_the_commit(db: Database, gate: Gate) -> None:
    task = await begun(db, gate, 1)
    threading.Timer(0.05, gate.open.set).start()
    db.close()
    await task
    again = Database.open(db.path, bytes(32))
    assert notes(again) == [1]
    again.close()


class Disk:
    """The disk that `Database.apart` flushes to. It answers when it is let, and then may refuse."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        self.refuses: StoreFault | None = None
        self._flush = flushing.flush_log
        monkeypatch.setattr(database, "flush_log", self._on_flush)

    def _on_flush(self, path: Path) -> StoreFault | None:
        self.asked.set()
        assert self.let.wait(PATIENCE_S)
        return self.refuses or self._flush(path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize("is_short", [True, False])
async def test_what_came_is_emitted_before_it_is_flushed_and_flushed_when_apart_returns(
    db: Database, disk: Disk, is_short: bool
) -> None:
    emitted: list[int] = []

    def slice_() -> None:
        write(db, 1)
        db.after_commit(lambda: emitted.append(1))

    task = asyncio.ensure_future(db.apart(slice_, is_short=is_short))
    assert await asyncio.to_thread(disk.asked.wait, 10)
    assert (emitted, notes(db)) == ([1], [1])
    write(db, 2)  # a key that is pressed meanwhile waits for nothing
    assert not task.done()
    disk.let.set()
    await task
    assert notes(db) == [1, 2]


async def test_a_cancelled_wait_does_not_keep_the_flush_from_coming(db: Database, disk: Disk) -> None:
    """It waits behind another flush when the wait is cancelled."""
    first = asyncio.ensure_future(db.apart(lambda: write(db, 1), is_short=True))
    assert await asyncio.to_thread(disk.asked.wait, 10)
    second = asyncio.ensure_future(db.apart(lambda: write(db, 2), is_short=True))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    disk.asked.clear()
    disk.let.set()
    await first
    assert await asyncio.to_thread(disk.asked.wait, 10)
    assert notes(db) == [1, 2]


async def test_a_flush_that_fails_after_its_caller_was_cancelled_has_the_log_copied_too(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    disk.refuses = DiskFull()
    db = Database.create(tmp_path / "b.db", bytes(32))
    before = db.path.read_bytes()
    task = asyncio.ensure_future(db.apart(lambda: db.conn.execute("CREATE TABLE notes (n INTEGER)"), is_short=True))
    assert await asyncio.to_thread(disk.asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    disk.let.set()
    await until(lambda: db.path.read_bytes() != before)
    db.close()


async def test_a_callback_that_fails_keeps_no_other_from_running_on_the_loop_either(db: Database) -> None:
    ran: list[int] = []

    def fails() -> None:
        raise KeyError

    def both() -> None:
        for act in (lambda: ran.append(1), fails, lambda: ran.append(2)):
            db.after_commit(act)

    with pytest.raises(KeyError), db.transaction():
        both()
    assert ran == [1, 2]
    with pytest.raises(KeyError):
        await db.apart(both)
    assert ran == [1, 2, 1, 2]


async def test_a_commit_is_flushed_though_a_callback_ends_with_more_than_an_exception(db: Database, disk: Disk) -> None:
    """As native code does that merges a document: nothing else would put the commit on the disk."""

    class PanicError(BaseException):
        pass

    def panics() -> None:
        raise PanicError

    def slice_() -> None:
        write(db, 1)
        db.after_commit(panics)

    disk.let.set()
    with pytest.raises(PanicError):
        await db.apart(slice_, is_short=True)
    assert await asyncio.to_thread(disk.asked.wait, PATIENCE_S)
    assert notes(db) == [1]


async def test_what_may_be_lost_is_not_flushed(db: Database, disk: Disk) -> None:
    await db.apart(lambda: write(db, 1), durable=False)
    assert not disk.asked.is_set()
    assert notes(db) == [1]


async def test_a_flush_that_fails_is_raised_and_what_came_stays(db: Database, disk: Disk) -> None:
    disk.let.set()
    disk.refuses = DiskFull()
    with pytest.raises(DiskFull):
        await db.apart(lambda: write(db, 1), is_short=True)
    assert notes(db) == [1]
    disk.refuses = None
    await db.apart(lambda: write(db, 2), is_short=True)
    assert notes(db) == [1, 2]


async def test_what_could_not_be_flushed_goes_into_the_database_file(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    disk.let.set()
    disk.refuses = DiskFull()
    db = Database.create(tmp_path / "b.db", bytes(32))
    before = db.path.read_bytes()
    with pytest.raises(DiskFull):
        await db.apart(lambda: db.conn.execute("CREATE TABLE notes (n INTEGER PRIMARY KEY)"), is_short=True)
    await until(lambda: db.path.read_bytes() != before)
    db.close()


async def test_a_short_transaction_is_committed_on_the_loops_thread(db: Database, gate: Gate) -> None:
    await db.apart(lambda: write(db, 1), is_short=True)
    assert not gate.shut.is_set()
    assert notes(db) == [1]


async def test_the_log_of_a_database_behind_a_link_is_flushed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    Database.create(tmp_path / "there" / "a.db", bytes(32)).close()
    (tmp_path / "a.db").symlink_to(tmp_path / "there" / "a.db")
    db = Database.open(tmp_path / "a.db", bytes(32))
    await db.apart(lambda: db.conn.execute("CREATE TABLE notes (n INTEGER PRIMARY KEY)"))
    assert notes(db) == []
    db.close()


def test_a_log_that_cannot_be_flushed_is_a_fault_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(flushing.flush_log(tmp_path / "none.db"), StoreUnwritable)
    (tmp_path / "a.db-wal").write_bytes(b"")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    assert flushing.flush_log(tmp_path / "a.db") is None
    monkeypatch.setattr(flushing, "_flush_file", full)
    assert isinstance(flushing.flush_log(tmp_path / "a.db"), DiskFull)
