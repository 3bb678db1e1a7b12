# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from an object store: parts that are uploaded in pieces and are either whole or missing."""

from typing import Protocol

from sync.errors import WorldError


class ObjectError(WorldError):
    """Root of an object store's refusals."""

    code = "busy"


class WrongOffset(ObjectError):
    """A piece does not begin where the upload ends so far. `have`: the bytes that are held."""

    code = "conflict"

    def __init__(self, have: int) -> None:
        super().__init__(f"have {have}")
        self.have = have


class WrongDigest(ObjectError):
    """The uploaded part does not match its digest. It is deleted."""

    code = "invalid"


class NoSpace(ObjectError):
    """The disk is full (up to its reserve, which files may not use) or failing. Nothing of the piece is kept."""

    code = "full"


class Objects(Protocol):
    """Parts by (room, obj, part). The caller makes calls for the same part one after the other."""

    async def held(self, room: bytes, obj: bytes, part: bytes) -> int:
        """The bytes held of an unfinished upload, 0 if there is none."""
        ...

    async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
        """Adds a piece to an unfinished upload and returns the bytes held then. Offset 0 begins again. WrongOffset or
        NoSpace."""
        ...

    async def finish(self, room: bytes, obj: bytes, part: bytes, sha256: bytes) -> int:
        """Turns the upload into a finished part, durably, and returns its size. WrongDigest if the hash differs; the
        upload is then deleted."""
        ...

    async def read(self, room: bytes, obj: bytes, part: bytes, start: int, size_bytes: int) -> bytes:
        """Bytes of a finished part. FileNotFoundError if it is not there."""
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
