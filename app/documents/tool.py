# SPDX-License-Identifier: EUPL-1.2
"""Documents as the app's tool. Kept out of `app.documents`, which the worker imports without the service."""

from app.core.ids import ObjId, RoomId
from app.documents import KIND
from app.documents.compaction import compact
from app.documents.service import DocumentService
from app.store.long_writes import Decided, Progress
from app.tool import AppTool, Offer, Parts, ToolKind, from_snapshot
from sync.client.ports import CARET


def _make(parts: Parts) -> DocumentService:
    service = DocumentService(
        parts.db,
        parts.changes,
        parts.objects,
        parts.people,
        parts.rooms,
        send_ephemeral=parts.send_ephemeral,
        shows_reading=parts.shows_reading,
    )
    service.files.may_export = parts.may_export
    service.rooms_within = parts.rooms_within
    service.files.may_print = parts.may_print
    service.live_changed.connect(lambda room, obj, live: parts.set_shared(obj, live))
    return service


async def _copy_into(
    service: DocumentService, obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: Decided
) -> ObjId:
    return await service.copy(obj, room, progress, decided)


async def _copy(service: DocumentService, obj: ObjId, progress: Progress) -> ObjId:
    return await service.copy(obj, progress=progress)


TOOL = AppTool(
    id="documents",
    service=DocumentService,
    make=_make,
    kinds=(
        ToolKind(
            kind=KIND,
            baseline=from_snapshot,
            snapshot=compact,
            successor=Offer(copy_into=_copy_into),
            copier=_copy,
            notices=(),
            starter=None,
        ),
    ),
    ephemeral=CARET,
)
