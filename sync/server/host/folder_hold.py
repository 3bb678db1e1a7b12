# SPDX-License-Identifier: EUPL-1.2
"""A folder that one process at a time works in. The operating system drops the hold with the process, however it ends:
nothing is left in the folder, and nothing stale. Not on Windows, where no server is run.
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
    """Until the block ends. ConfigError with `why` if another has it; OSError if it cannot be opened."""
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
            pass  # a file system that knows no locks, as some on a network: then nobody is kept apart
        yield
    finally:
        os.close(fd)
