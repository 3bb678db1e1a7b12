# SPDX-License-Identifier: EUPL-1.2
"""When the write-ahead log goes into the database file."""

import threading
from typing import Any

import pytest

from app.store import checkpoint
from app.store.checkpoint import MANY_ROWS, Checkpointer


class Log:
    """A connection that notes its checkpoint."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def __call__(self) -> "Log":
        return self

    def execute(self, sql: str) -> "Log":
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
    checkpointer = Checkpointer(log)
    checkpointer.wrote(MANY_ROWS - 1)
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()


def test_few_rows_wait_until_the_rest_is_over(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 0.0)
    checkpointer = Checkpointer(log)
    checkpointer.wrote(1)
    assert log.done.wait(60)
    checkpointer.stop()


def test_few_rows_keep_nobody_from_stopping(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "REST_S", 600.0)
    checkpointer = Checkpointer(log)
    checkpointer.wrote(1)
    checkpointer.stop()
    assert not log.done.is_set()
