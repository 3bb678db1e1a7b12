# SPDX-License-Identifier: EUPL-1.2
"""The working folder: where copies in plain are. It is in memory (tmpfs) where the system has such a folder for the
person, otherwise on an encrypted disk where there is one, otherwise beside the profile.

<place>/kansli-<profile id>/   lock, and a folder for each copy: <32 random hex digits>/<file>
"""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from app.copies.errors import CopyInUse
from app.core.at_rest import MOUNT_TABLE, SYSTEM, AtRest, at_rest
from app.core.owners import is_anothers
from app.core.volumes import is_in_memory
from app.errors import ProfileInUse, disk_fault
from app.profile import give_up_lock, take_lock

LOCK = "lock"


def working_folder(profile: Path, ident: bytes, env: Mapping[str, str] = os.environ, system: Path = SYSTEM) -> Path:
    """The path of a profile's working folder, whether it exists or not. `profile`: the profile's folder; `ident`: the
    profile's id. `env` and `system` (the folder that has /proc and /sys): only tests pass others.

    It is in $XDG_RUNTIME_DIR if that folder is this user's own, closed to others, and in memory: nothing in it is
    written to a disk, unless the system writes memory to an unencrypted swap. Otherwise it is in the profile's folder,
    on the disk that the IT department has chosen for content. If that disk is not encrypted as far as the system says,
    but that of $XDG_RUNTIME_DIR is, it is there. Windows always uses the profile's folder, since it has no folder in
    memory.
    """
    name = f"kansli-{ident.hex()}"
    runtime, beside = Path(env.get("XDG_RUNTIME_DIR", "")), profile / "working"
    if sys.platform == "win32" or not runtime.is_absolute() or not _is_private(runtime):
        return beside / name
    if is_in_memory(runtime, system / MOUNT_TABLE):
        return runtime / name
    is_better = at_rest(runtime, system) is AtRest.ENCRYPTED and at_rest(beside, system) is not AtRest.ENCRYPTED
    return (runtime if is_better else beside) / name


def _is_private(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


class HeldPlace:
    """A working folder that this process has locked. The system drops the lock with the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder, with mode 0700, if there is none, and locks it. ▲ CopyInUse if another process has the
        lock. Otherwise a second run on a copy of the profile would remove what the first has open. ▲ CopyInUse also if
        another user has made the folder, or if it is a link. DiskFull or StoreUnwritable if the disk refuses."""
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.is_symlink() or is_anothers(folder):
                raise CopyInUse
            folder.chmod(0o700)
            self._lock = take_lock(folder / LOCK)
        except ProfileInUse as e:
            raise CopyInUse from e
        except OSError as e:
            raise disk_fault(e) from e

    def names(self) -> list[str]:
        """The names of everything in the folder, except the lock, sorted; [] if the folder cannot be read."""
        try:
            return sorted(name for name in os.listdir(self.folder) if name != LOCK)  # noqa: PTH208 - names only
        except OSError:
            return []

    def close(self) -> None:
        """Releases the lock. The folder itself stays: another run could have its lock already. A second call does
        nothing."""
        give_up_lock(self._lock)
