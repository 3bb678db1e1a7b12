# SPDX-License-Identifier: EUPL-1.2
"""A chat's files: checked and sealed before they are sent, fetched to where they are wanted.

What is shown of them during a transfer is in transfers.py.
"""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.chat.errors import EmptyMessage, FileInOldRoom, MessageTooLong, TooManyFiles
from app.chat.model import Message
from app.chat.ports import Blobs
from app.chat.previews import MAX_BYTES as MAX_PREVIEW_BYTES
from app.chat.records import MAX_ATTACHMENTS, Attachment
from app.chat.transfers import Transfer, Transfers
from app.core.ids import ObjId, RoomId, new_id
from app.errors import FileFault, FileTooLarge, FileUnreadable, NotFound
from app.objects.filenames import clean_name, free_path
from app.objects.files import Source, part_count, size_of
from app.objects.object import MAX_DATA_BYTES
from app.viewing.kinds import MAX_FILE_BYTES as MAX_SHOWN_BYTES
from sync.errors import Refused

_GONE = ("blob-missing", "unknown-room", "forbidden")
"""Codes of the server: the room has no such file, or this person is no member of the room."""
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_PREVIEWS_BYTES = 100 * 1024
"""All previews of one message: a change holds 192 KiB."""
ATTACHMENT_BYTES = 384
"""The most that an attachment takes in a record beside its name, its parts and its preview. It takes 190 bytes with a
media type of 84 characters, which is longer than any that Python knows."""
PART_ROW_BYTES = 96
"""The most that one part takes in a file's manifest: 92 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a view found out about an image file before it is sent: its size in pixels, and `preview`, a small JPEG that
    is shown in the message."""

    width: int
    height: int
    preview: bytes


