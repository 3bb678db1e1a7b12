# SPDX-License-Identifier: EUPL-1.2
"""Tasks on screen: a room's board, a person's tasks over all rooms, and their own board."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.core.later import Later
from app.rooms.service import ObjectSummary
from app.tasks import KIND
from app.tasks.service import TaskService
from app.tasks.tool import TOOL as TASKS
from ui.kit.translate import tr, trn
from ui.tasks.linked import link_line
from ui.tasks.notices import NOTICES
from ui.tasks.trial import TRIAL
from ui.tool import HomeCard, Section, ShownKind, Tool, ViewParts
from ui.tool_parts import SectionCommand, with_an_object
from ui.tool_views import OWN

if TYPE_CHECKING:
    from ui.tasks import board_page, home_card, kanban, task_pages
else:
    board_page = Later("ui.tasks.board_page", when_idle=True)
    home_card = Later("ui.tasks.home_card", when_idle=True)
    kanban = Later("ui.tasks.kanban", when_idle=True)
    task_pages = Later("ui.tasks.task_pages", when_idle=True)

Parts = ViewParts[TaskService]


def _open(parts: Parts, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return board_page.board_view(parts.service, room, obj, parent, reminders=parts.reminders)


def _before(parts: Parts, obj: ObjId, row: int, parent: QWidget | None) -> QWidget:
    board = parts.service.before(obj, row)
    shown = kanban.KanbanView(board, lambda: (), parent)
    shown.destroyed.connect(board.close)
    shown.set_writable(False)
    return shown


def _title(board: ObjectSummary, room_title: str) -> str:
    return f"{board.title or tr('Tasks')} · {room_title}"


def _line(parts: Parts, board: ObjectSummary) -> str:
    done, total = parts.service.done_of(board.room)
    if not total:
        return tr("No tasks yet")
    return trn("{done} of {n} done", "{done} of {n} done", total).format(done=done, n=total)


TOOL = Tool(
    app=TASKS,
    title="Tasks",
    icon="columns",
    noun="tasks",
    found="tasks",
    open=_open,
    tab_shown=with_an_object,
    shows_people=False,
    kinds=(
        ShownKind(
            kind=KIND.id,
            icon="columns",
            place_icon="tasks",
            noun=("board", "boards"),
            listed=True,
            own="My own board",
            title=_title,
            line=_line,
            link_line=link_line,
            origins=None,
            before=_before,
            copy_question=lambda: tr("Do you want to add your cards here as new ones?"),
        ),
    ),
    sections=(
        Section(
            id="tasks",
            title="Tasks",
            icon="tasks",
            make=lambda parts: task_pages.TaskPages(parts),
            count=None,
            own=KIND.id,
            commands=(
                SectionCommand(id="own-board", title="My own board", icon="columns", shortcuts=(), tab=OWN),
                SectionCommand(
                    id="new-own-task", title="New task of my own", icon="add", shortcuts=("Ctrl+Shift+T",), tab=""
                ),
            ),
        ),
    ),
    cards=(HomeCard(title="My tasks", make=lambda parts: home_card.HomeTasks(parts)),),
    notices=NOTICES,
    commands=(),
    room_commands=(),
    news=None,
    mark_read=None,
    mark_unread=None,
    settings=(),
    trial=TRIAL,
)
