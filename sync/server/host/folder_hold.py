# SPDX-License-Identifier: EUPL-1.2
"""Locks a folder so that one process at a time works in it. The operating system releases the lock when the process
ends, in whatever way: no file is left in the folder, and no stale lock. Does nothing on Windows, where no server runs.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sync.server.config import ConfigError

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def held(folder: Path, why: str) -> Iterator[None]:
    """Locks `folder` until the block ends, so that one process at a time works in it. ConfigError with the sentence
    `why` if another process has the lock; OSError if the folder cannot be opened."""
    if sys.platform == "win32":
        yield
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise ConfigError(f"{folder}: {why}") from e
        except OSError:
            pass  # a file system without locks, as some on a network: then nobody is kept out
        yield
    finally:
        os.close(fd)
