# SPDX-License-Identifier: EUPL-1.2
"""The product's tools, each with a view that remembers what the window passed it: where to go, and where one was."""

from dataclasses import replace

from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

import ui.chat
import ui.documents
import ui.tasks
from app.core.ids import ObjId, RoomId
from app.session import Session
from app.tool import S
from tests.ui.shell.sample import NOW
from ui.shell.tool_list import ToolList
from ui.tool import AnyTool, Tool, ViewParts
from ui.tool_views import ViewPlace


class FakeView(QWidget):
    """A tool's view that remembers where it was asked to go."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.stood = ViewPlace()
        self.refs: list[tuple[ObjId, bytes]] = []
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(name))
        layout.addStretch(1)
        self.field = QLineEdit()
        self.field.setAccessibleName(f"Skriv i {name}")
        layout.addWidget(self.field)

    def focusInEvent(self, event: object) -> None:
        self.field.setFocus()

    def writing_area(self) -> QWidget:
        """Its field."""
        return self.field

    def view_place(self) -> ViewPlace:
        """Its caret."""
        return ViewPlace(caret=self.field.cursorPosition())

    def restore_place(self, left: ViewPlace) -> None:
        """Remembers."""
        self.stood = left

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Remembers."""
        self.refs.append((obj, ref))


def fake(tool: Tool[S]) -> Tool[S]:
    """The tool with a FakeView in its tab."""

    def open_(parts: ViewParts[S], room: RoomId, obj: ObjId | None, parent: QWidget | None) -> QWidget:
        return FakeView(tool.title, parent)

    return replace(tool, open=open_)


TOOLS: tuple[AnyTool, ...] = (fake(ui.chat.TOOL), fake(ui.documents.TOOL), fake(ui.tasks.TOOL))


def tool_list(session: Session) -> ToolList:
    """The tools joined with a session, at the pictures' moment."""
    return ToolList(TOOLS, session, lambda: NOW)
