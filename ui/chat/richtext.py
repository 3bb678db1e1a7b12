# SPDX-License-Identifier: EUPL-1.2
"""A message's runs laid out as lines: bold, italic, code, links, mentions and chips for things in the room.

One QTextLayout a message, no QTextDocument: some 0.1 ms instead of 2 (measured in tests/ui/chat/test_timeline.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontDatabase, QPainter, QTextCharFormat, QTextLayout, QTextOption

from app.chat.markup import Run
from app.core.text_units import utf16_len
from app.core.words import places_of
from app.objects.links import ObjectLink
from ui.kit import icons, scale, theme
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.marked import paint_ground
from ui.kit.scale import px

_LINE, _LINE_AIR = 20, {"airy": 2, "normal": 0, "compact": -1}
_CHIP_ICON = "\u00a0" * 8
"""Room for a chip's icon: no-break spaces, so that it stays beside its word."""
_BREAK = "\u2028"


def line_px() -> int:
    """The height of a line of a message."""
    return scale.px(_LINE) + _LINE_AIR[scale.density()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of a laid out text that is a link, a mention or code: from `start` to just before `end`, in UTF-16
    units."""

    start: int
    end: int
    run: Run


class RichText:
    """The text of one message, laid out as lines of this width. It can be painted at any place."""

    def __init__(
        self,
        runs: Sequence[Run],
        width: float,
        note: str = "",
        ink: str = "text",
        words: Sequence[str] = (),
        icon_of: Callable[[ObjectLink | None], str] = lambda link: "link",
    ) -> None:
        """Lays out `runs` in lines of `width` pixels. `note` is written small and muted at the end, in parentheses
        ("redigerat"). `ink` is the name of the text's colour. Words that begin with one of `words` are marked.
        `icon_of` returns the name of the icon of what a link leads to."""
        self._ink, self._icon_of = ink, icon_of
        text, formats, self.spans = _compose(runs, note)
        self._marked = [(utf16_len(text[:a]), utf16_len(text[:b])) for a, b in places_of(text, words)]
        self._layout = QTextLayout(text, font(BASE_PX))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._layout.setTextOption(option)
        self._layout.setFormats(formats)
        self._layout.setCacheEnabled(True)
        self.height = 0
        self.width = 0.0
        self._line = line_px()
        self._layout.beginLayout()
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, self.height + (self._line - line.height()) / 2))
            self.width = max(self.width, line.naturalTextWidth())
            self.height += self._line
        self._layout.endLayout()

    def paint(self, painter: QPainter, at: QPointF) -> None:
        """Paints the text with its top left corner at the point `at`, in the painter's coordinates."""
        for span in self.spans:
            if span.run.link is not None or span.run.code or span.run.note:
                self._paint_ground(painter, span, at)
        for start, end in self._marked:
            for rect in self._rects(start, end):
                paint_ground(painter, rect.translated(at))
        painter.setPen(theme.current().colour(self._ink))
        self._layout.draw(painter, at)

    def run_at(self, point: QPointF) -> Run | None:
        """The link or mention at a point that counts from the text's top left corner; None if there is none."""
        for span in self.spans:
            rects = self._rects(span.start, span.end) if span.run.href or span.run.mention else []
            if any(rect.contains(point) for rect in rects):
                return span.run
        return None

    def links(self) -> list[tuple[Run, QRectF]]:
        """The links in the text in their order, each with the rectangle of its first line, from the text's top left
        corner. Mentions are left out."""
        found = [(span.run, self._rects(span.start, span.end)) for span in self.spans if span.run.href]
        return [(run, rects[0]) for run, rects in found if rects]

    def _rects(self, first: int, last: int) -> list[QRectF]:
        rects: list[QRectF] = []
        for i in range(self._layout.lineCount()):
            line = self._layout.lineAt(i)
            start, end = max(first, line.textStart()), min(last, line.textStart() + line.textLength())
            if start < end:
                left, right = _x(line.cursorToX(start)), _x(line.cursorToX(end))
                rects.append(QRectF(left, i * self._line, right - left, self._line))
        return rects

    def _paint_ground(self, painter: QPainter, span: Span, at: QPointF) -> None:
        chip = span.run.link is not None
        painter.setPen(Qt.PenStyle.NoPen)
        role = "accent-soft" if chip else "warning-soft" if span.run.note else "chip"
        painter.setBrush(theme.current().colour(role))
        for i, rect in enumerate(self._rects(span.start, span.end)):
            ground = rect.translated(at).adjusted(0, 0, 0, 0) if chip else rect.translated(at).adjusted(-1, 1, 1, -1)
            painter.drawRoundedRect(ground, 6 if chip else 4, 6 if chip else 4)
            if chip and i == 0:
                icons.paint(
                    painter,
                    self._icon_of(span.run.link),
                    "accent",
                    ground.x() + px(7),
                    ground.y() + (self._line - px(14)) / 2,
                    14,
                )


def _x(value: object) -> float:
    """cursorToX gives (x, position) in PySide6."""
    return float(value[0]) if isinstance(value, tuple | list) else float(value)  # type: ignore[arg-type]


def _compose(runs: Sequence[Run], note: str) -> tuple[str, list[QTextLayout.FormatRange], list[Span]]:
    text, formats, spans = "", [], []
    at = 0
    for run in runs:
        shown = run.text.replace("\n", _BREAK)
        if run.link is not None:
            shown = f"{_CHIP_ICON}{shown}\u00a0\u00a0"
        size = utf16_len(shown)
        style = _format(run)
        if style is not None:
            formats.append(_range(at, size, style))
        if run.href or run.mention or run.code:
            spans.append(Span(start=at, end=at + size, run=run))
        text += shown
        at += size
    if note:
        shown = f"\u2002({note})"
        muted = QTextCharFormat()
        muted.setFont(font(SMALL_PX))
        muted.setForeground(theme.current().colour("muted"))
        formats.append(_range(at, utf16_len(shown), muted))
        text += shown
    return text, formats, spans


def _range(start: int, length: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, style
    return made


def _format(run: Run) -> QTextCharFormat | None:
    if not (run.bold or run.italic or run.strike or run.code or run.href or run.mention):
        return None
    style = QTextCharFormat()
    chip = run.link is not None
    weight = 600 if run.bold else 500 if run.mention or chip else 400
    style.setFont(font(12.5 if chip else BASE_PX, weight, italic=run.italic))
    if run.code:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(font(SMALL_PX).pointSizeF())
        style.setFont(fixed)
    style.setFontStrikeOut(run.strike)
    if run.note:
        style.setForeground(theme.current().colour("warning"))
    elif run.href or run.mention:
        style.setForeground(theme.current().colour("accent"))
    return style
