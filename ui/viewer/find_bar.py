# SPDX-License-Identifier: EUPL-1.2
"""Finds words in the file that the viewer shows: Ctrl+F opens, Enter goes on, Esc closes."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from ui.kit.announcing import announce
from ui.kit.buttons import IconButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.style import column, label, set_props
from ui.kit.translate import tr


class FindBar(QFrame):
    """A field for words, and buttons for the next and the previous match. It is hidden until `open`. `wanted` is
    emitted with the words when they have changed, `stepped` with 1 (next) or -1 (previous), and `left` when the bar is
    closed.
    """

    wanted = Signal(str)
    stepped = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="header")
        row = FlowLayout(gap=6)
        column(self, margins=(12, 5, 12, 5)).addLayout(row)
        self.field = SearchField(tr("Find in the file"))
        hold(self.field, width=220)
        self.field.textChanged.connect(self.wanted)
        self.field.returnPressed.connect(lambda: self.stepped.emit(1))
        self.count = label("", "small")
        hold(self.count, least_width=90)
        parts: list[QWidget] = [
            self.field,
            self.count,
            IconButton("up", tr("Previous match"), lambda: self.stepped.emit(-1)),
            IconButton("down", tr("Next match"), lambda: self.stepped.emit(1)),
            IconButton("close", tr("Close find"), self.leave),
        ]
        for part in parts:
            row.addWidget(part)
        self.hide()

    def open(self) -> None:
        """Shows the bar, with the caret in the field and its words selected."""
        self.show()
        self.field.setFocus()
        self.field.selectAll()

    def leave(self) -> None:
        """Hides the bar and emits `left`. Does nothing if it is hidden already."""
        if not self.isHidden():
            self.hide()
            self.show_count("")
            self.left.emit()

    def show_count(self, text: str, *, spoken: bool = False) -> None:
        """Shows `text`, the number of matches. `spoken`: a screen reader also announces it."""
        self.count.setText(text)
        if spoken and text:
            announce(self.count, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
