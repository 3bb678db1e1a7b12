# SPDX-License-Identifier: EUPL-1.2
"""Tasks on screen: a room's board."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.tasks import KIND
from app.tasks.tool import TOOL as TASKS
from ui.tasks.kanban import KanbanView
from ui.tasks.view import TasksView
from ui.tool import Tool


def _open(session: Any, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return TasksView(session.service(TASKS), room, obj, parent)


def _before(session: Any, obj: ObjId, row: int, parent: QWidget | None) -> QWidget:
    board = session.service(TASKS).before(obj, row)
    view = KanbanView(board, {}, parent)
    view.destroyed.connect(board.close)
    view.set_writable(False)
    return view


TOOL = Tool(
    id="tasks",
    title="Tasks",
    icon="columns",
    kinds=(KIND.id,),
    open=_open,
    shows_people=False,
    before=_before,
)
