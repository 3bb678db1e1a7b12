# SPDX-License-Identifier: EUPL-1.2
"""Minutes as the app's tool."""

from app.core.ids import ObjId, RoomId
from app.store.long_writes import Decided, Progress
from app.tool import AppTool, Carry, NoBaseline, NoCopy, NoSnapshot, Offer, Parts, ToolKind, from_snapshot
from tests.sample_tool.app import AGENDA, MINUTE
from tests.sample_tool.app.agenda import ADDED
from tests.sample_tool.app.projection import compact
from tests.sample_tool.app.service import MinutesService


def _make(parts: Parts) -> MinutesService:
    return MinutesService(parts.db, parts.changes, parts.objects, parts.rooms)


async def _copy_into(
    service: MinutesService, obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: Decided
) -> ObjId:
    return await service.copy(obj, room)


async def _copy(service: MinutesService, obj: ObjId, progress: Progress) -> ObjId:
    return await service.copy(obj)


TOOL = AppTool(
    id="minutes",
    service=MinutesService,
    make=_make,
    kinds=(
        ToolKind(
            kind=MINUTE,
            baseline=from_snapshot,
            snapshot=compact,
            successor=Offer(copy_into=_copy_into),
            copier=_copy,
            notices=(),
            starter=None,
        ),
        ToolKind(
            kind=AGENDA,
            baseline=NoBaseline("an agenda is of one meeting, and each item stays its author's own statement"),
            snapshot=NoSnapshot("each item stays its author's own statement"),
            successor=Carry(MinutesService.carry),
            copier=NoCopy("records are projected one by one, and none of them is held back"),
            notices=(ADDED,),
            starter=None,
        ),
    ),
    ephemeral=None,
)
