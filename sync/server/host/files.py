# SPDX-License-Identifier: EUPL-1.2
"""Files that commands of the server make: whole and durable, or not there at all."""

import errno
import os
import sys
from pathlib import Path

_NO_FOLDERS = (errno.EINVAL, errno.ENOTSUP)
"""What a file system answers that cannot flush folders, such as some on a network."""


def part_of(path: Path) -> Path:
    """Where the content of the file `path` is written before the file gets its name. A killed process, or a power cut,
    may leave this one."""
    return path.with_name(f".{path.name}.part")


def create_private(path: Path, data: bytes) -> None:
    """Creates the file `path` with the content `data`, which only its owner may read; durable when it returns.
    FileExistsError if there is one of that name. After any other error there is none; if the process is killed, there
    is none or the whole one.

    The content is written to `.<name>.part` first. What a killed process left there is removed by the next call, also
    by one that raises FileExistsError, and by `is_created`. One process at a time may create a file of this name.
    """
    part = part_of(path)
    part.unlink(missing_ok=True)
    try:
        _write(part, data, 0o600)
        _name_new(part, path)
    finally:
        part.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def is_created(path: Path) -> bool:
    """Whether there is a file `path`, for a caller that creates it once by `create_private`. If there is, it is durable
    when this returns, and what a killed process left beside it is removed. A process that is killed between naming the
    file and the end of `create_private` leaves the file with a second name, `.<name>.part`, and its name may not be on
    the disk yet. One process at a time may create a file of this name."""
    if not path.exists():
        return False
    part_of(path).unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replaces the file `path`, or makes it, with the content `data` and the rights `mode` (less the umask), in one
    step; durable when it returns. After an error or a kill the former file is there, or the whole new one. One process
    at a time may replace a file of this name."""
    beside = part_of(path)
    beside.unlink(missing_ok=True)
    try:
        _write(beside, data, mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flushes the folder `path` to the disk, so that files which were created or renamed in it keep their names after a
    crash. Does nothing on Windows, and on a file system that cannot flush folders."""
    if sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in _NO_FOLDERS:
            raise
    finally:
        os.close(fd)


def sync_folders(root: Path) -> None:
    """Flushes the folder `root` and every folder in it to the disk (`sync_folder`)."""
    for folder, _, _ in os.walk(root):
        sync_folder(Path(folder))


def _write(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, mode), "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())


def _name_new(part: Path, path: Path) -> None:
    """Gives the file `part` the name `path`; its name `part` may remain. FileExistsError if there is a file `path`."""
    try:
        os.link(part, path)  # unlike a rename, this replaces nothing
    except FileExistsError:
        raise
    except OSError:  # a stick's file system (FAT) has no links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.rename(path)
