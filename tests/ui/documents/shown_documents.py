# SPDX-License-Identifier: EUPL-1.2
"""The documents view of a desk, and a document with some text in it."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.richtext.flow import Style
from tests.app.documents.desks import Desk
from tests.office import ROOM
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView

CTRL = Qt.KeyboardModifier.ControlModifier


def show(qtbot: QtBot, desk: Desk, obj: ObjId | None = None) -> DocumentsView:
    view = DocumentsView(desk.documents, ROOM, obj)
    qtbot.addWidget(view, before_close_func=lambda widget: widget.show_list())
    view.resize(1100, 760)
    view.show()
    return view


def opened(view: DocumentsView) -> DocumentView:
    assert view.document is not None
    return view.document


def written(qtbot: QtBot, desk: Desk, text: str) -> DocumentView:
    """A new document with a text, the caret at its beginning."""
    document = opened(show(qtbot, desk, desk.documents.create(ROOM, "Beslut")))
    document.editor.textCursor().insertText(text)
    document.editor.select(0)
    return document


def decision(desk: Desk, title: str = "Beslut: 1/2 å") -> ObjId:
    """A new document with a heading and a point of a list."""
    obj = desk.documents.create(ROOM, title)
    document = desk.documents.open(obj)
    document.splice(0, 0, "Skäl ö 🙂\nPunkt")
    document.set_styles(0, [Style(heading=1), Style(list="ol", indent=1)])
    desk.documents.close(obj)
    return obj
