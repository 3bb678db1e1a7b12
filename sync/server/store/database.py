# SPDX-License-Identifier: EUPL-1.2
"""Opens the SQLite file, creates its tables and checks its version."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from sync.server.store import schema as s
from sync.server.store.base import StoreError

LOG_BYTES = 16 * 1024 * 1024
"""The write-ahead log's usual length in bytes. When it is so long, its pages are copied into the database file, and
SQLite then writes the log from its beginning again."""
_FREE_TIMES = 64
"""The log is made longer only if the disk has so many times the new length free. Otherwise zeros would take the space
that changes need."""


class TooNew(StoreError):
    """Raised when the server opens its database and a later version of the server has written it. Nothing is
    changed."""

    code = "update-needed"

    def __init__(self, version: int) -> None:
        super().__init__(f"a newer server wrote this folder (version {version} of the store): install that one")


class TooOld(StoreError):
    """Raised when the server opens its database and a version before the first release has written it: its formats are
    not read any more."""

    code = "too-old"

    def __init__(self, version: int) -> None:
        super().__init__(
            f"this folder was made before the first release (version {version} of the store): begin with a new one"
        )


def connected(path: Path, max_pages: int | None) -> Engine:
    """Makes an engine for the SQLite file at `path`; `prepare` creates the tables. Its connections write durably. Each
    transaction begins with BEGIN IMMEDIATE (it locks for writing at once), except on a connection that is set to
    AUTOCOMMIT, as for reads. `max_pages`: the file's largest size in pages of 4 KiB, beyond which writes fail as on a
    full disk; None for no limit."""
    # Parameters are hidden: an error's text must not carry names or contents into the log.
    options = {"check_same_thread": False, "timeout": 30}
    address = URL.create("sqlite", database=str(path))  # written as a text, a path's % and ? would be the address's
    engine = create_engine(address, connect_args=options, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions begin too late (not before SELECT, nor before DDL): we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"wal_autocheckpoint={LOG_BYTES // 4096}",
            "journal_size_limit=67108864",
            "temp_store=MEMORY",
            "cache_size=-32768",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count={max_pages}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def lengthen_log(engine: Engine, path: Path, size: int) -> None:
    """Appends zeros to the write-ahead log of the database at `path` until it has `size` bytes, and flushes it. Does
    nothing if the log is as long already, or if less than _FREE_TIMES times `size` is free on the disk. If the disk
    refuses, the log stays as it was, and nothing is raised. `engine` is the database's. Raises the database's own error
    (DBAPIError) if another process does not release the lock for writing within 30 s.

    A commit that only overwrites a part of the log is flushed sooner than one that makes it longer, since the file
    system has nothing to note. SQLite reads a log up to its first invalid frame, so it ignores the zeros. ▲ They are
    appended while `engine` holds the lock for writing. Otherwise they could overwrite what another process commits at
    the same place.
    """
    path = path.resolve()  # SQLite's log is beside the file itself, not beside a link to it
    with engine.begin(), suppress(OSError), Path(f"{path}-wal").open("rb+", buffering=0) as file:
        there = file.seek(0, os.SEEK_END)
        if there < size and shutil.disk_usage(path.parent).free >= _FREE_TIMES * size:
            with suppress(OSError):
                if file.write(bytes(size - there)) == size - there:
                    os.fsync(file.fileno())
                    return
            file.truncate(there)


def prepare(engine: Engine) -> None:
    """Creates the tables if the database is new. TooNew or TooOld if another version of the server wrote it."""
    with engine.begin() as c:
        s.meta.create(c, checkfirst=True)
        found = c.scalar(select(s.meta.c.value).where(s.meta.c.name == "version"))
        if found is None:
            s.metadata.create_all(c)
            c.execute(insert(s.meta).values(name="version", value=str(s.VERSION)))
        elif int(found) > s.VERSION:
            raise TooNew(int(found))
        elif int(found) < s.VERSION:
            raise TooOld(int(found))


def probe(c: Connection) -> None:
    """Checks that the database can be written, for the server's report on its own health. Stores a new value in a row
    for this, since SQLite neither writes nor flushes a page that has not changed. The caller commits the connection
    `c`; only the commit flushes it. The database's own error is raised if the write fails."""
    one = upsert(s.probes)
    c.execute(one.on_conflict_do_update(index_elements=["row"], set_={"count": s.probes.c.count + 1}), _FIRST_PROBE)


_FIRST_PROBE = {"row": 1, "count": 1}
