# SPDX-License-Identifier: EUPL-1.2
"""The true host beside a link whose text names another one.

The text of the page is the document's, character for character, so the host is no text: the link's last letter gets
air behind it, by its letter spacing, and the host is painted there. A note moves and wraps with its letter.
"""

import unicodedata
from collections.abc import Iterator

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QPainter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextLine,
)
from PySide6.QtWidgets import QTextEdit

from app.core.text_units import utf16_len
from app.objects.addresses import notes
from app.richtext.flow import Block
from ui.kit import theme
from ui.kit.fonts import SMALL_PX, font
from ui.kit.scale import px

_NOTE = QTextFormat.Property.UserProperty.value + 5
_NOTED = 1
"""The state of a block that has notes. It is read at each painting."""
_GAP_PX, _PAD_PX, _HEIGHT_PX = 4, 6, 18
_LONGEST_LETTER = 12
"""Characters: a family of four with skin tones."""
_MOST = 48
"""The most characters of a host that are painted, the last ones: its owner is named at its end. The tool tip has all of
it."""

Note = tuple[int, int, str]
"""Where in a block, UTF-16 units: start and length of the letter that carries the note; and the host."""


def wanted(block: Block) -> list[Note]:
    """The notes that a block must have: the true hosts of links whose text names another host. Each is (position in the
    block, length, host) in UTF-16 units; position and length are those of the link's last letter, behind which the host
    is painted."""
    if not any(run.marks.link for run in block.runs):
        return []
    found: list[Note] = []
    at = 0
    for run, host in zip(block.runs, notes([(run.text, run.marks.link) for run in block.runs]), strict=True):
        at += utf16_len(run.text)
        if host:
            size = utf16_len(_last_letter(run.text))
            found.append((at - size, size, host))
    return found


def note_of(fmt: QTextFormat) -> str:
    """The host that a character format carries, or ""."""
    return fmt.property(_NOTE) or ""


def put(block: QTextBlock, wanted_notes: list[Note]) -> None:
    """Makes room in a block for these notes, the true hosts that are painted behind links: widens the spacing behind
    the last letter of each. The caller has just formatted the block's characters, without earlier notes. [] makes it a
    block without notes."""
    block.setUserState(_NOTED if wanted_notes else -1)
    for start, length, host in wanted_notes:
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + start)
        cursor.setPosition(block.position() + start + length, QTextCursor.MoveMode.KeepAnchor)
        fmt = QTextCharFormat()
        fmt.setProperty(_NOTE, host)
        fmt.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
        fmt.setFontLetterSpacing(_width(host) + 2 * _GAP_PX)
        cursor.mergeCharFormat(fmt)


def paint(edit: QTextEdit, painter: QPainter) -> None:
    """Paints the notes that are in sight, the true hosts of links, over the text of the viewport."""
    offset = QPointF(-edit.horizontalScrollBar().value(), -edit.verticalScrollBar().value())
    seen = edit.viewport().rect()
    block, last = (edit.cursorForPosition(at).block() for at in (seen.topLeft(), seen.bottomRight()))
    while block.isValid():
        if block.userState() == _NOTED:
            corner = edit.document().documentLayout().blockBoundingRect(block).topLeft() + offset
            for rect, host in _places(block):
                _paint_note(painter, rect.translated(corner), host)
        if block == last:
            return
        block = block.next()


def _places(block: QTextBlock) -> Iterator[tuple[QRectF, str]]:
    """(rectangle, host) of each note in a block, the true host that is painted behind a link. The rectangle is counted
    from the block's top left corner."""
    fragments = block.begin()
    while not fragments.atEnd():
        fragment = fragments.fragment()
        host = note_of(fragment.charFormat())
        if host:
            end = fragment.position() + fragment.length() - block.position()
            line = block.layout().lineForTextPosition(end - 1)
            edges = (_x(line, fragment.position() - block.position()), _x(line, end))
            width = _width(host)
            top = line.position().y() + line.ascent() - px(_HEIGHT_PX) + 4
            yield QRectF(max(edges) - _GAP_PX - width, top, width, px(_HEIGHT_PX)), host
        fragments += 1


def _paint_note(painter: QPainter, rect: QRectF, host: str) -> None:
    tokens = theme.current()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(rect.adjusted(-_GAP_PX, 0, _GAP_PX, 3), tokens.colour("surface"))  # over the link's underline
    painter.setPen(tokens.colour("warning") if tokens.contrast else Qt.PenStyle.NoPen)
    painter.setBrush(tokens.colour("warning-soft"))
    painter.drawRoundedRect(rect, 4, 4)
    painter.setFont(font(SMALL_PX, 500))
    painter.setPen(tokens.colour("warning"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, _note_text(host))


def _note_text(host: str) -> str:
    return "→\u00a0" + (host if len(host) <= _MOST else "…" + host[1 - _MOST :])


def _width(host: str) -> float:
    return QFontMetricsF(font(SMALL_PX, 500)).horizontalAdvance(_note_text(host)) + 2 * _PAD_PX


def _x(line: QTextLine, position: int) -> float:
    found: object = line.cursorToX(position)
    return float(found[0]) if isinstance(found, tuple | list) else float(found)  # type: ignore[arg-type] # (x, position)


def _last_letter(text: str) -> str:
    """The last character of `text`, with what is combined with it (up to 12 code points), since its look must not be
    split."""
    start = len(text) - 1
    while start > max(0, len(text) - _LONGEST_LETTER) and _continues(text[start - 1], text[start]):
        start -= 1
    return text[start:]


def _continues(before: str, char: str) -> bool:
    """Whether `char` is drawn as one with the character `before` it, as marks and the parts of an emoji are."""
    put = "\u200d\ufe0e\ufe0f"
    return bool(unicodedata.combining(char)) or char in put or before == "\u200d" or "🏻" <= char <= "🏿"