T = TypeVar("T")
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
        EmptyMessage for no file, TooManyFiles for more than a message may have. FileTooLarge, FileUnreadable or
        BadFileName is about the first that may not, and its `file` is that file's name."""
        check_count(sources)
        return [(source, *await asyncio.to_thread(self._check, source)) for source in sources]

    @asynccontextmanager
    async def seal(
        self, room: RoomId, obj: ObjId, files: Sequence[Checked], pictures: Mapping[Source, Picture], text_bytes: int
    ) -> AsyncIterator[tuple[tuple[Attachment, ...], list[bytes]]]:
        """A context for the block that sends a message with checked files: encrypts the files for the chat `obj` in a
        room. If the block or the encryption of a file raises, or is cancelled, no part of any of the files is kept.

        `pictures`: what is known of those that are images. `text_bytes`: the size of the message's record without
        files. Yields (the attachments for the message, in the order of `files`; the ids of all their parts, which must
        be uploaded before the message is sent). A picture whose preview is too large, alone or with those before it, is
        sent without preview and size in pixels. A file whose transfer the person cancels is left out; if none is left,
        asyncio.CancelledError is raised. MessageTooLong, before anything is encrypted, if the text leaves no room for
        the files; FileUnreadable, which names the file, DiskFull or StoreUnwritable; NotFound if this chat transfers no
        files.
        """
        if self._blobs is None:
            raise NotFound
        left = MAX_DATA_BYTES - text_bytes - sum(_record_bytes(name, size) for _, name, size in files)
        if left < 0:
            raise MessageTooLong
        room_for_previews = min(MAX_PREVIEWS_BYTES, left)
        attachments: list[Attachment] = []
        parts: list[bytes] = []
        transfers = [
            Transfer(key=(new_id(), 0), room=room, name=name, done=0, total=size, upload=True)
            for _, name, size in files
        ]
        try:
            self._transfers.announce(transfers)
            for (source, name, _), transfer in zip(files, transfers, strict=True):
                if self._transfers.get(transfer.key) is None:
                    continue
                picture = pictures.get(source)
                if picture is not None and len(picture.preview) > min(MAX_PREVIEW_BYTES, room_for_previews):
                    picture = None
                room_for_previews -= len(picture.preview) if picture else 0
                sealing = self._seal_one(self._blobs, obj, source, name, transfer, picture, parts)
                attachment = await _unless_cancelled(sealing)
                if attachment is not None:
                    attachments.append(attachment)
            if not attachments:
                raise asyncio.CancelledError
            yield tuple(attachments), parts
        except BaseException:
            self._blobs.drop(parts)
            raise
        finally:
            self._transfers.withdraw(transfers)

    async def fetch(self, room: RoomId, message: Message, index: int, target: Path) -> Path:
        """Fetches the message's attachment with the number `index` (from 0) and writes it to `target`: a path, where it
        replaces a file, or a folder, in which it gets its own name beside existing files. Returns the path. NotFound if
        there is no such attachment, or if this chat transfers no files; StoreFault if the file cannot be written, or if
        a part that is not uploaded yet is damaged; FileInOldRoom, and SyncErrors such as Unreachable, Refused or Reject
        if it cannot be fetched. A file that was at `target` is unchanged then."""
        blobs, attachment, transfer = self._fetching(room, message, index)
        path = await asyncio.to_thread(_target, target, attachment.name)
        with _from_old_room(message):
            await self._transfers.run(
                transfer, lambda progress: blobs.fetch(room, message.obj, attachment.manifest, path, progress)
            )
        return path

    async def read(self, room: RoomId, message: Message, index: int, most_bytes: int = MAX_SHOWN_BYTES) -> bytes:
        """Fetches the message's attachment with the number `index` (from 0) and returns its bytes, which are on no
        disk: to show it, also where the policy lets no file be saved. FileTooLarge, before anything is fetched, if it
        has more than `most_bytes`; otherwise as `fetch`, except for errors of writing."""
        blobs, attachment, transfer = self._fetching(room, message, index)
        with _from_old_room(message):
            return await self._transfers.run(
                transfer, lambda progress: blobs.read(room, message.obj, attachment.manifest, most_bytes, progress)
            )

    def _fetching(self, room: RoomId, message: Message, index: int) -> tuple[Blobs, Attachment, Transfer]:
        """What fetching an attachment needs, with the transfer that is shown meanwhile. NotFound if there is no such
        attachment, or if this chat transfers no files."""
        if self._blobs is None or not 0 <= index < len(message.attachments):
            raise NotFound
        attachment = message.attachments[index]
        transfer = Transfer(
            key=(message.change_id, index),
            room=room,
            name=attachment.name,
            done=0,
            total=attachment.size_bytes,
            upload=False,
        )
        return self._blobs, attachment, transfer

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
        self,
        blobs: Blobs,
        obj: ObjId,
        source: Source,
        name: str,
        transfer: Transfer,
        picture: Picture | None,
        parts: list[bytes],
    ) -> Attachment:
        """Encrypts one file, and adds the ids of its parts to `parts` as soon as it is encrypted, so that the caller
        can drop them after an error."""
        room = transfer.room
        with _naming(source):
            sealing = self._transfers.run(transfer, lambda progress: blobs.add(room, obj, source, progress))
            manifest, added = await sealing
        parts += added
        return Attachment(
            name=name,
            size_bytes=transfer.total,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            manifest=manifest,
            width=picture.width if picture else 0,
            height=picture.height if picture else 0,
            preview=picture.preview if picture else b"",
        )


async def _unless_cancelled(work: Coroutine[object, object, T]) -> T | None:
    """The result of `work`, which runs as a task of its own; None if that task was cancelled, and not its caller."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # otherwise asyncio reports it as never retrieved
        raise
    return None if task.cancelled() else task.result()


def check_count(files: Sequence[Source]) -> None:
    """Checks how many files are to be sent with one message: EmptyMessage for none, TooManyFiles for more than
    MAX_ATTACHMENTS."""
    if not files:
        raise EmptyMessage
    if len(files) > MAX_ATTACHMENTS:
        raise TooManyFiles


def _record_bytes(name: str, size: int) -> int:
    """The most bytes that a file of `size` bytes takes in a message's record, without its preview."""
    return ATTACHMENT_BYTES + len(name.encode()) + part_count(size) * PART_ROW_BYTES


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """A context that adds the file's name to an error about that file (FileFault) and raises it again."""
    try:
        yield
    except FileFault as e:
        e.file = source.name
        raise


@contextmanager
def _from_old_room(message: Message) -> Iterator[None]:
    """A context that fetches a file of `message`: FileInOldRoom if the message was brought from another room, and no
    room that this person is in has the file."""
    try:
        yield
    except Refused as e:
        if message.carried_by is None or e.code not in _GONE:
            raise
        raise FileInOldRoom from e


def _target(target: Path, name: str) -> Path:
    return free_path(target, name) if target.is_dir() else target
