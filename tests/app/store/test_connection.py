# SPDX-License-Identifier: EUPL-1.2
"""The store's connections: short ways to read a row, reading ones for threads, errors that tell no content."""

import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as driver

from app.core import log
from app.core.ids import ObjId
from app.errors import BugError, DiskFull, StoreClosed, StoreFault, StoreUnwritable
from app.store import readers, tables
from app.store.connection import Connection
from app.store.database import Database, faults, is_fatal
from tests.patience import PATIENCE_S

CANARY = "Sekretess: åtgärden avslås 🙂"
MINUTES = (
    "CREATE TABLE minutes_rows (obj BLOB NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (obj, item))",
    "CREATE INDEX minutes_rows_by_item ON minutes_rows (item)",
    "CREATE TABLE minutes_names (obj BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE UNIQUE INDEX minutes_names_by_name ON minutes_names (name)",
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = Database.create(tmp_path / "a.db", bytes(32))
    with db.transaction() as conn:
        tables.make_again(conn, MINUTES)
        conn.executemany("INSERT INTO minutes_rows VALUES (x'01', ?)", [(1,), (2,), (3,)])
    yield db
    db.close()


def connected(db: Database) -> list[Connection]:
    """The reading connections that are opened from now on."""
    opened, connect = list[Connection](), db._readers._connect

    def noted() -> Connection:
        opened.append(connect())
        return opened[-1]

    db._readers._connect = noted
    return opened


def is_open(connection: Connection) -> bool:
    try:
        return bool(connection.value("SELECT 1"))
    except driver.ProgrammingError:
        return False


def test_a_row_or_its_first_column_is_read_in_one_call(db: Database) -> None:
    conn = db.conn
    assert conn.value("SELECT count(*) FROM minutes_rows") == 3
    assert conn.value("SELECT item FROM minutes_rows WHERE item > :least", {"least": 9}) is None
    assert conn.only("SELECT min(item), max(item) FROM minutes_rows") == (1, 3)
    with pytest.raises(BugError):
        conn.only("SELECT item FROM minutes_rows WHERE item > ?", (9,))


def test_the_projections_connection_is_the_one_that_writes(db: Database) -> None:
    with db.transaction() as conn:
        assert conn is db.conn
        assert conn.execute("DELETE FROM minutes_rows WHERE item = 3").rowcount == 1
    assert db.value("SELECT count(*) FROM minutes_rows") == 2


# -- reading connections
def test_a_reader_is_lent_again_and_writes_nothing(db: Database) -> None:
    opened = connected(db)
    for _ in range(3):
        with db.reader() as reader:
            assert reader.value("SELECT count(*) FROM minutes_rows") == 3
    assert len(opened) == 1
    with pytest.raises(StoreUnwritable), db.reader() as reader:
        reader.execute("DELETE FROM minutes_rows")
    assert db.value("SELECT count(*) FROM minutes_rows") == 3


def test_a_reader_sees_what_is_committed_and_nothing_of_a_transaction_that_runs(db: Database) -> None:
    with db.transaction() as conn:
        conn.execute("DELETE FROM minutes_rows")
        with db.reader() as reader:
            assert reader.value("SELECT count(*) FROM minutes_rows") == 3
    with db.reader() as reader:
        assert reader.value("SELECT count(*) FROM minutes_rows") == 0


def test_few_readers_stay_open_while_nobody_uses_them(db: Database) -> None:
    opened = connected(db)
    with db.reader(), db.reader(), db.reader(), db.reader():
        assert len(opened) == 4
    assert [is_open(reader) for reader in opened].count(True) == readers.KEPT


def test_who_asks_for_more_readers_than_there_are_waits_for_one(db: Database) -> None:
    let, inside = threading.Event(), threading.Semaphore(0)

    def read() -> int:
        with db.reader() as reader:
            inside.release()
            assert let.wait(PATIENCE_S)
            return int(reader.value("SELECT count(*) FROM minutes_rows"))

    opened = connected(db)
    with ThreadPoolExecutor(readers.MOST + 1) as threads:
        asked = [threads.submit(read) for _ in range(readers.MOST + 1)]
        for _ in range(readers.MOST):
            assert inside.acquire(timeout=PATIENCE_S)
        assert len(opened) == readers.MOST
        assert not any(one.done() for one in asked)
        let.set()
        assert [one.result(10) for one in asked] == [3] * (readers.MOST + 1)
    assert len(opened) <= readers.MOST


def test_who_holds_readers_and_asks_for_one_more_is_not_left_waiting(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "PATIENCE_S", 0.01)
    lent = [db.reader() for _ in range(readers.MOST)]
    for reader in lent:
        reader.__enter__()
    with pytest.raises(BugError), db.reader():
        pass
    for reader in lent:
        reader.__exit__(None, None, None)
    with db.reader() as again:
        assert is_open(again)


def test_a_store_that_is_closed_lends_nothing_and_closes_what_it_lent(db: Database) -> None:
    opened = connected(db)
    with db.reader() as reader:
        db.close()
        assert reader.value("SELECT count(*) FROM minutes_rows") == 3, "who reads may finish"
    assert not is_open(opened[0])
    with pytest.raises(StoreClosed), db.reader():
        pass
    with pytest.raises(StoreClosed):
        db.rows("SELECT 1")


def test_a_reader_that_was_lent_before_a_rekey_is_not_lent_again(db: Database) -> None:
    with db.reader() as before:
        pass
    db.rekey(bytes(reversed(range(32))))
    assert not is_open(before)
    with db.reader() as after:
        assert after.value("SELECT count(*) FROM minutes_rows") == 3


# -- errors
@pytest.mark.parametrize("sql", ["INSERT INTO minutes_names VALUES (x'01', ?)", "INSERT INTO nowhere VALUES (?)"])
def test_what_a_statement_was_given_is_in_no_error_and_no_log(db: Database, tmp_path: Path, sql: str) -> None:
    log.start(tmp_path / "logs", "debug")
    try:
        db.conn.execute("INSERT INTO minutes_names VALUES (x'02', ?)", (CANARY,))
        with pytest.raises(driver.Error) as e, db.transaction() as conn:
            conn.execute(sql, (CANARY,))
        assert not is_fatal(e.value), "the statement was wrong, not the disk"
        log.store.exception("projection", e.value)
        pages = db.value("PRAGMA page_count")
        db.conn.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(DiskFull) as full, db.transaction() as conn:
            conn.execute("INSERT INTO minutes_names VALUES (?, ?)", (bytes(9_000), f"{CANARY} igen"))
    finally:
        log.stop()
    told = "".join(traceback.format_exception(e.value) + traceback.format_exception(full.value))
    assert "Error" in told
    written = b"".join(file.read_bytes() for file in (tmp_path / "logs").iterdir())
    assert b"disk-full" in written
    assert CANARY not in told + written.decode()


def test_a_fault_of_the_world_is_a_store_fault_with_the_drivers_error_behind_it() -> None:
    error = driver.OperationalError("database is locked")
    error.sqlite_errorcode = 5 | 2 << 8  # BUSY_SNAPSHOT: the lower byte counts
    with pytest.raises(StoreFault) as e, faults():
        raise error
    assert isinstance(e.value, StoreUnwritable)
    assert e.value.__cause__ is error


# -- a kind's tables
def test_a_kinds_tables_are_made_again_empty_and_cleared_by_object(db: Database) -> None:
    with db.transaction() as conn:
        conn.execute("INSERT INTO minutes_rows VALUES (x'02', 1)")
        conn.execute("INSERT INTO minutes_names VALUES (x'02', 'two')")
        tables.clear(conn, MINUTES, ObjId(b"\1"))
        assert conn.execute("SELECT * FROM minutes_rows").fetchall() == [(b"\2", 1)]
        assert conn.value("SELECT name FROM minutes_names") == "two"
        tables.make_again(conn, MINUTES)
        assert conn.value("SELECT count(*) FROM minutes_rows") == 0
    made = db.rows("SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%' ORDER BY rowid")
    assert sorted(sql for (sql,) in made) == sorted(MINUTES)


@pytest.mark.parametrize(
    "ddl",
    [
        ("DROP TABLE changes",),
        ("CREATE TABLE minutes (obj BLOB)", "CREATE INDEX changes_by_t ON changes (t)"),
        ('CREATE TABLE "minutes; rows" (obj BLOB)',),
    ],
)
def test_what_is_no_table_of_a_kind_is_refused_before_anything_is_made(db: Database, ddl: tuple[str, ...]) -> None:
    with pytest.raises(BugError), db.transaction() as conn:
        tables.make_again(conn, ddl)
    assert db.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'minutes%'") == 4
