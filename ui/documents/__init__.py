# SPDX-License-Identifier: EUPL-1.2
"""Documents on screen: a room's list of them, and the editor."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.core.later import Later
from app.documents import KIND
from app.documents.service import DocumentService
from app.documents.tool import TOOL as DOCUMENTS
from ui.documents.trial import TRIAL
from ui.kit.translate import tr
from ui.tool import ShownKind, Tool, ViewParts
from ui.tool_parts import ToolCommand, always

if TYPE_CHECKING:
    from ui.documents import view
    from ui.richtext import editor
else:
    view = Later("ui.documents.view", when_idle=True)
    editor = Later("ui.richtext.editor", when_idle=True)

Parts = ViewParts[DocumentService]


def _open(parts: Parts, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return view.DocumentsView(parts.service, room, obj, parent, reminders=parts.reminders)


def _before(parts: Parts, obj: ObjId, row: int, parent: QWidget | None) -> QWidget:
    document = parts.service.before(obj, row)
    shown = editor.Editor(document, read_only=True, parent=parent)
    shown.destroyed.connect(document.close)
    return shown


TOOL = Tool(
    app=DOCUMENTS,
    title="Documents",
    icon="document",
    noun="documents",
    found="documents",
    open=_open,
    tab_shown=always,
    shows_people=False,
    kinds=(
        ShownKind(
            kind=KIND.id,
            icon="document",
            place_icon="document",
            noun=("document", "documents"),
            listed=True,
            own=None,
            title=lambda document, room_title: document.title or tr("Untitled"),
            line=None,
            link_line=None,
            origins=None,
            before=_before,
            copy_question=lambda: tr("Do you want to put a copy of your text here, as a document of its own?"),
        ),
    ),
    sections=(),
    cards=(),
    notices=(),
    commands=(
        ToolCommand(id="print", title="Print …", icon="print", shortcuts=("Ctrl+P",)),
        ToolCommand(id="export-docx", title="Export as Word document …", icon="export", shortcuts=()),
        ToolCommand(id="export-pdf", title="Export as PDF …", icon="export", shortcuts=()),
        ToolCommand(id="export-markdown", title="Export as Markdown …", icon="export", shortcuts=()),
        ToolCommand(id="move-restricted", title="Move to restricted room …", icon="move", shortcuts=()),
        ToolCommand(id="import", title="Import documents …", icon="upload", shortcuts=()),
    ),
    room_commands=(),
    news=None,
    mark_read=None,
    mark_unread=None,
    settings=(),
    trial=TRIAL,
)
