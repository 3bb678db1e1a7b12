# SPDX-License-Identifier: EUPL-1.2
"""A folder with encrypted parts of files under random names: <profile>/received, and <profile>/kept (app/copies).

Every method may run in any thread. This file knows neither the keys nor the index (cached_parts.py).
"""

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.core import log
from app.core.held_folder import HeldFolder
from app.core.ids import new_id
from app.errors import disk_fault


class CacheFiles:
    """The files of one such folder. A file's name is 32 random hex digits, which say nothing about its content. ▲ No
    link is followed, neither one in place of a file nor one in place of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._on_disk = str(folder), str(folder.parent)

    def new_name(self) -> str:
        """A new random name, which no file has."""
        return new_id().hex()

    def write(self, name: str, sealed: bytes) -> None:
        """Writes the encrypted bytes `sealed` into the new file `name` and flushes it. DiskFull, or StoreUnwritable for
        any other error of the disk, such as a link in place of the folder. After an error nothing is left of the file.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with HeldFolder(self.folder) as folder:
                folder.write(name, sealed)
        except OSError as e:
            raise disk_fault(e) from e

    def read(self, name: str, size: int) -> bytes | None:
        """The bytes of the file `name`. None if it does not have exactly `size` bytes, is no ordinary file, or cannot
        be read. Reads at most `size` + 1 bytes, and never waits, for example for a pipe."""
        found = self.read_up_to(name, size)
        return found if found is not None and len(found) == size else None

    def read_up_to(self, name: str, most: int) -> bytes | None:
        """The bytes of the file `name`. None if it has more than `most` bytes, is no ordinary file, or cannot be read.
        Reads at most `most` + 1 bytes, and never waits."""
        with suppress(OSError), HeldFolder(self.folder) as folder:
            if folder.is_file(name):
                found = folder.read(name, most + 1)
                return found if len(found) <= most else None
        return None

    def exists(self, name: str) -> bool:
        """Whether `name` exists and is an ordinary file. Also True if the disk refuses to say."""
        try:
            with HeldFolder(self.folder) as folder:
                return folder.is_file(name)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def names(self) -> list[str]:
        """The names of everything in the folder; [] if the folder does not exist, cannot be listed, or is a link."""
        with suppress(OSError), HeldFolder(self.folder) as folder:
            return folder.names()
        return []

    def remove(self, names: Iterable[str]) -> list[str]:
        """Removes files, links (not what they lead to) and empty folders. Returns the names that no longer exist,
        including those that did not exist before. What the disk refuses to remove stays and is logged, such as a folder
        with something in it, or a file that another program has open on Windows."""
        gone, refused = list[str](), 0
        try:
            with HeldFolder(self.folder) as folder:
                for name in names:
                    try:
                        folder.remove(name)
                    except FileNotFoundError:
                        pass
                    except OSError:
                        refused += 1
                        continue
                    gone.append(name)
        except FileNotFoundError:
            return [*names]
        except OSError:
            log.store.warning("cache-folder-refused")
        if refused:
            log.store.warning("cached-not-removed", count=refused)
        return gone

    def free_bytes(self) -> int | None:
        """How many bytes this user has free on the folder's disk; None if the system does not say."""
        for folder in self._on_disk:
            try:
                return _free_bytes(folder)
            except OSError:
                continue
        return None


def _free_bytes(folder: str) -> int:
    """The bytes that this user has free on the folder's disk; OSError. Called before each transaction: 3 µs by statvfs,
    where shutil with a Path takes 20."""
    if sys.platform == "win32":
        return shutil.disk_usage(folder).free
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
