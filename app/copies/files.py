# SPDX-License-Identifier: EUPL-1.2
"""Writes and removes the files of a working copy. Everything here blocks: call it in a thread."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.core.foreign import mark_foreign
from app.core.held_folder import HeldFolder
from app.errors import disk_fault

_LOCKS = (".~lock.", "~$")
MOST_FILES = 1_000
"""The most files of a copy's folder that are looked at while it stays."""


def write_copy(folder: Path, name: str, data: bytes) -> Path:
    """Makes `folder`, with mode 0700, and in it the read-only file `name` (mode 0400), marked as foreign. Returns the
    file's path. DiskFull or StoreUnwritable, also if the folder exists; the folder is removed then."""
    try:
        folder.mkdir(mode=0o700)
        with HeldFolder(folder) as held:
            held.write(name, data)
        path = folder / name
        mark_foreign(path)
        path.chmod(stat.S_IRUSR)
    except OSError as e:
        remove_folder(folder)
        raise disk_fault(e) from e
    return path


def files_in(folder: Path, most: int | None = None) -> list[Path]:
    """The ordinary files below `folder`, by name within each folder, without the lock files that programs make beside a
    file that they have open: the first `most`, or all (None). Links are not followed. Raises nothing: what cannot be
    read is left out."""
    return [path for path in _all_in(folder) if not path.name.startswith(_LOCKS)][:most]


def _all_in(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with suppress(OSError):
                if stat.S_ISREG((Path(place) / name).lstat().st_mode):
                    yield Path(place) / name


def remove_folder(folder: Path) -> bool:
    """Removes a folder, or a file in its place, with everything in it; a link is removed, not what it leads to.
    Returns whether it is gone, also if it was not there. Raises nothing."""
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink(missing_ok=True)
        elif folder.exists():
            if sys.platform == "win32":
                for path in _all_in(folder):
                    with suppress(OSError):
                        path.chmod(stat.S_IWRITE)  # a read-only file cannot be removed there
            shutil.rmtree(folder)
    except OSError:
        return False
    return True
