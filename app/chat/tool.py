# SPDX-License-Identifier: EUPL-1.2
"""Chat as the app's tool. Kept out of `app.chat`, which the store's lists import without the service."""

from app.chat import KIND
from app.chat.destroying import Months
from app.chat.keeping import Keeping
from app.chat.opening import Opening
from app.chat.ports import LinkedThings
from app.chat.room_files import RoomFiles
from app.chat.service import ChatService
from app.rooms.founding import Starter
from app.tool import AppTool, Carry, NoBaseline, NoCopy, NoSnapshot, Parts, ToolKind
from sync.client.ports import TYPING


def _make(parts: Parts) -> ChatService:
    service = ChatService(
        parts.db,
        parts.changes,
        parts.objects,
        parts.people,
        parts.rooms,
        blobs=RoomFiles(parts.files, parts.objects, parts.origin_of),
        lines=parts.lines,
        room_changed=parts.room_changed,
        things=LinkedThings(parts.room_changed, parts.find),
        send_ephemeral=parts.send_ephemeral,
        reads=parts.reads,
        drafts=parts.drafts,
        shows_typing=parts.shows_typing,
    )
    service.may_export = parts.may_export
    service.may_print = parts.may_print
    service.keeping = Keeping(parts.db, parts.files, service.channel)
    service.opening = Opening(parts.db, service.files, parts.copies, parts.may_export)
    service.months = Months(parts.db, parts.changes, parts.rooms, service, parts.destroying)
    return service


_STATEMENTS = "each message stays its author's own statement"

TOOL = AppTool(
    id="chat",
    service=ChatService,
    make=_make,
    kinds=(
        ToolKind(
            kind=KIND,
            baseline=NoBaseline(f"a conversation only grows, and {_STATEMENTS}"),
            snapshot=NoSnapshot(_STATEMENTS),
            successor=Carry(ChatService.carry),
            copier=NoCopy("records are projected one by one, and none of them is held back"),
            notices=KIND.notices,
            starter=Starter(kind=KIND.id),
        ),
    ),
    ephemeral=TYPING,
)
