# SPDX-License-Identifier: EUPL-1.2
"""Translates the database driver's errors: those with a cause outside this program become StoreFaults, and all others
are bugs of this program."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlcipher3.dbapi2 as driver

from app.core import log
from app.errors import DiskFull, StoreClosed, StoreCorrupt, StoreFault, StoreUnwritable

_FULL, _CORRUPT, _NOTADB = 13, 11, 26
_UNWRITABLE = {3, 5, 6, 8, 10, 14, 22, 23}  # PERM BUSY LOCKED READONLY IOERR CANTOPEN NOLFS AUTH
_CLOSED = "closed database"
"""A part of the driver's message for a closed database, for which SQLite has no code."""


def fault_of(error: BaseException) -> StoreFault | None:
    """Translates an error of the database driver into a StoreFault if its cause is outside this program: DiskFull,
    StoreCorrupt, StoreClosed, or StoreUnwritable (also for a locked file). Returns None for any other error of the
    driver, such as a wrong statement, and for an error that is not the driver's."""
    if not isinstance(error, driver.Error):
        return None
    if isinstance(error, driver.ProgrammingError) and _CLOSED in str(error):
        return StoreClosed()
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == _FULL:
        return DiskFull()
    if code in (_CORRUPT, _NOTADB):
        return StoreCorrupt()
    return StoreUnwritable() if code in _UNWRITABLE else None


@contextmanager
def faults() -> Iterator[None]:
    """A context in which driver errors with causes outside this program (a full disk, a damaged file) become
    StoreFaults. Other driver errors pass unchanged."""
    try:
        yield
    except driver.Error as e:
        raise_fault(e)
        raise


def raise_fault(error: driver.Error) -> None:
    """Logs and raises a StoreFault if the driver's error has a cause outside this program (a full disk, a damaged
    file). Otherwise returns, and the caller raises the error itself."""
    fault = fault_of(error)
    if fault is not None:
        log.store.error("fault", code=fault.code)
        raise fault from error


def is_fatal(error: BaseException) -> bool:
    """Whether an error concerns the store or the whole process (out of memory, a full disk, an exit), so that the
    caller must raise it. Any other error concerns only the change that was being processed."""
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StoreFault)):
        return True
    return fault_of(error) is not None
