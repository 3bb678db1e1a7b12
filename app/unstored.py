# SPDX-License-Identifier: EUPL-1.2
"""What a person wrote and the disk has refused so far. It is only in memory, and lost when the program ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.ids import RoomId
from app.errors import NotFound
from app.rooms.service import RoomService
from app.store.objects import Objects
from app.tool import Unsaved


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstored:
    """Something that a person wrote and the disk has refused: edits of one document or board, or one message that was
    not sent (`draft`). `title` is that of the document or board, "" if it has none; `room` is the title of its room.
    Both are "" for what is in the room of one's own."""

    title: str
    room: str
    draft: bool


def named(objects: Objects, rooms: RoomService, unsaved: Sequence[Unsaved]) -> list[Unstored]:
    """For each of `unsaved`, what the disk has refused: the title of its object ("" for a draft) and of its room ("" if
    the room is unknown). Edits come first, then drafts. Leaves out what belongs to an object that the store does not
    have."""
    found = [(each, objects.get(each.obj)) for each in sorted(unsaved, key=lambda each: each.draft)]
    return [
        Unstored(title="" if each.draft else row.title, room=_title(rooms, row.room), draft=each.draft)
        for each, row in found
        if row is not None
    ]


def _title(rooms: RoomService, room: RoomId) -> str:
    try:
        return rooms.room(room).title
    except NotFound:
        return ""
