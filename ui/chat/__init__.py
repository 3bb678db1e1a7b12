# SPDX-License-Identifier: EUPL-1.2
"""Chat on screen."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.chat import KIND
from app.chat.service import ChatService
from app.chat.tool import TOOL as CHAT
from app.core.ids import ObjId, RoomId
from app.core.later import Later
from ui.chat.notices import NOTICES
from ui.kit.translate import tr, trn
from ui.tool import RoomCommand, ShownKind, Tool, Trial, ViewParts
from ui.tool_parts import NewsWords, Origin, Place, with_an_object

if TYPE_CHECKING:
    from ui.chat import destroy_dialog, view
else:
    destroy_dialog = Later("ui.chat.destroy_dialog", when_idle=True)
    view = Later("ui.chat.view", when_idle=True)

Parts = ViewParts[ChatService]


def _open(parts: Parts, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return view.ChatView(
        parts.service,
        room,
        parent,
        words=parts.links,
        presence=parts.presence,
        reminders=parts.reminders,
    )


def _may_destroy(service: ChatService, room: RoomId) -> bool:
    return service.months is not None and service.months.may_destroy(room)


async def _destroy_months(parts: Parts, room: RoomId, window: QWidget) -> None:
    await destroy_dialog.destroy_months(parts, room, window)


def _origins(parts: Parts, places: Sequence[Place]) -> Mapping[Place, Origin]:
    return {
        place: Origin(person=parts.people.person(author.uid), quoted=author.quotes)
        for place, author in parts.service.authors(places).items()
    }


def _reads(service: ChatService, room: RoomId, words: str) -> bool:
    timeline = service.timeline(room)
    return any(words in timeline.message(row).text for row in range(len(timeline)))


TOOL = Tool(
    app=CHAT,
    title="Chat",
    icon="chat",
    noun="chat",
    found="messages",
    open=_open,
    tab_shown=with_an_object,
    shows_people=True,
    kinds=(
        ShownKind(
            kind=KIND.id,
            icon="chat",
            place_icon="chat",
            noun=("chat", "chat"),
            listed=False,
            own=None,
            title=lambda chat, room_title: room_title,
            line=None,
            link_line=None,
            origins=_origins,
            before=None,
            copy_question=None,
        ),
    ),
    sections=(),
    cards=(),
    notices=NOTICES,
    commands=(),
    room_commands=(
        RoomCommand(
            id="destroy-months",
            title="Dispose of messages …",
            icon="delete",
            may=_may_destroy,
            run=_destroy_months,
        ),
    ),
    news=NewsWords(
        named_in=lambda room: tr("You were mentioned in {room}").format(room=room),
        new_in=lambda room: tr("New message in {room}").format(room=room),
        new_with=lambda text: tr("New message: {text}").format(text=text),
        named=lambda: tr("You were mentioned in a room."),
        count=lambda n: trn("{n} new message", "{n} new messages", n).format(n=n),
    ),
    mark_read=ChatService.mark_all_read,
    mark_unread=ChatService.mark_room_unread,
    settings=(),
    trial=Trial(write=ChatService.send, reads=_reads, checks=()),
)
