# SPDX-License-Identifier: EUPL-1.2
"""A document on pages: laid out once, in steps that leave the loop free, then painted page by page on any device.

The preview, the printer and the PDF show the same pages: everything is measured in units of 1/600 inch by the fonts'
own design, not by a device. A document's editor lays text out for a screen and is not used.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPageLayout,
    QPageSize,
    QPainter,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)

from app.core.text_units import utf16_len
from app.richtext.flow import Block, Style
from app.richtext.numbering import Item, items, sign
from ui.kit.fonts import FAMILY, load_fonts
from ui.kit.translate import tr
from ui.richtext.look import shown

DPI = 600
STEP_S = 0.002
"""Longest work between two breaths. A line takes 0.05 ms to lay out and 0.1 ms to paint."""
_PT = DPI / 72
_MM = DPI / 25.4
MARGIN_MM = 25.0
_BODY_PT = 11.0
_HEADING_PT = (_BODY_PT, 18.0, 14.0, 12.0)
_FOOT_PT = 9.0
_LINE = 1.3
"""Line height by the font's own."""
_GAP_PT, _ITEM_GAP_PT = 6.0, 2.0
_ABOVE_PT = (0.0, 14.0, 12.0, 10.0)
_INDENT_PT, _SIGN_PT = 20.0, 5.0
_QUOTE_PT = 20.0
_TAB_PT = 36.0
_LINK = QColor("#0b4f9e")
_GREY = QColor("#777777")
_LEAST_LINES = 2
"""The least number of lines of a paragraph at the foot of a page; a heading needs room for as many under it. Nothing
keeps a last line from the top of the next page."""

Progress = Callable[[int, int], object]
"""Blocks or pages that are done, and all."""


def a4() -> QPageLayout:
    """A page layout: A4, upright, with margins of MARGIN_MM."""
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    size = QPageSize(QPageSize.PageSizeId.A4)
    return QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text on a page: the line `number`, from 0, of the laid-out paragraph `text`. The point `at` counts from
    the page's top left corner in units of 1/DPI inch. `quoted` is the height, in the same units, of the bar beside the
    line if it is in a quote; otherwise 0."""

    text: QTextLayout
    number: int
    at: QPointF
    quoted: float = 0.0
    """Height of the bar beside a quotation; 0 without."""


@dataclass(slots=True)
class _Page:
    lines: list[_Line] = field(default_factory=list)


class Paper:
    """The pages of one document on paper: the same for the preview, the printer and the PDF. Call `lay_out` once, then
    paint them."""

    def __init__(self, title: str, blocks: Sequence[Block], layout: QPageLayout) -> None:
        """`title` is printed at each page's foot, and `blocks` are the document's paragraphs. `layout` gives the size
        of the paper; its margins are not used, but MARGIN_MM. Nothing is laid out yet."""
        load_fonts()
        self.title = title
        self.size_px = layout.fullRect(QPageLayout.Unit.Point).size() * _PT
        self._blocks = blocks
        margin = MARGIN_MM * _MM
        self._text = QRectF(0, 0, self.size_px.width(), self.size_px.height()).adjusted(
            margin, margin, -margin, -margin
        )
        self._pages = [_Page()]
        self._y = self._text.top()

    @property
    def pages(self) -> int:
        """How many there are."""
        return len(self._pages)

    async def lay_out(self, progress: Progress = lambda _done, _all: None) -> None:
        """Breaks the document into pages, in steps that leave the event loop free. `progress` is called between steps
        with the block (paragraph) that is being laid out, from 0, and the number of blocks; for a short document not at
        all. Call it once."""
        began, before = time.perf_counter(), None
        for at, (block, item) in enumerate(zip(self._blocks, items(self._blocks), strict=True)):
            for _ in self._put(block, item, before):
                if time.perf_counter() - began > STEP_S:
                    progress(at, len(self._blocks))
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            before = block.style

    def paint(self, painter: QPainter, page: int) -> None:
        """Paints the page `page`, from 0, with its upper left corner at the painter's origin, in units of 1/DPI inch.
        IndexError if there is no such page."""
        for _ in self.painting(painter, page):
            pass

    def painting(self, painter: QPainter, page: int) -> Iterator[None]:
        """Paints the page `page`, from 0, with its upper left corner at the painter's origin, in units of 1/DPI inch,
        in steps: a generator that stops after each line. The caller runs it to its end. IndexError if there is no such
        page."""
        painter.setPen(Qt.GlobalColor.black)
        self._foot(painter, page)
        for line in self._pages[page].lines:
            if line.quoted:
                left = self._text.left() + _QUOTE_PT * _PT / 3
                painter.fillRect(QRectF(left, line.at.y(), 1.5 * _PT, line.quoted), _GREY)
            painter.setPen(Qt.GlobalColor.black)
            line.text.lineAt(line.number).draw(painter, line.at)
            yield

    # ---- laying out

    def _put(self, block: Block, item: Item, before: Style | None) -> Iterator[None]:
        """Lays out a block at the end of what is on the pages, and begins a page where it does not fit. A generator
        that stops after each line, so that the caller can give others time, and must be run to its end. `item` is the
        block's place in its list (NO_ITEM outside lists); `before` is the style of the block before it, None for the
        first."""
        style = block.style
        font = _font(style)
        left = _left(style)
        text = _layout(block, font)
        self._y += _above_pt(style, before) * _PT if self._y > self._text.top() else 0
        height = QFontMetricsF(font).height() * _LINE
        text.beginLayout()
        heights: list[float] = []
        while (line := text.createLine()).isValid():
            line.setLineWidth(max(self._text.width() - left - (left if style.quote else 0), _TAB_PT * _PT))
            line.setPosition(QPointF(0, 0))
            heights.append(max(height, line.height()))  # an emoji, or another script, may need more
            yield
        text.endLayout()
        keep = len(heights) if style.heading else min(_LEAST_LINES, len(heights))
        needed = sum(heights[:keep]) + (_LEAST_LINES * _BODY_PT * 1.6 * _PT if style.heading else 0)
        if self._y + needed > self._text.bottom():
            self._turn()
        for number, line_height in enumerate(heights):
            if self._y + line_height > self._text.bottom():
                self._turn()
            if number == 0 and item.list >= 0:
                self._sign(style, item, font, left)
            at = QPointF(self._text.left() + left, self._y)
            self._pages[-1].lines.append(_Line(text, number, at, line_height if style.quote else 0.0))
            self._y += line_height
            yield
        self._y += (_ITEM_GAP_PT if style.list else _GAP_PT) * _PT
        yield

    def _turn(self) -> None:
        if self._pages[-1].lines:
            self._pages.append(_Page())
        self._y = self._text.top()

    def _sign(self, style: Style, item: Item, font: QFont, left: float) -> None:
        """Puts the bullet or number of a list item on the page, so that it ends before the text. The text begins `left`
        (units of 1/DPI inch) right of the page's margin."""
        text = QTextLayout(sign(style, item.number), font)
        text.setTextOption(_option())
        text.beginLayout()
        line = text.createLine()
        line.setLineWidth(self._text.width())
        line.setPosition(QPointF(0, 0))
        text.endLayout()
        x = self._text.left() + left - _SIGN_PT * _PT - line.naturalTextWidth()
        self._pages[-1].lines.append(_Line(text, 0, QPointF(x, self._y)))

    def _foot(self, painter: QPainter, page: int) -> None:
        """Paints the foot of a page: the title at the left, shortened if it is long; at the right the page's number,
        and how many there are. `page` counts from 0, the printed number from 1."""
        font = _sized(_FOOT_PT)
        painter.setFont(font)
        painter.setPen(_GREY)
        number = tr("Page {n} of {count}").format(n=page + 1, count=self.pages)
        room = QRectF(self._text.left(), self._text.bottom() + 5 * _MM, self._text.width(), 8 * _MM)
        metrics = QFontMetricsF(font)
        width = room.width() - metrics.horizontalAdvance(number) - 10 * _MM
        title = metrics.elidedText(self.title, Qt.TextElideMode.ElideRight, width)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), title)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop), number)


