# SPDX-License-Identifier: EUPL-1.2
"""What the store keeps of files' parts, and what is counted for each day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.server.store.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRow:
    """The record of one complete part of a file, whose bytes are in the object store: its name (the ids `room`, `obj`
    and `part`), its size, and the SHA-256 of its bytes."""

    room: bytes
    obj: bytes
    part: bytes
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    """An unfinished upload of a part of a file: the part's name (the ids `room`, `obj` and `part`), the person `uid`
    and the device `dev` that began it, when (`since`, ms), and how many of its bytes the object store has
    (`held_bytes`)."""

    room: bytes
    obj: bytes
    part: bytes
    uid: bytes
    dev: bytes
    held_bytes: int
    since: int

    @property
    def name(self) -> tuple[bytes, bytes, bytes]:
        return self.room, self.obj, self.part


class BlobStore(Protocol):
    """The part of the store, as a Protocol, that keeps which parts of files are complete or being uploaded, and the
    daily counts that limit what is sent. See sync/server/store/base.py for durability and order."""

    async def put_upload(self, row: UploadRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        """Stores how far the upload `row` has come, in place of the part's earlier row. Adds `sent_bytes`, the bytes of
        this piece, to the counts `by` (of the sending device and of its person) of the day with the number `day`, which
        limit what may be sent in a day. All in one transaction."""
        ...

    async def drop_upload(self, room: bytes, obj: bytes, part: bytes) -> None:
        """Drops an unfinished upload's row. Nothing happens if there is none."""
        ...

    async def uploads(self) -> list[UploadRow]:
        """All unfinished uploads, in the order in which they began."""
        ...

    async def add_blob(self, row: BlobRow, by: Sequence[Tally], day: int, sent_bytes: int) -> None:
        """Stores that the part `row` is complete, drops its upload, and adds its size to the room's. Adds `sent_bytes`,
        the bytes of the last piece, to the counts `by` (of the sending device and of its person) of the day with the
        number `day`, which limit what may be sent in a day. Raises Taken, and stores nothing, if the complete part
        exists already."""
        ...

    async def blob(self, room: bytes, obj: bytes, part: bytes) -> BlobRow | None: ...

    async def blobs_of(self, room: bytes, obj: bytes) -> list[BlobRow]:
        """The complete parts of the files of an object, in no order."""
        ...

    async def forget_blobs(self, room: bytes, obj: bytes) -> int:
        """Deletes the rows of the complete parts of an object, whose bytes are deleted already, and takes their sizes
        from the room's. Returns how many bytes that are; a second call returns 0."""
        ...

    async def count(self, amounts: Mapping[Tally, int], day: int) -> None:
        """Adds each amount to its count of a day."""
        ...

    async def counted(self, tally: Tally, day: int) -> int:
        """The amount counted on that day, 0 for none."""
        ...
