# SPDX-License-Identifier: EUPL-1.2
"""The folder whose files lie in memory, where a commit does not wait for a disk. What is in it is lost with the power,
and no test cuts that."""

import os
import sys
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - callers make folders of their own there, as in /tmp


def memory_folder(free_bytes: int) -> Path | None:
    """The folder, if `free_bytes` are free there and programs can be run from it; else None. Linux alone has it."""
    if sys.platform != "linux" or not _MEMORY.is_dir():
        return None
    found = os.statvfs(_MEMORY)
    fits = found.f_bavail * found.f_frsize >= free_bytes and not found.f_flag & os.ST_NOEXEC
    return _MEMORY if fits else None
