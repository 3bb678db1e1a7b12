# SPDX-License-Identifier: EUPL-1.2
"""Encrypts files that another program has changed, part by part, into <profile>/kept, and reads them again.

The parts are encrypted as those of sent files are (sync/trust/room/blob_manifest.py). Their keys are in the manifest,
which is only in the store.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from app.core.ids import RoomId
from app.errors import FileTooLarge, FileUnreadable, NotFound, StoreCorrupt
from app.store.cache_files import CacheFiles
from sync.errors import Reject
from sync.protocol.version import PART_BYTES
from sync.trust.room.blob_manifest import Manifest, Part, decrypt_part, encrypt_part, most_sealed

Kept = tuple[bytes, Sequence[str], bytes, int]
"""(manifest, names of the parts' files, SHA-256 of the plain bytes, their number)."""


def open_plain(path: Path) -> BinaryIO:
    """Opens a file for reading that another program may have replaced. ▲ Follows no link and never waits: a pipe or
    device is refused. OSError if it is refused or cannot be opened. The caller closes the result."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    fd = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no file")
    return os.fdopen(fd, "rb")


def digest_of(path: Path) -> bytes | None:
    """The SHA-256 (32 bytes) of a file, of as many bytes as it has when it is opened; None if it is gone, or no
    ordinary file. OSError if it cannot be read. Blocks: 256 MB take some 0.3 s."""
    try:
        with open_plain(path) as file:
            left, found = os.fstat(file.fileno()).st_size, hashlib.sha256()
            while left > 0 and (some := file.read(min(1 << 20, left))):
                found.update(some)
                left -= len(some)
            return found.digest()
    except FileNotFoundError:
        return None
    except OSError as e:
        if e.errno in (errno.EINVAL, errno.ELOOP, errno.ENXIO):
            return None
        raise


class KeptFiles:
    """Writes and reads the encrypted parts of changed copies in the folder <profile>/kept. Every method blocks, and may
    run in any thread."""

    def __init__(self, files: CacheFiles, with_room: Callable[[Callable[[], None]], None]) -> None:
        """`with_room` calls the function that it is given, in the same thread. If the disk is full it makes room and
        calls it once more (`CacheUpkeep.with_room`)."""
        self._files = files
        self._with_room = with_room

    def keep(self, room: RoomId, path: Path) -> Kept:
        """Encrypts the file at `path`, for this computer alone, into new files in kept/, and returns what is needed to
        read them again. Takes as many bytes as the file has when it is opened; what is added meanwhile is not kept.
        `room` is bound into the encryption. FileUnreadable if the file cannot be read or is no ordinary one; DiskFull
        or StoreUnwritable. After an error nothing of it is kept."""
        parts, names, whole, size = list[Part](), list[str](), hashlib.sha256(), 0
        try:
            with open_plain(path) as file:
                left = os.fstat(file.fileno()).st_size
                while True:
                    plain = file.read(min(PART_BYTES, left))
                    left = left - len(plain) if plain else 0
                    whole.update(plain)
                    size += len(plain)
                    part, sealed = encrypt_part(room, plain, last=not left)
                    name = self._files.new_name()
                    names.append(name)
                    self._with_room(partial(self._files.write, name, sealed))
                    parts.append(part)
                    if not left:
                        break
        except OSError as e:
            self._files.remove(names)
            raise FileUnreadable() from e
        except BaseException:
            self._files.remove(names)
            raise
        return Manifest(size, tuple(parts)).encode(), names, whole.digest(), size

    def read(self, room: RoomId, manifest: bytes, names: Sequence[str], most_bytes: int) -> bytes:
        """The plain bytes of a kept file. FileTooLarge if it has more than `most_bytes`; NotFound if a part is gone;
        StoreCorrupt if one is damaged."""
        return b"".join(self.pieces(room, manifest, names, most_bytes))

    def pieces(
        self, room: RoomId, manifest: bytes, names: Sequence[str], most_bytes: int | None = None
    ) -> Iterator[bytes]:
        """Yields the plain bytes of a kept file, part by part, however large it is. The errors of `read`."""
        try:
            described = Manifest.decode(manifest)
            if most_bytes is not None and described.size > most_bytes:
                raise FileTooLarge
            for part, name in zip(described.parts, names, strict=True):
                yield decrypt_part(room, part, self._sealed(part, name))
        except (Reject, ValueError) as e:
            raise StoreCorrupt from e

    def _sealed(self, part: Part, name: str) -> bytes:
        sealed = self._files.read_up_to(name, most_sealed(part.length))
        if sealed is None:
            raise NotFound
        return sealed

    def sweep(self, named: set[str]) -> None:
        """Removes the files that `named` does not name. What the disk refuses is tried again at the next call."""
        self._files.remove([name for name in self._files.names() if name not in named])
