# SPDX-License-Identifier: EUPL-1.2
"""Keeps received files of conversations on this computer (pins them), as the person chooses: single files, or all of a
room."""

import asyncio
from collections.abc import Callable

import msgspec

from app.chat.model import Message
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.errors import NoRoomOffline, NotFound
from app.objects.files import SealedFiles
from app.store.database import Database

AT_ONCE = 20
"""Files that one turn of the event loop pins."""
_SELECT = """SELECT obj, attachments FROM chat_messages WHERE series = ? AND deleted_by IS NULL
    AND attachments != x'90' ORDER BY sort DESC"""


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    """What pinning needs of an attachment."""

    manifest: bytes


_named = msgspec.msgpack.Decoder(tuple[_Named, ...])


class Keeping:
    """Pins the files of conversations. `channel_of` returns a room's conversation, by its first object; None if it has
    none yet."""

    def __init__(self, db: Database, files: SealedFiles, channel_of: Callable[[RoomId], ObjId | None]) -> None:
        self._db, self._files, self._channel_of = db, files, channel_of

    @property
    def changed(self) -> Signal[()]:
        """Emitted when what is kept, or what of it is here, has changed."""
        return self._files.cache_changed

    def can_keep(self, message: Message, index: int) -> bool:
        """Whether the message's file with this index (from 0) is a received one. Own files stay without being kept.
        NotFound if the message has no such file."""
        return self._files.is_received(self._manifest(message, index))

    def is_kept(self, message: Message, index: int) -> bool:
        """Whether the message's file with this index (from 0) is kept on this computer. NotFound if the message has no
        such file."""
        return self._files.is_pinned(self._manifest(message, index))

    def keep(self, room: RoomId, message: Message, index: int, on: bool) -> None:
        """Keeps the message's file with this index (from 0) on this computer (`on`), and fetches it in the background.
        Not `on`: keeps it no more; it stays until its space is needed. NotFound if the message has no such file;
        NoRoomOffline if the limit for kept files is too low for it; Reject for a damaged manifest; StoreFault."""
        manifest = self._manifest(message, index)
        if on:
            self._files.pin(room, message.obj, manifest)
        else:
            self._files.unpin(manifest)

    def _manifest(self, message: Message, index: int) -> bytes:
        if not 0 <= index < len(message.attachments):
            raise NotFound
        return message.attachments[index].manifest

    def is_room_kept(self, room: RoomId) -> bool:
        """Whether all files of the room are kept on this computer, also those of later messages."""
        return self._files.is_room_pinned(room)

    async def keep_room(self, room: RoomId, on: bool) -> None:
        """With `on`: keeps all files of the room on this computer, also those of later messages while the limit allows
        it. Otherwise keeps no file of the room any more, also none that the person has chosen one by one. Other tasks
        run after every AT_ONCE files. NoRoomOffline if the limit is too low for all files that are here now; then only
        those are kept that were kept before. StoreFault if the disk refuses; then some of them may be kept."""
        if not on:
            self._files.unpin_room(room)
            return
        new: list[bytes] = []
        files = self._all(room)
        try:
            for at in range(0, len(files), AT_ONCE):
                some = [(obj, manifest) for obj, manifest in files[at : at + AT_ONCE] if self._is_new(manifest)]
                for obj, manifest in some:
                    self._files.pin(room, obj, manifest)
                    new.append(manifest)
                await asyncio.sleep(0)
            listed = {manifest for _, manifest in files}
            came = [(obj, manifest) for obj, manifest in self._all(room) if manifest not in listed]
            self._files.pin_room(room, [file for file in came if self._is_new(file[1])])
        except NoRoomOffline:
            for manifest in new:
                self._files.unpin(manifest)
            raise

    def _all(self, room: RoomId) -> list[tuple[ObjId, bytes]]:
        """(object, manifest) of each file of the room's conversation, the newest first."""
        return [
            (ObjId(obj), named.manifest)
            for obj, attachments in self._db.rows(_SELECT, (self._channel_of(room),))
            for named in _named.decode(attachments)
        ]

    def _is_new(self, manifest: bytes) -> bool:
        """Whether a file is received, sound, and not kept yet."""
        return self._files.is_received(manifest) and not self._files.is_pinned(manifest)
