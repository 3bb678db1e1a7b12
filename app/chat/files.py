# SPDX-License-Identifier: EUPL-1.2
"""A chat's files: checked and sealed before they are sent, fetched to where they are wanted.

What is shown of them during a transfer is in transfers.py.
"""

import asyncio
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.chat.model import Message
from app.chat.ports import Blobs
from app.chat.previews import MAX_BYTES as MAX_PREVIEW_BYTES
from app.chat.records import Attachment
from app.chat.transfers import Transfer, Transfers
from app.core.ids import ObjId, RoomId, new_id
from app.errors import FileFault, FileTooLarge, FileUnreadable, NotFound
from app.objects.filenames import clean_name, free_path
from app.objects.files import Source, size_of

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_PREVIEWS_BYTES = 100 * 1024
"""All previews of one message: a change holds 192 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a view found out about an image file before it is sent: its size in pixels, and `preview`, a small JPEG that
    is shown in the message."""

    width: int
    height: int
    preview: bytes


Checked = tuple[Source, str, int]
"""A file, its safe name and its size in bytes."""


class Files:
    """Checks, encrypts, sends and fetches the files of chat messages. `blobs` stores and transfers their parts; without
    it nothing can be sent or fetched (NotFound). `max_bytes`: the largest file that may be sent."""

    def __init__(self, blobs: Blobs | None, transfers: Transfers, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._blobs = blobs
        self._transfers = transfers

    async def check(self, sources: Sequence[Source]) -> list[Checked]:
        """Checks that every file may be sent, and returns each, in their order, with a safe name and its size in bytes.
        FileTooLarge, FileUnreadable or BadFileName is about the first that may not, and its `file` is that file's
        name."""
        return [(source, *await asyncio.to_thread(self._check, source)) for source in sources]

    async def seal(
        self, room: RoomId, obj: ObjId, files: Sequence[Checked], pictures: Mapping[Source, Picture]
    ) -> tuple[tuple[Attachment, ...], list[bytes]]:
        """Encrypts checked files for the chat `obj` in a room. `pictures`: what is known of those that are images.
        Returns (the attachments for the message, in the order of `files`; the ids of all their parts, which must be
        uploaded before the message is sent). A picture whose preview is too large, alone or with those before it, is
        sent without preview and size in pixels. FileUnreadable, which names the file, DiskFull or StoreUnwritable;
        NotFound if this chat transfers no files."""
        attachments: list[Attachment] = []
        parts: list[bytes] = []
        room_for_previews = MAX_PREVIEWS_BYTES
        for source, name, size in files:
            picture = pictures.get(source)
            if picture is not None and len(picture.preview) > min(MAX_PREVIEW_BYTES, room_for_previews):
                picture = None
            room_for_previews -= len(picture.preview) if picture else 0
            attachment, added = await self._seal_one(room, obj, source, name, size, picture)
            attachments.append(attachment)
            parts += added
        return tuple(attachments), parts

    async def fetch(self, room: RoomId, message: Message, index: int, target: Path) -> Path:
        """Fetches the message's attachment with the number `index` (from 0) and writes it to `target`: a path, where it
        replaces a file, or a folder, in which it gets its own name beside existing files. Returns the path. NotFound if
        there is no such attachment, or if this chat transfers no files; StoreUnwritable if the file cannot be written;
        SyncErrors such as Unreachable, Refused or Reject if it cannot be fetched. A file that was at `target` is
        unchanged then."""
        if self._blobs is None or index >= len(message.attachments):
            raise NotFound
        blobs, attachment = self._blobs, message.attachments[index]
        path = await asyncio.to_thread(_target, target, attachment.name)
        transfer = Transfer(
            key=(message.change_id, index),
            room=room,
            name=attachment.name,
            done=0,
            total=attachment.size_bytes,
            upload=False,
        )
        await self._transfers.run(transfer, lambda progress: blobs.fetch(room, attachment.manifest, path, progress))
        return path

    def _check(self, source: Source) -> tuple[str, int]:
        """(safe name, size) of a file that may be sent. FileTooLarge, FileUnreadable, BadFileName."""
        with _naming(source):
            name, size = clean_name(source.name), size_of(source)
            if isinstance(source, Path) and not source.is_file():
                raise FileUnreadable
            if size > self.max_bytes:
                raise FileTooLarge
            return name, size

    async def _seal_one(
        self, room: RoomId, obj: ObjId, source: Source, name: str, size: int, picture: Picture | None
    ) -> tuple[Attachment, Sequence[bytes]]:
        if self._blobs is None:
            raise NotFound
        blobs = self._blobs
        transfer = Transfer(key=(new_id(), 0), room=room, name=name, done=0, total=size, upload=True)
        with _naming(source):
            sealing = self._transfers.run(transfer, lambda progress: blobs.add(room, obj, source, progress))
            manifest, parts = await sealing
        attachment = Attachment(
            name=name,
            size_bytes=size,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            manifest=manifest,
            width=picture.width if picture else 0,
            height=picture.height if picture else 0,
            preview=picture.preview if picture else b"",
        )
        return attachment, parts


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """A context that adds the file's name to an error about that file (FileFault) and raises it again."""
    try:
        yield
    except FileFault as e:
        e.file = source.name
        raise


def _target(target: Path, name: str) -> Path:
    return free_path(target, name) if target.is_dir() else target
