# SPDX-License-Identifier: EUPL-1.2
"""All files of one conversation, read from the rows of its messages."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from app.core import clock
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.connection import Row
from app.store.database import Database
from app.store.statements import MAX_INT


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a list needs of an attachment. The preview and the manifest are passed over."""

    name: str
    size_bytes: int


_heads = msgspec.msgpack.Decoder(tuple[_Head, ...])
_SELECT = (
    "SELECT change_id, author, t, attachments, obj, sort FROM chat_messages"
    " WHERE series = ? AND deleted_by IS NULL AND attachments != x'90'"
)
"""x'90' is an empty list in msgpack, in the words of the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file of a message. `message` is the message's id, `obj` the object that the message lies in, `number` the
    file's index in the message. `author` is the person who is shown as the message's author; `t` its time in ms."""

    message: ChangeId
    number: int
    name: str
    size_bytes: int
    author: Uid
    t: int
    obj: ObjId

    @property
    def key(self) -> tuple[ChangeId, int]:
        """The key that no other file of the conversation has."""
        return self.message, self.number

    @property
    def when(self) -> datetime:
        """`t` in local time."""
        return clock.local(self.t)


AT_ONCE = 40
"""Messages with files that are read at once: a preview is up to 48 KiB, and 40 messages with one take 1 ms."""


class AttachedFiles:
    """Lists the files of rooms' conversations. `channel_of` returns a room's conversation, by its first object; None if
    it has none yet."""

    def __init__(self, db: Database, channel_of: Callable[[RoomId], ObjId | None]) -> None:
        self._db = db
        self._channel_of = channel_of

    async def all(self, room: RoomId) -> list[AttachedFile]:
        """The files of the room's conversation that are not deleted, those of the newest message first; files of one
        message in their order. Lets the event loop turn between AT_ONCE messages."""
        found, before, channel = list[AttachedFile](), MAX_INT, self._channel_of(room)
        sql = _SELECT + " AND sort < ? ORDER BY sort DESC LIMIT ?"
        while rows := self._db.rows(sql, (channel, before, AT_ONCE)):
            found += _files(rows)
            before = int(rows[-1][5])
            await asyncio.sleep(0)
        return found

    def any(self, room: RoomId) -> bool:
        """Whether the room's conversation has a file that is not deleted. Some 20 µs."""
        return self._db.one(_SELECT + " LIMIT 1", (self._channel_of(room),)) is not None

    def near(self, room: RoomId, message: ChangeId) -> list[AttachedFile]:
        """The files of a message and of at most AT_ONCE messages with files before and after it, the oldest message
        first. [] if the message is not here."""
        channel = self._channel_of(room)
        sort = self._db.value("SELECT sort FROM chat_messages WHERE series = ? AND change_id = ?", (channel, message))
        if sort is None:
            return []
        before = self._db.rows(_SELECT + " AND sort < ? ORDER BY sort DESC LIMIT ?", (channel, sort, AT_ONCE))
        after = self._db.rows(_SELECT + " AND sort >= ? ORDER BY sort LIMIT ?", (channel, sort, AT_ONCE + 1))
        return _files([*before[::-1], *after])


def _files(rows: Sequence[Row]) -> list[AttachedFile]:
    return [
        AttachedFile(
            message=change_id,
            number=number,
            name=file.name,
            size_bytes=file.size_bytes,
            author=author,
            t=t,
            obj=obj,
        )
        for change_id, author, t, files, obj, _ in rows
        for number, file in enumerate(_heads.decode(files))
    ]
