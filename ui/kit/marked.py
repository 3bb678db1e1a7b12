# SPDX-License-Identifier: EUPL-1.2
"""The ground and line that mark the words of a search, for what is painted and for text fields."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from app.core.words import places_of
from ui.kit import theme

_LINE_PX = 2


def paint_ground(painter: QPainter, rect: QRectF) -> None:
    """Marks a word that a search has found, before the word is painted: a coloured ground in `rect` (in the painter's
    coordinates), and a line under it. The line shows the mark also where all grounds have one colour (high
    contrast)."""
    colours = theme.current()
    painter.fillRect(rect, colours.colour("warning-soft"))
    painter.setPen(QPen(colours.colour("warning"), _LINE_PX))
    y = rect.bottom() - _LINE_PX / 2
    painter.drawLine(rect.bottomLeft().toPoint().x(), round(y), rect.bottomRight().toPoint().x(), round(y))


def paint_grounds(painter: QPainter, box: QRectF, shown: str, words: Sequence[str], typeface: QFont) -> None:
    """Marks all `words` of a search in the text `shown`, before it is painted on one line, in the vertical middle of
    `box` (in the painter's coordinates) and from its left edge, in this typeface."""
    if not words:
        return
    metrics = QFontMetricsF(typeface)
    top = box.center().y() - metrics.height() / 2
    for start, end in places_of(shown, words):
        left, right = metrics.horizontalAdvance(shown[:start]), metrics.horizontalAdvance(shown[:end])
        paint_ground(painter, QRectF(box.left() + left, top, right - left, metrics.height() + 1))


def selections(field: QTextEdit | QPlainTextEdit, places: Iterable[tuple[int, int]]) -> list[QTextEdit.ExtraSelection]:
    """Marks for the words of a search in a text field, to be given to the field. `places` are (position, length) in
    UTF-16 units; the marks move with the text."""
    colours, made = theme.current(), []
    style = QTextCharFormat()
    style.setBackground(colours.colour("warning-soft"))
    style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
    style.setUnderlineColor(colours.colour("warning"))
    for position, length in places:
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(field.document())
        cursor.setPosition(position)
        cursor.setPosition(position + length, QTextCursor.MoveMode.KeepAnchor)
        selection.cursor, selection.format = cursor, style
        made.append(selection)
    return made
