# SPDX-License-Identifier: EUPL-1.2
"""A build that is going on, for those who wait for its end: another build, and tests of what it makes last."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from places import WORK

_LOCK = "building.lock"


@contextmanager
def going_on() -> Iterator[None]:
    """One build at a time in this checkout: waits for the end of the one before."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough: the build's processes have the file open too


def wait() -> None:
    """Returns when no build is going on, at once if none is. A build that fails has ended too."""
    with going_on():
        pass
