# SPDX-License-Identifier: EUPL-1.2
"""Where a message is written: to the object of its month, which the month's first message begins."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from app.chat.files import Files, Picture
from app.chat.ports import Members
from app.chat.records import MessageSent, encode
from app.chat.settling import KIND_ID
from app.core import clock
from app.core.ids import ChangeId, ObjId, RoomId
from app.core.months import month_of
from app.errors import NotFound
from app.objects.files import Source
from app.store import series
from app.store.changes import Changes
from app.store.database import Database
from app.store.objects import Objects

REPLY_OBJ_BYTES = 32
"""How many bytes a message's record grows at most by the id of the answered message's object (`reply_obj`)."""
_PLACE = "SELECT obj FROM chat_messages WHERE series = ? AND change_id = ?"


class Writing:
    """Writes the messages of one account. `channel` returns the id of a room's conversation, None if it has none."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        objects: Objects,
        members: Members,
        channel: Callable[[RoomId], ObjId | None],
    ) -> None:
        self._db = db
        self._changes = changes
        self._objects = objects
        self._members = members
        self._channel = channel
        self._begun: dict[tuple[ObjId, int], ObjId] = {}
        """New objects of a conversation and month, until they are announced: messages whose files are being encrypted
        at the same time begin one together."""

    def place(self, room: RoomId) -> ObjId:
        """The object of the room's conversation that a message is written to now: that of the present month by this
        computer's clock, or what `SeriesRows.present` gives in its place. If there is none, a new id, the same for each
        call until `write` has announced it. NotFound if the room has no conversation."""
        part_of, month = self._series(room), _now()
        found = self._objects.series.present(room, part_of, month)
        if found is None:
            found = self._begun.get((part_of, month)) or self._objects.new(room)
            self._begun[part_of, month] = found
        return found

    async def write_files(
        self,
        room: RoomId,
        message: MessageSent,
        files: Files,
        sources: Sequence[Source],
        pictures: Mapping[Source, Picture],
    ) -> ChangeId:
        """Checks and encrypts files and then stores `message` with them. Returns the message's id. `pictures`: what is
        known of those that are images. The errors of `Files.check`, `Files.seal` and `place`; no part is kept then. ▲
        If the month's object is destroyed meanwhile, its parts of files are deleted: they are then encrypted once more,
        for another object. Otherwise the message would be written without its files."""
        self.place(room)
        checked, text_bytes = await files.check(sources), len(encode(message)) + REPLY_OBJ_BYTES
        while True:
            obj = self.place(room)
            try:
                async with files.seal(room, obj, checked, pictures, text_bytes) as (attachments, parts):
                    self._check_not_destroyed(room, obj)
                    return self.write(room, obj, msgspec.structs.replace(message, attachments=attachments), parts)
            except NotFound:
                if not series.is_destroyed(self._db, room, obj):
                    raise

    def _check_not_destroyed(self, room: RoomId, obj: ObjId) -> None:
        if series.is_destroyed(self._db, room, obj):
            raise NotFound

    def write(self, room: RoomId, obj: ObjId, message: MessageSent, parts: Sequence[bytes] = ()) -> ChangeId:
        """Stores a message in `obj`, which `place` returned, and returns its id. If `obj` is new, it is announced in
        the same transaction, for the present month. If the message answers one in another object that is here,
        `reply_obj` is set to that object. `parts`: the ids of the parts of its files. MessageTooLong; NotFound as in
        `place`."""
        answered = self.place_of(room, message.reply_to) if message.reply_to is not None else None
        if answered is not None:
            message = msgspec.structs.replace(message, reply_obj=answered if answered != obj else None)

        def store() -> ChangeId:
            with self._db.transaction():
                if self._objects.get(obj) is None:
                    self._members.announce_part(room, obj, KIND_ID, self._series(room), _now())
                    self._db.after_commit(lambda: self._announced(obj))
                return self._changes.append(room, obj, encode(message), blobs=parts)

        return self._db.again(store)

    def _announced(self, obj: ObjId) -> None:
        self._begun = {key: new for key, new in self._begun.items() if new != obj}

    def place_of(self, room: RoomId, message: bytes) -> ObjId | None:
        """The object of the room's conversation that the message with the id `message` lies in; None if the message
        is not here. NotFound as in `place`."""
        found: ObjId | None = self._db.value(_PLACE, (self._series(room), message))
        return found

    def _series(self, room: RoomId) -> ObjId:
        found = self._channel(room)
        if found is None:
            raise NotFound
        return found


def _now() -> int:
    return month_of(clock.now_ms())
