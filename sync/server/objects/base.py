# SPDX-License-Identifier: EUPL-1.2
"""What the server needs from an object store: parts that arrive in pieces and are whole or not there."""

from typing import Protocol


class ObjectError(Exception):
    """Root of an object store's refusals."""

    code = "busy"


class WrongOffset(ObjectError):
    """A piece does not begin where the part ends so far; `have` is how many bytes are held."""

    code = "conflict"

    def __init__(self, have: int) -> None:
        super().__init__(f"have {have}")
        self.have = have


class WrongDigest(ObjectError):
    """The whole part is not what its sender said; it is thrown away."""

    code = "invalid"


class NoSpace(ObjectError):
    """The disk is full (its reserve is no room for files) or failing; nothing of the piece is kept."""

    code = "full"


class Objects(Protocol):
    """Parts by (room, obj, part). All calls are for different parts or one after the other."""

    async def held(self, room: bytes, obj: bytes, part: bytes) -> int:
        """Bytes of an unfinished upload, 0 if there is none."""
        ...

    async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
        """Adds a piece to an unfinished upload and returns the bytes held then. Offset 0 begins anew."""
        ...

    async def finish(self, room: bytes, obj: bytes, part: bytes, sha256: bytes) -> int:
        """Makes the upload a part, durably, and returns its size. WrongDigest throws it away."""
        ...

    async def read(self, room: bytes, obj: bytes, part: bytes, start: int, size_bytes: int) -> bytes:
        """Bytes of a finished part. FileNotFoundError if it is not there."""
        ...

    async def discard(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Removes an unfinished upload; nothing happens if there is none."""
        ...

    async def unfinished(self, before_ms: int) -> list[tuple[bytes, bytes, bytes]]:
        """(room, obj, part) of uploads to which nothing was added since then."""
        ...

    async def delete(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Removes a part and any unfinished upload of it; nothing happens if there is none."""
        ...
