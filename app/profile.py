# SPDX-License-Identifier: EUPL-1.2
"""The place of an account's files, locked so that only one process has them open.

<data root>/profiles/<name>/   profile.json store.db keys/*.slot blobs/xx/* received/* kept/* logs/ settings.json lock

The data root is the first of these that is given: the machine policy's, the argument, the environment variable
KANSLI_DATA, the installer's default, the platform's place for user data. Policy comes first: it decides where content
may be stored.
"""

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platformdirs import user_data_path

from app import policy
from app.core.files import write_atomic
from app.core.ids import new_id
from app.core.owners import is_anothers, would_be_roots
from app.core.volumes import is_remote
from app.errors import BadProfileName, DataOfAnother, DataOnNetwork, ProfileInUse, StoreCorrupt, StoreUnwritable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9_-])?")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}


def data_root(override: Path | None = None) -> Path:
    """The folder in which all profiles are; it need not exist. The first of these that is given: the machine's policy,
    `override` (the folder named on the command line), the environment variable KANSLI_DATA, the installer's default,
    the system's place for user data."""
    machine = policy.machine()
    fixed = policy.data_root(machine.fixed)
    if fixed is not None:
        return fixed
    named = os.environ.get("KANSLI_DATA")
    if override is not None or named:
        return override or Path(named or "")
    return policy.data_root(machine.defaults) or user_data_path("Kansli", appauthor=False)


def profiles(root: Path | None = None) -> list[str]:
    """The names of the profiles that exist, in order; [] if there is none. `root`: the folder named on the command
    line; policy outweighs it."""
    folder = data_root(root) / "profiles"
    return sorted(p.name for p in folder.iterdir() if (p / "profile.json").exists()) if folder.is_dir() else []


def check_name(name: str) -> str:
    """Returns `name` unchanged. Raises BadProfileName if it cannot be a folder's name on every system: it must be 1 to
    40 ASCII letters, digits or ._-, begin with a letter or digit, not end with a dot, and not be a device of Windows
    (such as con)."""
    if not _NAME.fullmatch(name) or name.split(".")[0].lower() in _RESERVED:
        raise BadProfileName()
    return name


