# SPDX-License-Identifier: EUPL-1.2
"""The field in which a card's title is written."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.kit.translate import tr


class TitleField(QLineEdit):
    """Shows the title of one card at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Title"))
        self.setPlaceholderText(tr("New task"))

    def event(self, event: QEvent) -> bool:
        """Without anything to undo here, the board's undo has the key."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            idle = (event.matches(undo) and not self.isUndoAvailable()) or (
                event.matches(redo) and not self.isRedoAvailable()
            )
            if idle:
                event.ignore()
                return True
        return super().event(event)
