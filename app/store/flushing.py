# SPDX-License-Identifier: EUPL-1.2
"""Flushes the write-ahead log of a database.

With `synchronous=NORMAL` SQLite writes a transaction to the log and does not flush it. The transaction then survives
the end of this process, since the operating system has it in memory. It survives a power cut once the log is flushed.
"""

import os
from pathlib import Path

from app.core import log
from app.errors import StoreFault, disk_fault

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
