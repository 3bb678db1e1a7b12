# SPDX-License-Identifier: EUPL-1.2
"""Flushes the write-ahead log of a database, and makes it longer before that is needed.

With `synchronous=NORMAL` SQLite writes a transaction to the log and does not flush it. The transaction then survives
the end of this process, since the operating system has it in memory. It survives a power cut once the log is flushed.
"""

import os
import shutil
from io import RawIOBase
from pathlib import Path

from app.core import log
from app.errors import StoreFault, disk_fault
from app.store.connection import Connection

STEP_BYTES = 1024 * 1024
"""Zeros that are appended to the log at once: 0.3 ms."""
_FREE_TIMES = 64
"""▲ The log is made longer only if the disk has so many times the new length free. Otherwise zeros would take the space
that edits need."""
_flush_file = getattr(os, "fdatasync", os.fsync)  # Windows has no fdatasync


def log_bytes(database: Path) -> int:
    """The length in bytes of the write-ahead log of the database at the path `database`; 0 if there is none, or if its
    length cannot be read."""
    try:
        return Path(f"{database}-wal").stat().st_size
    except OSError:
        return 0


def flush_log(database: Path) -> StoreFault | None:
    """Flushes the write-ahead log of the database at the path `database` to the disk (fsync), after a commit that
    SQLite did not flush. Any thread. Returns None if it succeeded; otherwise DiskFull or StoreUnwritable (also if there
    is no log), for the loop's thread to raise.

    SQLite's own file handle cannot be reached from Python, so this opens the log once more. fsync flushes the file,
    whichever handle is given. On POSIX, closing a handle ends the process's locks on that file; SQLite has none on the
    log, only on the database file and its `-shm`.
    """
    try:
        with Path(f"{database}-wal").open("rb+", buffering=0) as file:
            _flush_file(file.fileno())
    except OSError as e:
        fault = disk_fault(e)
        log.store.error("fault", code=fault.code)
        return fault
    return None


def lengthen_log(database: Path, connection: Connection, size: int) -> bool:
    """Appends at most STEP_BYTES zeros to the write-ahead log of the database at the path `database`, up to a length of
    `size` bytes, and flushes it. Returns True if the log is still shorter than that: the caller then calls again.
    Returns False if the log is long enough, if the disk has less than _FREE_TIMES times `size` free, or if it takes no
    zeros, and the log then stays as it was. Any thread. `connection`: one to the database that is in no transaction and
    that no other thread uses. Raises the driver's errors, for example if another connection writes all the time.

    Raises DiskFull or StoreUnwritable if the zeros were appended and the flush fails. ▲ The caller then begins a
    checkpoint: the same flush was to write commits that were not on the disk yet, and the system reports the failure
    only once.

    Flushing a commit takes less time if it overwrites a part of the log than if it makes the log longer, since the file
    system then has no new length to write. SQLite reads a log up to its first invalid frame, so it ignores the zeros. ▲
    This function takes the lock for writing while it appends them. Otherwise they could overwrite what another
    connection commits at the same place.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        with Path(f"{database}-wal").open("rb+", buffering=0) as file:
            there = file.seek(0, os.SEEK_END)
            if there >= size or shutil.disk_usage(database.parent).free < _FREE_TIMES * size:
                return False
            if not _append(file, there, min(STEP_BYTES, size - there)):
                return False
    except OSError:
        return False
    finally:
        connection.execute("ROLLBACK")
    if (fault := flush_log(database)) is not None:
        raise fault
    return there + STEP_BYTES < size


def _append(file: RawIOBase, there: int, count: int) -> bool:
    """Appends `count` zeros to `file`, which is `there` bytes long. Returns False if the disk refuses some of them; the
    file then stays so long. OSError if it cannot be cut."""
    try:
        if file.write(bytes(count)) == count:
            return True
    except OSError as e:
        log.store.info("log-not-lengthened", code=disk_fault(e).code)
    file.truncate(there)
    return False