def _above_pt(style: Style, before: Style | None) -> float:
    """The space in points above a block of this style, in addition to the space under the block before it, whose style
    is `before`: more above a heading, and after the end of a list. 0 for the first block (`before` None) and after a
    heading."""
    if before is None or before.heading:
        return 0.0
    return _ABOVE_PT[style.heading] + (_GAP_PT - _ITEM_GAP_PT if before.list and not style.list else 0.0)


def _left(style: Style) -> float:
    points = _INDENT_PT * style.indent if style.list else _QUOTE_PT if style.quote else 0.0
    return points * _PT


def _sized(points: float) -> QFont:
    font = QFont(FAMILY)
    font.setPixelSize(round(points * _PT))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def _font(style: Style) -> QFont:
    font = _sized(_HEADING_PT[style.heading])
    font.setBold(bool(style.heading))
    font.setItalic(style.quote)
    return font


def _option() -> QTextOption:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setUseDesignMetrics(True)
    option.setTabStopDistance(_TAB_PT * _PT)
    return option


def _layout(block: Block, font: QFont) -> QTextLayout:
    text = QTextLayout(shown(block.text), font)
    text.setTextOption(_option())
    formats: list[QTextLayout.FormatRange] = []
    at = 0
    for run in block.runs:
        size = utf16_len(run.text)
        if any(run.marks):
            marked = QTextLayout.FormatRange()
            marked.start, marked.length = at, size
            look = QTextCharFormat()
            if run.marks.bold:
                look.setFontWeight(QFont.Weight.Bold)
            if run.marks.italic:
                look.setFontItalic(True)
            look.setFontUnderline(run.marks.underline or bool(run.marks.link))
            look.setFontStrikeOut(run.marks.strike)
            if run.marks.link:
                look.setAnchor(True)
                look.setAnchorHref(run.marks.link)
                look.setForeground(_LINK)
            marked.format = look
            formats.append(marked)
        at += size
    text.setFormats(formats)
    return text
