# SPDX-License-Identifier: EUPL-1.2
"""Documents on screen: a room's list of them, and the editor."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.documents import KIND
from app.documents.tool import TOOL as DOCUMENTS
from ui.documents.view import DocumentsView
from ui.richtext.editor import Editor
from ui.tool import Tool


def _open(session: Any, room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
    return DocumentsView(session.service(DOCUMENTS), room, obj, parent)


def _before(session: Any, obj: ObjId, row: int, parent: QWidget | None) -> QWidget:
    document = session.service(DOCUMENTS).before(obj, row)
    editor = Editor(document, read_only=True, parent=parent)
    editor.destroyed.connect(document.close)
    return editor


TOOL = Tool(
    id="documents",
    title="Documents",
    icon="document",
    kinds=(KIND.id,),
    open=_open,
    shows_people=False,
    before=_before,
)
