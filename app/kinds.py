# SPDX-License-Identifier: EUPL-1.2
"""The product's one list of tools: a new tool adds its line here. It is an argument of `app.bootstrap.Office`, and
nothing below bootstrap reads it."""

from collections.abc import Sequence

from app.chat.tool import TOOL as CHAT
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.kind import Kind
from app.own import KIND as OWN
from app.personal import KIND as PERSONAL
from app.rooms.projection import KIND as ROOM
from app.tasks.tool import TOOL as TASKS
from app.tool import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    CHAT,
    DOCUMENTS,
    TASKS,
)


def kinds_of(tools: Sequence[AnyTool]) -> tuple[Kind, ...]:
    """All kinds of objects in a store: those of rooms, and those of a person's own rooms."""
    return (*room_kinds_of(tools), PERSONAL, OWN)


def room_kinds_of(tools: Sequence[AnyTool]) -> tuple[Kind, ...]:
    """The kinds of objects in rooms with other members: that of a room's own records, and those of the tools."""
    return (ROOM, *(kind for tool in tools for kind in tool.store_kinds))


KINDS = kinds_of(TOOLS)
