# SPDX-License-Identifier: EUPL-1.2
"""What a person wrote and the disk has refused so far. It is only in memory, and lost when the program ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.ids import ObjId, RoomId
from app.errors import NotFound
from app.rooms.service import RoomService
from app.store.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstored:
    """Edits of one document or board, or one draft. `title` is that of the document or board, "" if it has none; `room`
    is the title of its room. `draft`: a message that was not sent."""

    title: str
    room: str
    draft: bool


def named(objects: Objects, rooms: RoomService, edited: Sequence[ObjId], drafts: Sequence[RoomId]) -> list[Unstored]:
    """Names what is not stored: edits of these objects first, then the drafts in these rooms."""
    rows = [row for row in map(objects.get, edited) if row is not None]
    edits = [Unstored(title=row.title, room=_title(rooms, row.room), draft=False) for row in rows]
    return [*edits, *(Unstored(title="", room=_title(rooms, room), draft=True) for room in drafts)]


def _title(rooms: RoomService, room: RoomId) -> str:
    try:
        return rooms.room(room).title
    except NotFound:
        return ""
