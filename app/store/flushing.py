# SPDX-License-Identifier: EUPL-1.2
"""Brings what a commit has left in the operating system's memory to the disk.

A transaction of SQLite with `synchronous=NORMAL` is written to the write-ahead log, where it survives this process, but
not a power cut. It survives that once the log is flushed.
"""

import errno
import os
from pathlib import Path

from app.core import log
from app.errors import DiskFull, StoreFault, StoreUnwritable

_flush_file = getattr(os, "fdatasync", os.fsync)  # Windows has no fdatasync


def log_bytes(database: Path) -> int:
    """The length of the database's write-ahead log, 0 if there is none."""
    try:
        return Path(f"{database}-wal").stat().st_size
    except OSError:
        return 0


def flush_log(database: Path) -> StoreFault | None:
    """Flushes the database's write-ahead log. Any thread. Returns what went wrong, or None.

    The log is opened anew each time: SQLite's own handle cannot be reached, and another one of the same file does the
    same. It has no locks that would end when a handle is closed; those lie on the database file.
    """
    try:
        with Path(f"{database}-wal").open("rb+", buffering=0) as file:
            _flush_file(file.fileno())
    except OSError as e:
        fault = DiskFull() if e.errno in (errno.ENOSPC, errno.EDQUOT) else StoreUnwritable()
        log.store.error("fault", code=fault.code)
        return fault
    return None
