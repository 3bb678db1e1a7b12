# SPDX-License-Identifier: EUPL-1.2
"""When the write-ahead log goes into the database file."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2 as driver

from app.store import checkpoint
from app.store.checkpoint import MANY_BYTES, MANY_ROWS, Checkpointer
from app.store.database import Database
from app.store.flushing import log_bytes
from tests.world import until


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
    checkpointer = Checkpointer(log, lambda: 0)
    checkpointer.wrote(MANY_ROWS - 1)
    checkpointer.wrote(1)
    assert log.done.wait(60)
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
    checkpointer = Checkpointer(log, lambda: 0)
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()


def test_a_checkpoint_that_fails_is_not_the_last_one(log: Log) -> None:
    """The disk was full, and has room again."""
    log.fails = True
    checkpointer = Checkpointer(log, lambda: 0)
    checkpointer.hurry()
    assert log.failed.wait(60)
    checkpointer.hurry()
    assert log.done.wait(60)
    checkpointer.stop()


def test_few_rows_keep_nobody_from_stopping(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    checkpointer = Checkpointer(log, lambda: 0)
    checkpointer.wrote(1)
    checkpointer.stop()
    assert not log.done.is_set()
