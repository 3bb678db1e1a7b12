# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from an object store: parts that are uploaded in pieces and are either whole or missing."""

from typing import Protocol

from sync.errors import WorldError


class ObjectError(WorldError):
    """Root of the errors of the object store, which keeps the parts of files."""

    code = "busy"


class WrongOffset(ObjectError):
    """A piece of a part of a file begins neither at 0 nor where the upload of that part ends so far; it is not stored.
    `have`: how many bytes of the part are stored."""

    code = "conflict"

    def __init__(self, have: int) -> None:
        super().__init__(f"have {have}")
        self.have = have


class WrongDigest(ObjectError):
    """A part of a file (files are uploaded in parts, each with an id and a digest of its own) was uploaded to its end,
    and its bytes do not have its digest. The upload of this part is deleted; other parts of the file stay."""

    code = "invalid"


class NoSpace(ObjectError):
    """A piece of an upload cannot be stored, or an upload cannot be completed: the disk is full (up to its reserve,
    which files may not use) or failing. Nothing of the piece is kept. The bytes of the upload that were stored before
    stay. They may be lost if the piece was to begin the upload again (offset 0)."""

    code = "full"


class Unreadable(ObjectError):
    """The disk fails to read a part, or how much of it is stored. It may succeed later."""


class Objects(Protocol):
    """A store for parts of files. A part is bytes, named by the ids of its room, its object and itself (`room`, `obj`,
    `part`). It is uploaded in pieces (`append`) and complete after `finish`. The caller makes calls for the same part
    one after the other."""

    async def held(self, room: bytes, obj: bytes, part: bytes) -> int:
        """The bytes held of an unfinished upload, 0 if there is none. Unreadable if the disk fails."""
        ...

    async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
        """Adds `piece` to the unfinished upload of a part (named by the ids `room`, `obj`, `part`) and returns how many
        bytes of it are stored then. `offset`: where the piece begins; 0 begins the upload again. WrongOffset if it is
        not 0 and the upload does not end there, NoSpace if the disk is full or failing."""
        ...

    async def finish(self, room: bytes, obj: bytes, part: bytes, sha256: bytes) -> int:
        """Turns the upload of a part (named by the ids `room`, `obj`, `part`) into a complete part, durably, and
        returns its size in bytes. A complete part of the same name is replaced. `sha256`: the hash that the bytes must
        have. WrongDigest if they have another; the upload is then deleted. WrongOffset if the part has no upload.
        NoSpace if the disk fails; the part is then not complete."""
        ...

    async def read(self, room: bytes, obj: bytes, part: bytes, start: int, size_bytes: int) -> bytes:
        """Returns at most `size_bytes` bytes of a complete part (named by the ids `room`, `obj`, `part`), from the byte
        `start` on: fewer at its end, b"" beyond it. FileNotFoundError if there is no complete part of that name, also
        if its upload is unfinished. Unreadable if the disk fails."""
        ...

    async def discard(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Removes an unfinished upload; nothing happens if there is none."""
        ...

    async def unfinished(self, before_ms: int) -> list[tuple[bytes, bytes, bytes]]:
        """(room, obj, part) of uploads to which nothing was added since `before_ms`."""
        ...

    async def delete(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Removes a part and any unfinished upload of it; nothing happens if there is none."""
        ...
