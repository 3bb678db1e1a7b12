# SPDX-License-Identifier: EUPL-1.2
"""Drafts of messages: stored for each conversation, and kept in memory while the disk refuses them."""

from collections.abc import Callable, Collection
from contextlib import suppress

import msgspec

from app.chat.ports import SharedDraft, SharedDrafts
from app.chat.records import MAX_TEXT
from app.core.ids import ObjId, RoomId
from app.errors import StoreFault
from app.store.objects import Objects
from app.tool import Unsaved


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The draft of a message in a room. `reply_to`: the message that it answers, if any. `edits`: the own message that
    is being edited, if any; `text` is then its new text, and `aside` and `aside_reply_to` are the draft from before the
    edit. `files`: paths of attached files. `pictures`: the number of pasted pictures; the pictures are not kept."""

    text: str = ""
    reply_to: bytes | None = None
    edits: bytes | None = None
    aside: str = ""
    aside_reply_to: bytes | None = None
    files: tuple[str, ...] = ()
    pictures: int = 0


def _reply(shared: SharedDraft) -> bytes | None:
    with suppress(ValueError, TypeError):
        return bytes.fromhex(shared.aside.get("reply_to", "")) or None
    return None


def _as_draft(shared: SharedDraft) -> Draft:
    return Draft(text=shared.text, reply_to=_reply(shared))


class Drafts:
    """The drafts of an account's conversations. `channel` returns the id of a room's conversation, None if it has
    none."""

    def __init__(
        self, objects: Objects, channel: Callable[[RoomId], ObjId | None], shared: SharedDrafts | None = None
    ) -> None:
        """`shared`: the drafts that the person's devices share; None without them."""
        self._objects = objects
        self._shared = shared
        self._taken: dict[ObjId, tuple[SharedDraft, ...]] = {}
        """Drafts of other devices that the person has seen here in place of their own."""
        self._channel = channel
        self._unkept: dict[RoomId, Draft] = {}
        """Drafts that could not be stored because the disk refused; by room."""

    def get(self, room: RoomId) -> Draft:
        """The draft of a room, also after a restart. If this device has none, returns the newest one of the person's
        other devices and stores it here too. Returns an empty draft if there is none, or if it cannot be decoded."""
        here, obj = self._here(room), self._channel(room)
        others = self._shared.others(obj.hex()) if self._shared is not None and obj is not None else ()
        if obj is None or not others:
            return here
        if here == Draft():
            here = _as_draft(others[0])
            with suppress(StoreFault):  # the other device has it
                self.keep(room, here)
        taken = [each for each in others if _as_draft(each) == here]
        self._taken[obj] = (*self._taken.get(obj, ()), *taken)
        return here

    def leave(self, room: RoomId) -> None:
        """Shares the stored draft of a room with the person's other devices. Call it when the person leaves the field.
        The draft replaces those drafts of other devices that were shown here. Attached files and the text of an edit
        are not shared, and neither is a text that is too long for a message: it stays on this device."""
        obj = self._channel(room)
        if self._shared is None or obj is None:
            return
        draft, taken = self._here(room), self._taken.get(obj, ())
        if taken and draft == _as_draft(taken[-1]):
            return
        text, reply = (draft.text, draft.reply_to) if draft.edits is None else (draft.aside, draft.aside_reply_to)
        if len(text) > MAX_TEXT:
            return
        aside = {"reply_to": reply.hex()} if reply is not None and text else {}
        self._shared.share(obj.hex(), text, aside, self._taken.pop(obj, ()))

    def follow(self, room: RoomId) -> bool:
        """Drops the room's draft if another device has sent or changed it, and if it was not changed here since it was
        shared. ▲ A draft that was changed here is kept. Otherwise the other device would delete what the person typed
        here. Returns whether this device has no draft now, so that another device's may be shown. StoreFault if the
        disk refuses to drop it."""
        obj, here = self._channel(room), self._here(room)
        if self._shared is None or obj is None:
            return False
        place, taken = obj.hex(), self._taken.get(obj, ())
        known = taken[-1] if taken else self._shared.written(place)
        counts = (self._shared.mine(place), *self._shared.others(place))
        if known is not None and known not in counts and here == _as_draft(known):
            self._taken.pop(obj, None)
            self.keep(room, Draft())
            here = Draft()
        return here == Draft()

    def follow_all(self, places: Collection[str]) -> list[RoomId]:
        """Calls `follow` for each of `places`, the ids of conversations in hexadecimal. Returns the rooms for which it
        returned True. A place that this device does not know is left out, and so is one whose draft the disk refuses to
        drop."""
        found = []
        for place in places:
            with suppress(ValueError, StoreFault):
                row = self._objects.get(ObjId(bytes.fromhex(place)))
                if row is not None and self.follow(row.room):
                    found.append(row.room)
        return found

    def _here(self, room: RoomId) -> Draft:
        if room in self._unkept:
            return self._unkept[room]
        obj = self._channel(room)
        kept = self._objects.draft(obj) if obj else None
        try:
            return msgspec.msgpack.decode(kept, type=Draft) if kept else Draft()
        except msgspec.MsgspecError:
            return Draft()

    def keep(self, room: RoomId, draft: Draft) -> None:
        """Stores the draft of a room; an empty one removes the stored draft. Does nothing in a room without a
        conversation. StoreFault if the disk refuses: the draft then stays in memory until `save` has stored it."""
        try:
            obj = self._channel(room)
            is_kept = room not in self._unkept and draft == self._here(room)
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
