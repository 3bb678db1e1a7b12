# SPDX-License-Identifier: EUPL-1.2
"""Which user owns a folder, on a computer that several people use."""

import os
import stat
import sys
from pathlib import Path


def is_anothers(folder: Path) -> bool:
    """Whether another user could control the folder: neither this user nor root made it (or the link in its place), or
    everybody may exchange its contents. Always False on Windows, where a folder inside a user's own belongs to that
    user by inheritance. OSError if it does not exist."""
    if sys.platform == "win32":
        return False
    found = folder.stat()
    ours = {found.st_uid, folder.lstat().st_uid} <= {0, os.geteuid()}
    return not ours or (bool(found.st_mode & stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX)


def would_be_roots(folder: Path) -> bool:
    """Whether this process runs as root, and the folder, or the nearest one above it that exists, belongs to another
    user, who could never write in what root creates there. Always False on Windows."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return False
    return next(above for above in (folder, *folder.absolute().parents) if above.exists()).stat().st_uid != 0
