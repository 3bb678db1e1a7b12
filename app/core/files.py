# SPDX-License-Identifier: EUPL-1.2
"""Writes a small file so that it is there whole or not at all, also after a power cut; reads another user's file
without ever waiting."""

import errno
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.core.foreign import mark_foreign
from app.core.ids import new_id
from app.core.text_units import point_from_utf8

_ORDINARY = [0o666]
"""The rights of an ordinary file of the person's; see `keep_private`."""


def keep_private() -> None:
    """Makes files that this process creates from now on private to its user: files 0600, folders 0700. Files that are
    saved for others to find (`Draft`) get the rights that the system would have given them. Call it once, at the start.
    """
    before = os.umask(0o077)
    _ORDINARY[0] = 0o666 & ~before


def open_file(path: Path) -> tuple[BinaryIO, int]:
    """Opens a file for reading. Returns (the file, its size in bytes); callers read no more than that. Raises OSError,
    also if it is no ordinary file.

    ▲ It never waits: a pipe or device is refused, also one that replaced a file after it was checked. Files that the
    kernel makes as they are read (`/proc`) have no size, so nothing of them is read.
    """
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no file")
        return os.fdopen(fd, "rb"), found.st_size
    except BaseException:
        os.close(fd)
        raise


class Draft:
    """A file that is being written beside `target`: `keep` moves it there, in place of an existing file, and `drop`
    removes it. Any thread. OSError is raised as it is.

    ▲ Its name until then cannot be guessed, and it is never opened through a link: `target` may be in a folder that
    others write in. It is private to this user until `keep`.
    """

    def __init__(self, target: Path, path: Path | None = None) -> None:
        """`path`: the `draft_path` of `target`, if the caller has stored it somewhere before the file is made."""
        self._target = target
        self._path = path or draft_path(target)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self.file = os.fdopen(os.open(self._path, flags, 0o600), "wb")

    def keep(self, *, foreign: bool = False) -> None:
        """Flushes the file to the disk, closes it and moves it to `target`, where it gets the rights of an ordinary
        file. `foreign`: it is marked as one that came from somebody else (foreign.py). OSError if it cannot; `target`
        is unchanged then, and `drop` removes the file."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if sys.platform != "win32":
            os.fchmod(self.file.fileno(), _ORDINARY[0])  # ▲ not by its name: a link may be in its place by now
        self.file.close()
        if foreign:
            mark_foreign(self._path)
        self._path.replace(self._target)

    def drop(self) -> None:
        """Closes and removes the file. Does nothing after `keep`, nor in a second call. Raises nothing: closing flushes
        once more, and a full disk refuses that too."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}\.part", re.DOTALL)
"""The name of a `Draft` until it is kept."""


def draft_path(target: Path) -> Path:
    """A new absolute path for a `Draft` of `target`: in the same folder, with a hidden name that cannot be guessed."""
    return target.absolute().with_name(f".{_short(target.name)}.{new_id().hex()}.part")


def remove_draft(path: Path) -> bool:
    """Removes the file that a `Draft` has left at `path`. Returns whether there is none any more. False if the disk
    refuses, and if its folder is not there: it may be on a disk that is not connected now.

    ▲ Nothing is removed but an ordinary file with the name of a draft, which has 128 random bits: no other program
    makes such a name, and a link that somebody has put in its place stays.
    """
    try:
        if _DRAFT.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        return path.parent.is_dir()
    except OSError:
        return False
    return True


def _short(name: str) -> str:
    """As much of a file's name as leaves room for more: at most 100 bytes. Disks limit a name to 255 bytes."""
    return name[: point_from_utf8(name, 100)]


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces the content of the file at `path` by `data`, durably: after a crash it has the old content or the new
    one. Makes the file if there is none. OSError is raised as it is; then the old file is unchanged, unless only
    flushing the folder failed."""
    draft = path.with_name(f".{_short(path.name)}.{new_id().hex()[:8]}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes new file names in a folder durable; OSError if the system cannot. Does nothing on Windows, where it is
    neither needed nor possible."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
