# SPDX-License-Identifier: EUPL-1.2
"""When the write-ahead log goes into the database file."""

import asyncio
import errno
import resource
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as driver

from app.store import checkpoint, flushing
from app.store.checkpoint import MANY_BYTES, MANY_ROWS, Checkpointer
from app.store.database import Database
from app.store.flushing import STEP_BYTES, lengthen_log, log_bytes
from tests.world import until

NONE = Path("no database has this path")


class Log:
    """A connection that notes its checkpoint."""

    def __init__(self) -> None:
        self.done, self.failed = threading.Event(), threading.Event()
        self.fails = False

    def __call__(self) -> "Log":
        return self

    def execute(self, sql: str) -> "Log":
        if self.fails:
            self.fails = False
            self.failed.set()
            raise driver.OperationalError("database or disk is full")
        return self

    def fetchone(self) -> Any:
        self.done.set()

    def close(self) -> None:
        pass


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(checkpoint, "PAUSE_S", 0.0)
    return Log()


def test_many_rows_wait_for_no_more(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    checkpointer = Checkpointer(log, NONE)
    checkpointer.wrote(MANY_ROWS - 1)
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SETTLED_S", 0.0)


async def test_the_log_is_made_long_before_it_is_needed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: None
) -> None:
    """A commit that makes it longer is flushed later than one that overwrites it."""
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    db = Database.create(tmp_path / "a.db", bytes(32))
    for value in range(3000):
        with db.transaction(durable=False):
            db.conn.execute("CREATE TABLE IF NOT EXISTS a (b)")
            db.conn.execute("INSERT INTO a VALUES (?)", (value,))
        if log_bytes(db.path) == MANY_BYTES:
            break
        await asyncio.sleep(0.001)
    crashed = tmp_path / "crashed.db"
    for ending in ("", "-wal"):
        shutil.copy(f"{db.path}{ending}", f"{crashed}{ending}")
    written = db.rows("SELECT b FROM a")
    db.close()
    for path in (db.path, crashed):
        again = Database.open(path, bytes(32))
        assert again.rows("SELECT b FROM a") == written
        assert again.value("PRAGMA integrity_check") == "ok"
        again.close()
    assert log_bytes(db.path) == 0, "it is gone with the last connection"


@pytest.mark.parametrize("free", [0, 64 * MANY_BYTES - 1])
def test_the_log_takes_no_room_on_a_disk_that_has_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    db = Database.create(tmp_path / "a.db", bytes(32))
    connection = db._connect()
    assert not lengthen_log(db.path, connection, MANY_BYTES)
    assert log_bytes(db.path) < STEP_BYTES
    connection.close()
    db.close()


def test_the_log_is_not_made_longer_while_another_connection_writes_it(tmp_path: Path) -> None:
    """The zeros could overwrite what it commits."""
    db = Database.create(tmp_path / "a.db", bytes(32))
    connection = db._connect()
    connection.execute("PRAGMA busy_timeout=0")
    with db.transaction():
        db.conn.execute("CREATE TABLE a (b)")
        with pytest.raises(driver.OperationalError, match="locked"):
            lengthen_log(db.path, connection, MANY_BYTES)
    before = log_bytes(db.path)
    assert lengthen_log(db.path, connection, MANY_BYTES)
    assert log_bytes(db.path) == before + STEP_BYTES
    connection.close()
    db.close()


def test_zeros_that_the_disk_refuses_leave_the_log_as_it_was(tmp_path: Path) -> None:
    db = Database.create(tmp_path / "a.db", bytes(32))
    with db.transaction():
        db.conn.execute("CREATE TABLE a (b)")
    before = log_bytes(db.path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    connection = db._connect()
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + STEP_BYTES // 2, hard))
    try:
        assert not lengthen_log(db.path, connection, MANY_BYTES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log_bytes(db.path) == before
    connection.close()
    db.close()


def test_attack_a_log_that_cannot_be_flushed_while_it_is_made_longer_gets_a_checkpoint_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: None, log: Log
) -> None:
    """The fault is reported once: the flush of a commit after it succeeds, and the commit is not on the disk."""
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    (tmp_path / "a.db-wal").write_bytes(b"")

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr(flushing, "_flush_file", fail)
    checkpointer = Checkpointer(log, tmp_path / "a.db")
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()
    assert log_bytes(tmp_path / "a.db") == STEP_BYTES, "it is not tried again"


def test_a_checkpoint_that_is_urgent_does_not_wait_until_the_log_is_long(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SETTLED_S", 600.0)
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    checkpointer = Checkpointer(log, NONE)
    checkpointer.wrote(1)
    checkpointer.hurry()
    assert log.done.wait(60)
    checkpointer.wrote(1)
    checkpointer.stop()


async def test_a_row_of_some_mb_waits_for_no_more_and_the_log_is_cut_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a few states would fill the log, until the next commit on the loop has to empty it."""
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    monkeypatch.setattr(checkpoint, "PAUSE_S", 0.0)
    monkeypatch.setattr(checkpoint, "MANY_ROWS", 10**9)
    db = Database.create(tmp_path / "a.db", bytes(32))
    with db.transaction():
        db.conn.execute("CREATE TABLE states (state BLOB)")
        db.conn.execute("INSERT INTO states VALUES (zeroblob(?))", (MANY_BYTES,))
    assert log_bytes(db.path) > MANY_BYTES

    def shrunk() -> bool:
        with db.transaction():
            db.conn.execute("INSERT INTO states VALUES (x'00')")
        return log_bytes(db.path) <= MANY_BYTES

    await until(shrunk)
    db.close()


def test_few_rows_wait_until_the_rest_is_over(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 0.0)
    checkpointer = Checkpointer(log, NONE)
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()


def test_a_checkpoint_that_fails_is_not_the_last_one(log: Log) -> None:
    """The disk was full, and has room again."""
    log.fails = True
    checkpointer = Checkpointer(log, NONE)
    checkpointer.hurry()
    assert log.failed.wait(60)
    checkpointer.hurry()
    assert log.done.wait(60)
    checkpointer.stop()


def test_few_rows_keep_nobody_from_stopping(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    checkpointer = Checkpointer(log, NONE)
    checkpointer.wrote(1)
    checkpointer.stop()
    assert not log.done.is_set()
