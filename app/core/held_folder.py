# SPDX-License-Identifier: EUPL-1.2
"""A folder held open, so that a user who may write in it cannot exchange it for a link while an administrator empties
it.

Every step from one folder to the next starts at the held one, and never follows a link or junction. Linux: by file
descriptors (openat). Windows: by handles, during which nobody can rename or remove the folder.
"""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _LIST, _SHARE_READ_WRITE, _OPEN_EXISTING = 0x1, 0x3, 3
    _FOLDER_AS_IT_IS = 0x02200000  # FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.CreateFileW.argtypes = [wintypes.LPCWSTR, *[wintypes.DWORD] * 2, wintypes.LPVOID, *[wintypes.DWORD] * 2, wintypes.HANDLE]  # fmt: skip  # noqa: E501
    _kernel.CreateFileW.restype = wintypes.HANDLE
    _kernel.CloseHandle.argtypes = [wintypes.HANDLE]

_REPARSE_POINT = 0x400


class HeldFolder:
    """An open folder that nobody can exchange for a link while it is open. Use it as a context manager. Raises OSError
    as the system does; NotADirectoryError or ELOOP for a link."""

    def __init__(self, path: Path, parent: "HeldFolder | None" = None) -> None:
        """Opens the folder at the absolute `path`. `parent`: the open folder that contains it; the folder is then found
        by its name in there. OSError if it cannot be opened, and if it is a link or no folder."""
        self.path = path
        self._held: int | None = None
        self._fd: int | None = None
        """The descriptor for looking up names in the folder; None on Windows, where whole paths are used."""
        if sys.platform == "win32":
            self._held = _handle(path)
        else:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            self._fd = os.open(path if parent is None else path.name, flags, dir_fd=parent._fd if parent else None)

    @classmethod
    def at(cls, path: Path) -> "HeldFolder":
        """Opens the folder at an absolute path, step by step; an OSError if any part of the path is a link."""
        held = cls(Path(path.anchor))
        for name in path.parts[1:]:
            try:
                inner = held.folder(name)
            finally:
                held.close()
            held = inner
        return held

    def folder(self, name: str) -> "HeldFolder":
        """A folder in it, held open too."""
        return HeldFolder(self.path / name, self)

    def names(self) -> list[str]:
        """The names in it, in order."""
        return sorted(os.listdir(self.path if self._fd is None else self._fd))  # noqa: PTH208 - by descriptor

    def is_folder(self, name: str) -> bool:
        """Whether the folder has a folder `name` in it that is no link. OSError if the system does not say."""
        found = self._stat(name)
        return found is not None and stat.S_ISDIR(found.st_mode) and not _is_link(found)

    def is_link(self, name: str) -> bool:
        """Whether the folder has a link or junction `name` in it. OSError if the system does not say."""
        found = self._stat(name)
        return found is not None and _is_link(found)

    def is_file(self, name: str) -> bool:
        """Whether the folder has an ordinary file `name` in it that is no link. OSError if the system does not say."""
        found = self._stat(name)
        return found is not None and stat.S_ISREG(found.st_mode) and not _is_link(found)

    def read(self, name: str, limit_bytes: int) -> bytes:
        """At most the first `limit_bytes` bytes of the ordinary file `name` in the folder. OSError if it cannot be
        read, and for a link; but Windows follows a link, so call `is_file` first."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._place(name), flags, dir_fd=self._fd), "rb") as file:
            return file.read(limit_bytes)

    def write(self, name: str, content: bytes) -> None:
        """Makes the file `name` in the folder, private to this user, with `content`, and flushes it to the disk.
        OSError if it cannot, and FileExistsError if there is anything with that name, also a link; nothing is made
        then."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(self._place(name), flags, 0o600, dir_fd=self._fd), "wb")
        try:
            with file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                self.remove(name)
            raise

    def remove(self, name: str) -> None:
        """Removes the file, link or empty folder `name` from the folder. A link's or junction's target stays. OSError
        if it cannot, also for a folder that is not empty; FileNotFoundError if there is none."""
        found = self._stat(name)
        if found is not None and stat.S_ISDIR(found.st_mode):
            self.remove_folder(name)  # a junction is removed as a folder is
            return
        if sys.platform == "win32" and found is not None and not _is_link(found):  # chmod would follow a link
            (self.path / name).chmod(stat.S_IWRITE)  # a read-only file cannot be removed there
        os.unlink(self._place(name), dir_fd=self._fd)

    def remove_folder(self, name: str) -> None:
        """Removes an empty folder with this name, which must be closed."""
        os.rmdir(self._place(name), dir_fd=self._fd)

    def close(self) -> None:
        """Closes the folder. A second call does nothing."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
        held, self._held = self._held, None
        if sys.platform == "win32" and held is not None:
            _kernel.CloseHandle(held)

    def __enter__(self) -> "HeldFolder":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _place(self, name: str) -> str:
        return str(self.path / name) if self._fd is None else name

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(self._place(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None


def _is_link(found: os.stat_result) -> bool:
    """Whether it is a link or a junction. (Windows' stat calls junctions folders.)"""
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_file_attributes", 0) & _REPARSE_POINT)


if sys.platform == "win32":

    def _handle(path: Path) -> int:
        handle = _kernel.CreateFileW(str(path), _LIST, _SHARE_READ_WRITE, None, _OPEN_EXISTING, _FOLDER_AS_IT_IS, None)
        if handle in (None, wintypes.HANDLE(-1).value):
            raise ctypes.WinError(ctypes.get_last_error())
        found = path.stat(follow_symlinks=False)  # stat of the held folder, which keeps its name now
        if not stat.S_ISDIR(found.st_mode) or _is_link(found):
            _kernel.CloseHandle(handle)
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return int(handle)
