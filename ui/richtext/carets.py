# SPDX-License-Identifier: EUPL-1.2
"""Paints colleagues' carets with a name flag, and the ground under what they have selected."""

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QTextBlock, QTextCursor, QTextLine
from PySide6.QtWidgets import QTextEdit

from app.core.ids import DevId
from app.richtext.carets import Caret
from ui.kit import theme
from ui.kit.fonts import TINY_PX, font
from ui.kit.scale import px

Ground = tuple[QTextCursor, QColor]

_FLAG = 17
_NEAR_PX = 4
"""The pointer is at a caret within this distance."""
_LINE_END_PX = 5
"""The ground of a line's end that is selected too."""
_GROUND_ALPHA = {False: 40, True: 110}  # by dark


def grounds(edit: QTextEdit, carets: Sequence[Caret]) -> list[Ground]:
    """The coloured grounds under what colleagues have selected: (a cursor with the selection, colour) for each caret
    that has a selection."""
    result = []
    last = edit.document().characterCount() - 1
    for caret in carets:
        if caret.anchor == caret.caret:
            continue
        colour = QColor(theme.current().person(caret.person.colour))
        colour.setAlpha(_GROUND_ALPHA[theme.current().dark])
        cursor = QTextCursor(edit.document())
        cursor.setPosition(min(caret.anchor, last))
        cursor.setPosition(min(caret.caret, last), QTextCursor.MoveMode.KeepAnchor)
        result.append((cursor, colour))
    return result


def paint_grounds(edit: QTextEdit, painter: QPainter, shown: Sequence[Ground]) -> None:
    """Paints the grounds in `shown`, the colours under selections as `grounds` returns them, before the text; only
    where they are in sight. `painter` paints on the viewport of `edit`, in its coordinates. As a
    QTextEdit.ExtraSelection they would hide bullets and numbers: Qt paints those with the selection's foreground, also
    where it has none."""
    for cursor, colour in shown:
        for rect in rects_in_sight(edit, cursor):
            painter.fillRect(rect, colour)


def rects_in_sight(edit: QTextEdit, cursor: QTextCursor) -> Iterator[QRectF]:
    """The rectangles of the selected text in `cursor` that are in sight, line by line, in the viewport's
    coordinates."""
    bottom = edit.viewport().rect().bottom()
    scrolled = QPointF(edit.horizontalScrollBar().value(), edit.verticalScrollBar().value())
    first = edit.cursorForPosition(edit.viewport().rect().topLeft()).block()
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    block = max(first, edit.document().findBlock(start), key=QTextBlock.position)
    while block.isValid() and block.position() < end:
        lines = [rect.translated(-scrolled) for rect in _ground_of(block, start, end)]
        if lines and lines[0].top() > bottom:
            return
        yield from lines
        block = block.next()


def _ground_of(block: QTextBlock, start: int, end: int) -> Iterator[QRectF]:
    """The rectangles of the text from `start` to `end`, UTF-16 positions in the document, in each line of `block`; in
    the document's coordinates. Nothing for a line outside them."""
    layout = block.layout()
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        begin = block.position() + line.textStart()
        behind = begin + line.textLength()
        here, there = max(start, begin), min(end, behind)
        if here > there:
            continue
        left, right = (_x(line, at - block.position()) for at in (here, there))
        if end > behind and number == layout.lineCount() - 1:
            right += _LINE_END_PX
        yield QRectF(min(left, right), line.y(), abs(right - left), line.height()).translated(layout.position())


def _x(line: QTextLine, pos_utf16: int) -> float:
    at: tuple[float, int] = line.cursorToX(pos_utf16)  # type: ignore[assignment] # the stubs leave the position out
    return at[0]


def caret_at(edit: QTextEdit, carets: Sequence[Caret], place: QPoint) -> DevId | None:
    """The device whose caret is at `place`, a point of the viewport, or within 4 px of it sideways; None if there is
    none."""
    last = edit.document().characterCount() - 1
    for caret in carets:
        cursor = QTextCursor(edit.document())
        cursor.setPosition(min(caret.caret, last))
        if edit.cursorRect(cursor).adjusted(-_NEAR_PX, 0, _NEAR_PX, 0).contains(place):
            return caret.dev
    return None


def paint(edit: QTextEdit, painter: QPainter, carets: Sequence[Caret], opacity: Callable[[DevId], float]) -> None:
    """Paints colleagues' carets, and flags with their names, over the text of the viewport. `opacity` returns how
    clearly the flag of a device is painted, from 0 (only the caret is there) to 1."""
    visible = edit.viewport().rect()
    last = edit.document().characterCount() - 1
    typeface = font(TINY_PX, 500)
    metrics, height = QFontMetricsF(typeface), px(_FLAG)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for caret in carets:
        cursor = QTextCursor(edit.document())
        cursor.setPosition(min(caret.caret, last))
        place = edit.cursorRect(cursor)
        if not visible.intersects(place.adjusted(0, -height, 0, 0)):
            continue
        colour = theme.current().person(caret.person.colour)
        painter.fillRect(QRectF(place.x(), place.y(), 2, place.height()), colour)
        clearly = opacity(caret.dev)
        if not clearly:
            continue
        painter.setOpacity(clearly)
        width = metrics.horizontalAdvance(caret.person.name) + 12
        left = min(float(place.x()), visible.width() - width)
        flag = QRectF(left, place.y() - height, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(flag, 4, 4)
        painter.setFont(typeface)
        painter.setPen(theme.current().colour("on-person"))
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, caret.person.name)
        painter.setOpacity(1)