@dataclass(frozen=True, slots=True)
class Profile:
    """The folder with the files of one account, locked for this process until `close`."""

    name: str
    folder: Path
    id: bytes
    """16 random bytes: binds key slots to this profile."""
    _lock: IO[bytes] | None
    """None if another process has the profile, of which this one only reads what is not secret."""

    @classmethod
    def open(cls, name: str = DEFAULT, root: Path | None = None) -> "Profile":
        """Opens the profile with this `name`, or makes it. `root`: the folder named on the command line; policy
        outweighs it. Raises ProfileInUse if another process has it open, BadProfileName, DataOnNetwork if it would be
        on a network drive, DataOfAnother if another user controls the folder, StoreUnwritable also if the file with its
        id cannot be read, StoreCorrupt if that file is damaged."""
        return cls.open_in(data_root(root), name)

    @classmethod
    def open_in(cls, root: Path, name: str = DEFAULT) -> "Profile":
        """Opens the profile `name`, or makes it, in the folder `root` whatever policy requires: for a profile that is
        thrown away. Raises ProfileInUse if another process has it open, BadProfileName, DataOnNetwork, DataOfAnother,
        StoreUnwritable also if the file with its id cannot be read, StoreCorrupt if that file is damaged."""
        folder = root / "profiles" / check_name(name)
        if is_remote(folder):  # SQLite's shared memory and locks do not work there: it would be damaged
            raise DataOnNetwork
        try:
            if would_be_roots(folder):  # `sudo kansli --diagnose …`, where sudo keeps HOME
                raise DataOfAnother
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any(map(is_anothers, (root, folder.parent, folder))):  # a folder's maker could exchange what is in it
                raise DataOfAnother
            _close_to_others(folder)
            lock = take_lock(folder / "lock")
        except OSError as e:
            raise StoreUnwritable() from e
        try:
            return cls(name, folder, _identity(folder / "profile.json"), lock)
        except OSError as e:
            give_up_lock(lock)
            raise StoreUnwritable() from e
        except BaseException:
            give_up_lock(lock)
            raise

    @classmethod
    def look(cls, name: str = DEFAULT, root: Path | None = None) -> tuple[bytes, Path] | None:
        """(id, folder) of a profile without locking it, for one that another process has open; None if they cannot be
        read. `name`: the profile's; `root`: the folder named on the command line. BadProfileName."""
        folder = data_root(root) / "profiles" / check_name(name)
        try:
            return bytes.fromhex(json.loads((folder / "profile.json").read_bytes())["id"]), folder
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def db_path(self) -> Path:
        """The encrypted database."""
        return self.folder / "store.db"

    @property
    def slots_folder(self) -> Path:
        """The key slots' files."""
        return self.folder / "keys"

    @property
    def blobs_folder(self) -> Path:
        """Sealed parts of files."""
        return self.folder / "blobs"

    @property
    def received_folder(self) -> Path:
        """Sealed parts of received files."""
        return self.folder / "received"

    @property
    def kept_folder(self) -> Path:
        """The folder of the encrypted parts of changed copies (app/copies/)."""
        return self.folder / "kept"

    @property
    def logs_folder(self) -> Path:
        """The program's own log."""
        return self.folder / "logs"

    @property
    def settings_path(self) -> Path:
        """Settings of this profile."""
        return self.folder / "settings.json"

    @property
    def enrolling_path(self) -> Path:
        """An empty file: an enrolment has begun here and the server has not confirmed it."""
        return self.folder / "enrolling"

    @property
    def covered_path(self) -> Path:
        """An empty file that is there while the curtain covers the program, and after the program has ended under it
        (app/unlocking.py)."""
        return self.folder / "covered"

    @property
    def is_new(self) -> bool:
        """Whether there is no database yet: the first start."""
        return not self.db_path.exists()

    def close(self) -> None:
        """Gives up the lock, so that other processes can open the profile. A second call does nothing."""
        if self._lock is not None:
            give_up_lock(self._lock)


def _identity(path: Path) -> bytes:
    if not path.exists():
        write_atomic(path, json.dumps({"version": 1, "id": new_id().hex()}).encode())
    try:
        value = bytes.fromhex(json.loads(path.read_bytes())["id"])
    except (ValueError, KeyError, TypeError) as e:
        raise StoreCorrupt() from e
    if len(value) != 16:
        raise StoreCorrupt()
    return value


def take_lock(path: Path) -> IO[bytes]:
    """Opens and locks the file at `path`, which is made if there is none, and returns it; `give_up_lock` unlocks it.
    The operating system drops the lock with the process, however it ends, so that none is left behind. ProfileInUse if
    another process has it; OSError if the file cannot be opened."""
    file = path.open("a+b")
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        file.close()
        raise ProfileInUse() from e
    return file


def give_up_lock(lock: IO[bytes]) -> None:
    """Gives up what `take_lock` returned, and closes the file. A second call does nothing. The lock is given up before
    the file is closed: a process that is just being started has the open file too until it runs its own program, and
    would keep the lock so long."""
    if sys.platform != "win32" and not lock.closed:
        fcntl.flock(lock.fileno(), fcntl.LOCK_UN)
    lock.close()


def _close_to_others(folder: Path) -> None:
    """▲ Takes other users' access away from `folder` and the files directly in it. A folder that existed already may be
    open to them, and so may files that an older program left in it. Does nothing on Windows. OSError if it cannot."""
    if os.name == "nt":
        return  # the profile lies in the user's own folder, whose access list it inherits
    folder.chmod(0o700)
    for path in folder.glob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077:
            path.chmod(0o600)
