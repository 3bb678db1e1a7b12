# SPDX-License-Identifier: EUPL-1.2
"""Marks a build that is running, so that others can wait for its end: the next build, and tests of the MSI and the
checksums, which a build makes last."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from places import WORK

_LOCK = "building.lock"


@contextmanager
def going_on() -> Iterator[None]:
    """Marks the build as running until the block ends. One build at a time runs in a checkout: waits while another one
    does."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # closing the file is not enough: the build's processes have it open too


def wait() -> None:
    """Waits until no build is running. A build that failed has ended too."""
    with going_on():
        pass
