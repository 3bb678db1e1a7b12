# SPDX-License-Identifier: EUPL-1.2
"""What was being written in conversations and is not sent: stored by the conversation, and kept in memory while the
disk refuses it."""

from collections.abc import Callable

import msgspec

from app.core.ids import ObjId, RoomId
from app.errors import StoreFault
from app.store.objects import Objects
from app.tool import Unsaved


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was being written in a room and is not sent. `edits`: the own message that is being edited, if any; `text`
    is then its new text, `aside` and `aside_reply_to` are the draft from before. `files`: paths of attached files.
    `pictures`: the number of pasted pictures; the pictures themselves are not kept."""

    text: str = ""
    reply_to: bytes | None = None
    edits: bytes | None = None
    aside: str = ""
    aside_reply_to: bytes | None = None
    files: tuple[str, ...] = ()
    pictures: int = 0


class Drafts:
    """The drafts of an account's conversations. `channel` returns the id of a room's conversation, None if it has
    none."""

    def __init__(self, objects: Objects, channel: Callable[[RoomId], ObjId | None]) -> None:
        self._objects = objects
        self._channel = channel
        self._unkept: dict[RoomId, Draft] = {}
        """Drafts that could not be stored because the disk refused; by room."""

    def get(self, room: RoomId) -> Draft:
        """What was being written in a room, also after a restart; an empty draft if nothing was, or if it cannot be
        read."""
        if room in self._unkept:
            return self._unkept[room]
        obj = self._channel(room)
        kept = self._objects.draft(obj) if obj else None
        try:
            return msgspec.msgpack.decode(kept, type=Draft) if kept else Draft()
        except msgspec.MsgspecError:
            return Draft()

    def keep(self, room: RoomId, draft: Draft) -> None:
        """Stores what is being written in a room; an empty draft removes what was stored. Does nothing in a room
        without a conversation. If the disk refuses, this raises StoreFault and the draft stays in memory until `save`
        has stored it."""
        try:
            obj = self._channel(room)
            is_kept = room not in self._unkept and draft == self.get(room)
        except StoreFault:
            self._unkept[room] = draft
            raise
        if obj is None:
            self._unkept.pop(room, None)
        if obj is None or is_kept:
            return
        self._unkept[room] = draft
        self._objects.set_draft(room, obj, None if draft == Draft() else msgspec.msgpack.encode(draft))
        del self._unkept[room]

    def save(self) -> None:
        """Tries again to store the drafts that the disk refused. StoreFault if it refuses one of them again, after all
        were tried; the refused ones stay in memory."""
        faults: list[StoreFault] = []
        for room, draft in list(self._unkept.items()):
            try:
                self.keep(room, draft)
            except StoreFault as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    def unstored(self) -> list[Unsaved]:
        """The drafts that the disk has refused, each named by its room's root object (`ObjId(room)`), since the store
        may be closed by now. Only drafts with a text or files count: with an emptied one nothing is lost."""
        kept = [room for room, draft in self._unkept.items() if draft.text or draft.aside or draft.files]
        return [Unsaved(obj=ObjId(room), draft=True) for room in kept]
