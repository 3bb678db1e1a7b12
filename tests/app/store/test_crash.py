# SPDX-License-Identifier: EUPL-1.2
"""kill -9 in the middle of writing: the store opens, and everything that was acknowledged is there, once."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.ids import ObjId
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS, Bench

ROOT = Path(__file__).parents[3]


class Writers:
    """Starts writers one after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.app.store.crash_writer"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write_and_kill(self, path: Path, note: ObjId, first: int, lines: int) -> int:
        """Lets a writer acknowledge some lines and kills it at once; returns the last acknowledged number."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path} {note.hex()} {first}\n")
        self._process.stdin.flush()
        writer, last = int(self._line()), first - 1
        for _ in range(lines):
            last = int(self._line())
        os.kill(writer, signal.SIGKILL)
        while not (line := self._line()).startswith("end "):
            last = int(line)
        assert int(line.split()[1]) == -signal.SIGKILL
        return last

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def kill_many(bench: Bench, times: int) -> None:
    note = bench.note()
    bench.store.close()
    writers, acknowledged = Writers(), 0
    for _ in range(times):
        last = writers.write_and_kill(bench.path, note, acknowledged + 1, random.randint(1, 40))
        store = Store.open(bench.path, KEY, KINDS)
        try:
            acknowledged = assert_nothing_lost(store, note, last)
        finally:
            store.close()
    writers.close()
    store = Store.open(bench.path, KEY, KINDS)
    assert store.db.check() == []
    store.close()


def assert_nothing_lost(store: Store, note: ObjId, last: int) -> int:
    """Every number up to `last` is there once, in both directions; returns the last number that is stored."""
    mine = [int(c.data.split()[1]) for c in store.changes.of(note) if c.own]
    theirs = [c.data for c in store.changes.of(note) if not c.own]
    assert mine == list(range(1, len(mine) + 1))
    assert len(mine) >= last
    received = dict.fromkeys(int(data.split()[1]) for data in theirs)
    # at each kill at most one number was appended and not yet received; it was not acknowledged
    assert set(mine) >= set(received)
    assert last in received
    assert theirs == [f"ditt {i} {k}".encode() for i in received for k in range(5)]
    assert store.waiting_count() == len(mine) == len(store.pending(1_000_000))
    assert store.db.value("SELECT count(*) FROM note_rows") == len(mine) + len(theirs)
    return len(mine)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(bench: Bench) -> None:
    kill_many(bench, 3)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_fifty_times_kill_9(bench: Bench) -> None:
    kill_many(bench, 50)
