# SPDX-License-Identifier: EUPL-1.2
"""Marks the words of a search in a document. The marks move with the text, and stay until the person removes them by
Esc."""

from collections.abc import Iterable

from PySide6.QtGui import QPainter, QTextCursor
from PySide6.QtWidgets import QTextEdit

from ui.kit.marked import paint_ground
from ui.richtext.carets import rects_in_sight

MOST = 1000
"""The most words that are marked in one document: each costs a microsecond at every repaint."""


class FoundWords:
    """Marks the words of a search in one editor, which calls `paint` before its text. The marks move with the text."""

    def __init__(self, edit: QTextEdit) -> None:
        self._edit = edit
        self._cursors: list[QTextCursor] = []

    def show(self, places: Iterable[tuple[int, int]]) -> None:
        """Marks the words at these places, (position, length) in UTF-16 units, in place of those that were marked
        before; at most MOST (1000) of them, the first."""
        self._cursors = []
        for position, length in list(places)[:MOST]:
            cursor = QTextCursor(self._edit.document())
            cursor.setPosition(position)
            cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
            self._cursors.append(cursor)
        self._edit.viewport().update()

    def shown(self) -> list[str]:
        """The marked words, as they are in the text now."""
        return [cursor.selectedText() for cursor in self._cursors if cursor.hasSelection()]

    def paint(self, painter: QPainter) -> None:
        """Paints the ground behind the marked words (those of a search) that are in sight."""
        for cursor in self._cursors:
            if cursor.hasSelection():
                for rect in rects_in_sight(self._edit, cursor):
                    paint_ground(painter, rect)
