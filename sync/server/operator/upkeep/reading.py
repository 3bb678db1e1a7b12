# SPDX-License-Identifier: EUPL-1.2
"""Reads a store's database without changing it, while a server may be running: one snapshot at a time, no
migration."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sync.server.store import schema as s
from sync.server.store.base import StoreError
from sync.server.store.database import TooNew, TooOld

Row = tuple[Any, ...]
_FETCH = 256
MISTYPED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""The errors that judging a row raises if a column has a value of the wrong type."""


class Damaged(StoreError):
    """Raised if a database's file cannot be read by SQLite, or is not the database of a server. `kind`, for the
    message: the name of the class of the error that was found."""

    code = "database"

    def __init__(self, kind: str) -> None:
        super().__init__(f"the database cannot be read: {kind}")


class Locked(StoreError):
    """Another program keeps the database locked. Nothing is wrong with the file."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("another program has locked the database: try again when it has ended")


def _unreadable(e: Exception) -> StoreError:
    """The error that `e`, which was raised while a database was read, becomes: Locked or Damaged."""
    busy = getattr(e, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return Locked() if busy else Damaged(type(e).__name__)


def check_version(path: Path) -> None:
    """Checks that this server can use the database at `path`, and returns nothing if so. TooNew if a later version of
    the server wrote it. TooOld if its version is lower than this server's: only servers before the first release wrote
    such, and their formats are not read any more. Damaged if the file is no server's database or is not there. The file
    is not changed."""
    reading = Reading(path)
    reading.close()
    if reading.version < s.VERSION:
        raise TooOld(reading.version)


class Reading:
    """A database that is opened for reading only, while a server may write to it. A table that the file's version does
    not have counts as empty."""

    def __init__(self, path: Path) -> None:
        """Opens the database at `path` for reading only, also one of an older version. TooNew if a later version of the
        server wrote it, Damaged if it is no server's database or there is no file, Locked if another program has locked
        it."""
        try:
            self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        except sqlite3.Error as e:
            raise Damaged(type(e).__name__) from e
        self._db.text_factory = bytes  # text where a blob should be is judged, not decoded
        try:
            tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            self._tables = {name.decode() for (name,) in tables}
            found = self._db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
            self.version = int(found[0])
        except (sqlite3.Error, TypeError, ValueError) as e:
            self._db.close()
            raise _unreadable(e) from e
        if self.version > s.VERSION:
            self._db.close()
            raise TooNew(self.version)

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within the block, all reads see the database as of one moment, whatever a running server writes."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def structure(self) -> list[str]:
        """The faults that SQLite finds in the file itself, at most twenty, in its words; [] for none. If SQLite cannot
        finish, the name of its error's class as the only one."""
        try:
            rows = self._db.execute("PRAGMA integrity_check(20)").fetchall()
        except sqlite3.Error as e:
            return [type(e).__name__]
        return [text.decode(errors="replace") for (text,) in rows if text != b"ok"]

    def has(self, table: str, column: str) -> bool:
        """Whether a table of this file has a column. Damaged if that cannot be read."""
        return any(row[1] == column.encode() for row in self.rows(table, f"PRAGMA table_info({table})"))

    def rows(self, table: str, query: str, params: tuple[object, ...] = ()) -> Iterator[Row]:
        """Runs `query`, with `params` as the values of its placeholders, and yields the rows that it finds, fetched a
        few at a time. `table`: the table that `query` reads; if the file has no such table, nothing is yielded. Damaged
        or Locked if a page cannot be read, also after some rows."""
        if table not in self._tables:
            return
        try:
            cursor = self._db.execute(query, params)
            while found := cursor.fetchmany(_FETCH):
                yield from found
        except sqlite3.Error as e:
            raise _unreadable(e) from e

    def one(self, table: str, query: str, params: tuple[object, ...] = ()) -> Row | None:
        """The first row of a query, None if there is none."""
        return next(self.rows(table, query, params), None)
