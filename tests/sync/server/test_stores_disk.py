# SPDX-License-Identifier: EUPL-1.2
"""The store on disk: what it survives, and which databases it refuses or leaves alone."""

import asyncio
import contextlib
import resource
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from sync.errors import BugError
from sync.server.store.base import (
    Full,
    ItemRow,
    MemberChange,
    Moved,
    Placement,
    Store,
    StoreError,
    Taken,
    Unreadable,
    Unwritable,
)
from sync.server.store.database import LOG_BYTES, TooNew, TooOld, connected, lengthen_log
from sync.server.store.sql import SqlStore
from tests.sync.server.store_rows import ANNA, ROOM, SENT, invite, item, placement, store
from tests.world import until

__all__ = ["store"]  # a fixture


def log_bytes(database: Path) -> int:
    """The length of its write-ahead log."""
    return Path(f"{database}-wal").stat().st_size


async def test_a_database_of_before_the_first_release_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("UPDATE meta SET value = '7'")
    with pytest.raises(TooOld, match="before the first release"):
        await SqlStore(path).open()


async def test_what_was_answered_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    first = SqlStore(path)
    await first.open()
    await first.place(placement(0, 3, state=b"state", members=[MemberChange(uid=ANNA, until_n=None)]))
    await first.close()
    second = SqlStore(path)
    await second.open()
    row = await second.room(ROOM)
    assert row is not None
    assert (row.n, row.state) == (3, b"state")
    assert await second.items(ROOM, 0, 3, 1 << 20) == [item(1), item(2), item(3)]
    await second.close()


async def test_the_log_is_long_from_the_start_and_nothing_is_lost_in_it(tmp_path: Path) -> None:
    """A commit that makes it longer is flushed later than one that overwrites it."""
    path = tmp_path / "s.sqlite3"
    first = SqlStore(path, log_bytes=LOG_BYTES)
    await first.open()
    assert (length := log_bytes(path)) >= LOG_BYTES
    await first.place(placement(0, 3, state=b"state", members=[MemberChange(uid=ANNA, until_n=None)]))
    assert log_bytes(path) == length
    crashed = tmp_path / "crashed.sqlite3"
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", f"{crashed}{ending}")
    await first.close()
    for kept in (path, crashed):
        store = SqlStore(kept)
        await store.open()
        assert await store.items(ROOM, 0, 3, 1 << 20) == [item(1), item(2), item(3)]
        await store.close()


