# SPDX-License-Identifier: EUPL-1.2
"""Tasks as the app's tool. Kept out of `app.tasks`, which the worker imports without the service."""

from app.core.i18n import tr
from app.core.ids import ObjId, RoomId
from app.rooms.founding import Starter
from app.store.long_writes import Decided, Progress
from app.tasks import KIND
from app.tasks.compaction import compact
from app.tasks.service import TaskService, new_board
from app.tool import AppTool, Offer, Parts, ToolKind, from_snapshot


def _make(parts: Parts) -> TaskService:
    return TaskService(
        parts.db,
        parts.changes,
        parts.objects,
        parts.people,
        parts.rooms,
        parts.rooms,
        parts.notices,
        parts.own_room,
        alarms=parts.alarms,
    )


def _first_board() -> bytes:
    return new_board(tr("Tasks"), (tr("To do"), tr("In progress"), tr("Review"), tr("Finished")))


async def _copy_into(
    service: TaskService, obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: Decided
) -> int:
    return await service.copy_cards(obj, room, into, progress, decided)


TOOL = AppTool(
    id="tasks",
    service=TaskService,
    make=_make,
    kinds=(
        ToolKind(
            kind=KIND,
            baseline=from_snapshot,
            snapshot=compact,
            successor=Offer(copy_into=_copy_into),
            copier=TaskService.copy,
            notices=KIND.notices,
            starter=Starter(kind=KIND.id, first=_first_board),
        ),
    ),
    ephemeral=None,
)
