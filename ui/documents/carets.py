# SPDX-License-Identifier: EUPL-1.2
"""Paints colleagues' carets with a name flag, and the ground under what they have selected."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.documents.service import Caret
from ui.kit import theme
from ui.kit.fonts import TINY_PX, font

_FLAG_HEIGHT = 17
_GROUND_ALPHA = {False: 40, True: 110}  # by dark


def grounds(edit: QTextEdit, carets: Sequence[Caret]) -> list[QTextEdit.ExtraSelection]:
    """What colleagues have selected, in their colours."""
    result = []
    last = edit.document().characterCount() - 1
    for caret in carets:
        if caret.anchor == caret.caret:
            continue
        ground = QColor(theme.current().person(caret.person.colour))
        ground.setAlpha(_GROUND_ALPHA[theme.current().dark])
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(edit.document())
        cursor.setPosition(min(caret.anchor, last))
        cursor.setPosition(min(caret.caret, last), QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        selection.format.setBackground(ground)
        result.append(selection)
    return result


def paint(edit: QTextEdit, painter: QPainter, carets: Sequence[Caret]) -> None:
    """The carets and their flags, over the text of the viewport."""
    visible = edit.viewport().rect()
    last = edit.document().characterCount() - 1
    typeface = font(TINY_PX, 500)
    metrics = QFontMetricsF(typeface)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for caret in carets:
        cursor = QTextCursor(edit.document())
        cursor.setPosition(min(caret.caret, last))
        place = edit.cursorRect(cursor)
        if not visible.intersects(place.adjusted(0, -_FLAG_HEIGHT, 0, 0)):
            continue
        colour = theme.current().person(caret.person.colour)
        painter.fillRect(QRectF(place.x(), place.y(), 2, place.height()), colour)
        width = metrics.horizontalAdvance(caret.person.name) + 12
        left = min(float(place.x()), visible.width() - width)
        flag = QRectF(left, place.y() - _FLAG_HEIGHT, width, _FLAG_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(flag, 4, 4)
        painter.setFont(typeface)
        painter.setPen(theme.current().colour("on-person"))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, caret.person.name)