async def test_the_log_of_a_database_behind_a_link_is_long_too(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir()
    there = tmp_path / "large disk" / "s.sqlite3"
    (tmp_path / "s.sqlite3").symlink_to(there)
    store = SqlStore(tmp_path / "s.sqlite3", log_bytes=LOG_BYTES)
    await store.open()
    assert log_bytes(there) >= LOG_BYTES
    await store.close()


@pytest.mark.parametrize("free", [0, 64 * LOG_BYTES - 1])
async def test_the_log_takes_no_room_on_a_disk_that_has_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    store = SqlStore(tmp_path / "s.sqlite3", log_bytes=LOG_BYTES)
    await store.open()
    assert log_bytes(tmp_path / "s.sqlite3") < LOG_BYTES / 2
    await store.close()


async def test_the_log_is_not_made_longer_while_another_process_writes_it(tmp_path: Path) -> None:
    """The zeros could overwrite what it commits."""
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    await store.close()
    engine = connected(path, None)
    with engine.connect() as c:
        c.exec_driver_sql("PRAGMA busy_timeout=0")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            lengthen_log(engine, path, LOG_BYTES)
        assert log_bytes(path) == 0
    lengthen_log(engine, path, LOG_BYTES)
    assert log_bytes(path) == LOG_BYTES
    engine.dispose()


async def test_zeros_that_the_disk_refuses_leave_the_log_as_it_was(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES // 2, hard))
    store = SqlStore(tmp_path / "s.sqlite3", log_bytes=LOG_BYTES)
    try:
        await store.open()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log_bytes(tmp_path / "s.sqlite3") < LOG_BYTES / 2
    await store.place(placement(0))
    await store.close()


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("UPDATE meta SET value = '99'")
    c.close()
    before = path.read_bytes()
    with pytest.raises(TooNew):
        await SqlStore(path).open()
    assert path.read_bytes() == before


async def test_a_full_disk_acknowledges_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3", max_pages=120)
    await store.open()
    await store.place(placement(0))
    big = ItemRow(n=2, t=1, kind=2, id=b"2" * 32, rh=b"h" * 32, body=b"b", sig=b"s", ct=bytes(1 << 20))
    full = Placement(room=ROOM, expected_n=1, items=[big], size_bytes=1, by=(SENT,), day=1)
    answers = await asyncio.gather(store.place(full), store.place(placement(2)), return_exceptions=True)
    assert isinstance(answers[0], Full)
    assert isinstance(answers[1], StoreError)
    row = await store.room(ROOM)
    assert row is not None
    assert row.n == 1
    await store.place(placement(1))
    assert await store.positions(ROOM, [big.id]) == {}
    await store.close()


async def test_a_write_that_breaks_the_schema_fails_alone(tmp_path: Path) -> None:
    store, begun, hold = SqlStore(tmp_path / "s.sqlite3"), threading.Event(), threading.Event()
    await store.open()
    await store.place(placement(0))
    await store.add_invite(invite())

    def waits(_c: object) -> None:
        begun.set()
        hold.wait(60)

    held = store._write(waits)
    await asyncio.to_thread(begun.wait, 60)
    bad = Placement(room=ROOM, expected_n=1, items=[item(1)], size_bytes=1, by=(SENT,), day=1)
    group = asyncio.gather(
        store.place(bad), store.place(placement(1)), store.add_invite(invite()), return_exceptions=True
    )
    await until(lambda: store.queued == 3)
    hold.set()
    await held
    broken, placed, taken = await group
    assert isinstance(broken, BugError)
    assert placed is None
    assert isinstance(taken, Taken), "its own refusal"
    assert isinstance((await asyncio.gather(store.place(bad), return_exceptions=True))[0], Moved)
    await store.close()


async def test_a_missing_value_is_no_row_that_exists(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    nothing: Any = None
    with pytest.raises(BugError, match="NOT NULL"):
        await store.add_invite(replace(invite(), record=nothing))
    await store.add_invite(invite())
    with pytest.raises(Taken):
        await store.add_invite(invite())
    await store.close()


async def test_a_probe_writes_a_page_each_time(tmp_path: Path) -> None:
    """Otherwise no disk would be tested: SQLite writes no page that has not changed."""
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    written = tmp_path / "s.sqlite3-wal"
    sizes = []
    for _ in range(3):
        await store.probe()
        sizes.append(written.stat().st_size)
    assert sizes == sorted(set(sizes))
    await store.close()


async def test_a_probe_changes_nothing_else(store: Store) -> None:
    before = await store.counts(0)
    await store.probe()
    assert await store.counts(0) == before
    assert store.queued == 0


async def test_a_database_that_somebody_else_writes_to_is_busy_and_not_full(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    await store._write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout=10"))
    with contextlib.closing(sqlite3.connect(tmp_path / "s.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unwritable) as e:
            await store.probe()
        other.execute("ROLLBACK")
    assert (type(e.value), e.value.code) == (Unwritable, "busy")
    await store.probe()
    await store.close()


async def test_a_read_that_the_database_refuses_is_an_error_of_the_store(tmp_path: Path) -> None:
    """Otherwise no caller that goes on without the store would notice, and a client would be told "internal"."""
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    assert await store.sightings(ANNA) == []
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("ALTER TABLE sightings RENAME TO elsewhere")
    with pytest.raises(Unreadable, match="SQLITE_ERROR") as e:
        await store.sightings(ANNA)
    assert e.value.code == "busy"
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("ALTER TABLE elsewhere RENAME TO sightings")
    assert await store.sightings(ANNA) == []
    await store.close()


async def test_a_disk_that_is_full_at_the_first_start_is_called_full(tmp_path: Path) -> None:
    with pytest.raises(Full):
        await SqlStore(tmp_path / "s.sqlite3", max_pages=2).open()


@pytest.mark.parametrize("values", [(), (object(),)])
async def test_a_read_that_is_wrong_in_itself_is_no_fault_of_the_database(
    tmp_path: Path, values: tuple[object, ...]
) -> None:
    """Otherwise a client would try for ever what cannot succeed, and the operator would look at the disk."""
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    with pytest.raises((InterfaceError, ProgrammingError)):
        await store._read(lambda c: c.exec_driver_sql("SELECT ?", values).all())
    assert await store.sightings(ANNA) == []
    await store.close()


async def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    path.write_bytes(b"something else" * 400)
    with pytest.raises(Unreadable, match="SQLITE_NOTADB"):
        await SqlStore(path).open()
