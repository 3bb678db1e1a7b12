# SPDX-License-Identifier: EUPL-1.2
"""Parts as files: an upload is appended to a file `….part`; the finished file is flushed and renamed, and its folders
are flushed."""

import asyncio
import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from sync.server.host.files import sync_folder
from sync.server.objects.base import NoSpace, Unreadable, WrongDigest, WrongOffset

_UPLOAD = ".part"


class FilesystemObjects:
    """The server's store for encrypted parts of files, as files in the folder `root`. A part is uploaded in pieces and
    is then complete; the methods are those of `sync.server.objects.base.Objects`. A complete part is the file
    `<root>/<2 hex of room>/<room>/<obj>/<part>` (ids in hex); its unfinished upload has the ending `.part`."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        """Makes the store; nothing is created on the disk yet. `root`: the folder in which the parts of files are.
        `reserve_bytes`: how many bytes must stay free on the disk. `append` raises NoSpace for a piece that would leave
        less; 0 checks nothing."""
        self._root = root
        self._reserve_bytes = reserve_bytes

    async def held(self, room: bytes, obj: bytes, part: bytes) -> int:
        path = self._upload(room, obj, part)
        return await asyncio.to_thread(_size, path)

    async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
        return await asyncio.to_thread(_append, self._upload(room, obj, part), offset, piece, self._reserve_bytes)

    async def finish(self, room: bytes, obj: bytes, part: bytes, sha256: bytes) -> int:
        upload, path = self._upload(room, obj, part), self._path(room, obj, part)
        return await asyncio.to_thread(_finish, upload, path, sha256)

    async def read(self, room: bytes, obj: bytes, part: bytes, start: int, size_bytes: int) -> bytes:
        return await asyncio.to_thread(_read, self._path(room, obj, part), start, size_bytes)

    async def discard(self, room: bytes, obj: bytes, part: bytes) -> None:
        await asyncio.to_thread(self._upload(room, obj, part).unlink, True)

    async def unfinished(self, before_ms: int) -> list[tuple[bytes, bytes, bytes]]:
        return await asyncio.to_thread(_unfinished, self._root, before_ms)

    async def delete(self, room: bytes, obj: bytes, part: bytes) -> None:
        for path in (self._path(room, obj, part), self._upload(room, obj, part)):
            await asyncio.to_thread(path.unlink, True)

    def _path(self, room: bytes, obj: bytes, part: bytes) -> Path:
        return part_path(self._root, room, obj, part)

    def _upload(self, room: bytes, obj: bytes, part: bytes) -> Path:
        return self._path(room, obj, part).with_suffix(_UPLOAD)


def part_path(root: Path, room: bytes, obj: bytes, part: bytes) -> Path:
    """The path of a finished part."""
    return root / room.hex()[:2] / room.hex() / obj.hex() / part.hex()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as e:
        raise Unreadable(str(e.errno)) from e


def _unfinished(root: Path, before_ms: int) -> list[tuple[bytes, bytes, bytes]]:
    out = []
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith(_UPLOAD):
                path = Path(folder, name)
                try:
                    if path.stat().st_mtime * 1000 < before_ms:
                        out.append(_named(path))
                except (FileNotFoundError, ValueError):  # it was just finished; or it is none of ours
                    continue
    return out


def _named(path: Path) -> tuple[bytes, bytes, bytes]:
    room, obj = path.parts[-3:-1]
    return bytes.fromhex(room), bytes.fromhex(obj), bytes.fromhex(path.stem)


def _append(path: Path, offset: int, piece: bytes, reserve_bytes: int) -> int:
    have = _size(path)
    if offset not in (0, have):
        raise WrongOffset(have)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if reserve_bytes and shutil.disk_usage(path.parent).free - len(piece) < reserve_bytes:
            raise NoSpace("reserve")
        with path.open("ab") as f:
            f.truncate(offset)
            f.write(piece)
        return offset + len(piece)
    except OSError as e:
        with contextlib.suppress(OSError):  # a failing disk: the digest of the whole part is checked all the same
            os.truncate(path, offset)
        raise NoSpace(str(e.errno)) from e


def _finish(upload: Path, path: Path, sha256: bytes) -> int:
    try:
        data = upload.read_bytes()
        if hashlib.sha256(data).digest() != sha256:
            upload.unlink()
            raise WrongDigest(upload.stem)
        with upload.open("rb+") as f:
            os.fsync(f.fileno())
        _put_in_place(upload, path)
    except FileNotFoundError as e:  # somebody removed it
        raise WrongOffset(0) from e
    except OSError as e:
        raise NoSpace(str(e.errno)) from e
    return len(data)


def _put_in_place(upload: Path, path: Path) -> None:
    """Renames the file `upload` to `path`, durably. After an error it has its former name again, under which it is
    swept."""
    upload.replace(path)
    try:
        for folder in path.parents[:4]:  # the part's own up to the root: any of them may be new
            sync_folder(folder)
    except OSError:
        with contextlib.suppress(OSError):
            path.replace(upload)
        raise


def _read(path: Path, start: int, size_bytes: int) -> bytes:
    try:
        with path.open("rb") as f:
            f.seek(start)
            return f.read(size_bytes)
    except FileNotFoundError:
        raise
    except OSError as e:
        raise Unreadable(str(e.errno)) from e
