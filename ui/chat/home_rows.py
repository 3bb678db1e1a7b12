# SPDX-License-Identifier: EUPL-1.2
"""What of the chats waits for an answer on Home: messages that mention the person, and conversations of two."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from app.chat import KIND
from app.chat.model import MentionRow
from app.chat.service import ChatService
from app.core.enums import RoomType
from app.core.ids import RoomId
from app.objects.links import ObjectLink
from app.rooms.service import RoomSummary
from ui.kit.translate import tr
from ui.tool import ViewParts
from ui.tool_parts import HomeRow

_MENTIONS = 6
_ASKED = 200
"""The most unread mentions that are searched for those in rooms that are still here."""


def home_rows(parts: ViewParts[ChatService], new: AbstractSet[RoomId]) -> list[HomeRow]:
    """The rows that the chats add to the Home page: the latest unread messages that mention the person (at most six),
    then conversations of two with something unread or in `new`, the latest first, if none of those mentions is in them.
    `new` are rooms that the person was added to and has not opened. Muted conversations are left out."""
    rooms = {each.room: each for each in parts.rooms.rooms()}
    unread = parts.service.mentions(_ASKED, unread_only=True)
    mentions = [each for each in unread if each.room in rooms][:_MENTIONS]
    written = directs(list(rooms.values()), {each.room for each in mentions}, new)
    return [
        *(_mention(parts, mention, rooms[mention.room].title) for mention in mentions),
        *(_direct(room) for room in written),
    ]


def directs(rooms: Sequence[RoomSummary], named: set[RoomId], new: AbstractSet[RoomId]) -> list[RoomSummary]:
    """Those of `rooms` that are conversations of two, the latest first, in which something is written, and of which
    something is unread or which are in `new` (rooms that the person was added to and has not opened). Left out are
    muted ones, those that the person has left or that another room continues, and those in `named`, of which a mention
    is shown already."""
    found = [
        room
        for room in rooms
        if room.type is RoomType.DIRECT and room.preview and (room.unread or room.room in new)
        if room.room not in named and not (room.muted or room.left or room.replaced)
    ]
    return sorted(found, key=lambda room: -room.last_ms)


def _mention(parts: ViewParts[ChatService], mention: MentionRow, room_title: str) -> HomeRow:
    author = parts.people.person(mention.author).name
    link = ObjectLink(room=mention.room, obj=mention.obj, kind=KIND.id, ref=bytes(mention.change_id))
    return HomeRow(
        key=link,
        icon="mention",
        title=tr("You were mentioned in {room}").format(room=room_title),
        detail=f"{author}: {' '.join(mention.text.split())}",
        t_ms=mention.t,
        room=mention.room,
        link=link,
        introduces=False,
    )


def _direct(room: RoomSummary) -> HomeRow:
    return HomeRow(
        key=("direct", room.room),
        icon="chat",
        title=tr("Message from {name}").format(name=room.title),
        detail=room.preview,
        t_ms=room.last_ms,
        room=room.room,
        link=None,
        introduces=True,
    )
