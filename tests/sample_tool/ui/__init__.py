# SPDX-License-Identifier: EUPL-1.2
"""Minutes on screen."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.core.later import Later
from tests.sample_tool.app import AGENDA, MINUTE
from tests.sample_tool.app.agenda import ADDED as AGENDA_ITEM
from tests.sample_tool.app.service import MinutesService
from tests.sample_tool.app.tool import TOOL as MINUTES
from tests.sample_tool.ui.trial import TRIAL
from ui.kit.translate import tr, trn
from ui.tool import HomeCard, Section, ShownKind, ShownNotice, Tool, ViewParts
from ui.tool_parts import NewsWords, ToolCommand, always

if TYPE_CHECKING:
    from tests.sample_tool.ui import everywhere, view
    from ui.richtext import editor
else:
    everywhere = Later("tests.sample_tool.ui.everywhere", when_idle=True)
    view = Later("tests.sample_tool.ui.view", when_idle=True)
    editor = Later("ui.richtext.editor", when_idle=True)

Parts = ViewParts[MinutesService]


def _open(parts: Parts, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return view.MinutesView(parts, room, obj, parent)


def _before(parts: Parts, obj: ObjId, row: int, parent: QWidget | None) -> QWidget:
    document = parts.service.before(obj, row)
    shown = editor.Editor(document, read_only=True, parent=parent)
    shown.destroyed.connect(document.close)
    return shown


TOOL = Tool(
    app=MINUTES,
    title="Minutes",
    icon="draft",
    noun="minutes",
    found="minutes",
    open=_open,
    tab_shown=always,
    shows_people=True,
    kinds=(
        ShownKind(
            kind=MINUTE.id,
            icon="draft",
            place_icon="draft",
            noun=("set of minutes", "sets of minutes"),
            listed=True,
            own=None,
            title=lambda minutes, room_title: minutes.title or tr("Untitled"),
            line=None,
            link_line=None,
            origins=None,
            before=_before,
            copy_question=lambda: tr("Do you want to put a copy of your minutes here?"),
        ),
        ShownKind(
            kind=AGENDA.id,
            icon="draft",
            place_icon="checklist",
            noun=("agenda", "agendas"),
            listed=False,
            own=None,
            title=lambda agenda, room_title: room_title,
            line=None,
            link_line=None,
            origins=None,
            before=None,
            copy_question=None,
        ),
    ),
    sections=(
        Section(
            id="minutes",
            title="Minutes",
            icon="draft",
            make=lambda parts: everywhere.AllMinutes(parts),
            count=lambda parts: parts.service.new_count(),
            own=None,
            commands=(),
        ),
    ),
    cards=(HomeCard(title="Minutes", make=lambda parts: everywhere.HomeMinutes(parts)),),
    notices=(
        ShownNotice(
            kind=AGENDA_ITEM.id,
            icon="checklist",
            name="Minutes",
            words=lambda notice, who, room, text: (tr("New in the minutes of {room}").format(room=room), text),
            hidden=lambda n: tr("There is something new in minutes."),
            linked=MinutesService.linked,
            counted=True,
        ),
    ),
    mark_read=None,
    room_commands=(),
    commands=(ToolCommand(id="new-minutes", title="New minutes", icon="add", shortcuts=("Ctrl+Shift+M",)),),
    news=NewsWords(
        named_in=lambda room: tr("New in the minutes of {room}").format(room=room),
        new_in=lambda room: tr("New in the minutes of {room}").format(room=room),
        new_with=lambda text: tr("New in the minutes: {text}").format(text=text),
        named=lambda: tr("There is something new in minutes."),
        count=lambda n: trn("{n} new thing in minutes", "{n} new things in minutes", n).format(n=n),
    ),
    mark_unread=None,
    settings=(),
    trial=TRIAL,
)
