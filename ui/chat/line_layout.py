# SPDX-License-Identifier: EUPL-1.2
"""The quiet lines between messages: what happened in the room, where they are painted, and how. Muted, centred, with an
icon that says what it is without colour."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.chat.lines import Gathered
from ui.kit import icons, theme
from ui.kit.eliding import elided
from ui.kit.fonts import SMALL_PX, font
from ui.kit.line_words import ICONS, Folk, line_text, lines_text, names_all, number
from ui.kit.scale import px
from ui.kit.translate import clock, day, short_day, tr

_HEIGHT, _ICON, _GAP = 22, 14, 7
_MANY = "more"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One painted line. `rect` is as wide as its icon, text and chevron, in the coordinates of the message's layout.
    `folds`: it represents several events, and a press unfolds or folds them; `is_open`: they are unfolded below it.
    `key` is that of its `Gathered`."""

    rect: QRectF
    text: str
    icon: str
    key: object
    folds: bool = False
    is_open: bool = False


def line_height() -> int:
    """The height of one line in pixels."""
    return px(_HEIGHT)


def folds(gathered: Gathered) -> bool:
    """Whether a line represents events that it does not all name."""
    return gathered.count > 1 and not names_all(gathered.lines, gathered.count)


def shown_text(gathered: Gathered, person: Folk, beside: date | None) -> str:
    """The sentence of a line, with its time; and with its day, unless that is the day `beside` of the message. "" if
    this program has no words for it."""
    text = lines_text(gathered.lines, person, count=gathered.count, mixed=gathered.mixed)
    return _timed(text, gathered.t, beside) if text else ""


def lay_out(
    lines: Sequence[Gathered], y: float, width: int, person: Folk, beside: date, opened: Container[object]
) -> tuple[list[LineRow], float]:
    """Places `lines` below each other from `y` (pixels) on, centred in `width` pixels. If the key of a line is in
    `opened`, the line is unfolded: the rows of its events follow, and one with the number of those that are only
    counted. `beside`: the day of the message that the lines belong to; times on another day are shown with their day.
    Returns the rows to paint, and the `y` at which they end. What this program has no words for gets no row."""
    rows: list[LineRow] = []
    for gathered in lines:
        is_open = folds(gathered) and gathered.key in opened
        icon = _MANY if gathered.mixed else ICONS.get(gathered.lines[0].kind, "info")
        texts = [(shown_text(gathered, person, beside), icon, folds(gathered))]
        if is_open:
            texts += [(_timed(line_text(e, person), e.t, beside), ICONS.get(e.kind, "info"), False)
                      for e in gathered.lines]  # fmt: skip
            if gathered.more:
                more = tr("and {n} more, under What happened in the room").format(n=number(gathered.more))
                texts.append((more, _MANY, False))
        for text, which, foldable in texts:
            if text:
                rect = _rect(text, y, width, foldable=foldable)
                rows.append(
                    LineRow(rect=rect, text=text, icon=which, key=gathered.key, folds=foldable, is_open=is_open)
                )
                y += line_height()
    return rows, y


def paint(painter: QPainter, row: LineRow) -> None:
    """Paints a line in the theme's muted colour."""
    rect, half = row.rect, row.rect.height() / 2
    icons.paint(painter, row.icon, "muted", rect.x(), rect.y() + half - px(_ICON) / 2, _ICON)
    right = px(_ICON) + px(_GAP) if row.folds else 0
    words = rect.adjusted(px(_ICON) + px(_GAP), 0, -right, 0)
    painter.setFont(font(SMALL_PX))
    painter.setPen(theme.current().colour("muted"))
    shown = elided(row.text, QFontMetricsF(font(SMALL_PX)), words.width() + 1)
    painter.drawText(words.adjusted(0, 0, 2, 0), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
    if row.folds:
        chevron = "chevron-up" if row.is_open else "chevron-down"
        icons.paint(painter, chevron, "muted", rect.right() - px(_ICON), rect.y() + half - px(_ICON) / 2, _ICON)


def _rect(text: str, y: float, width: int, *, foldable: bool) -> QRectF:
    beside = (px(_ICON) + px(_GAP)) * (2 if foldable else 1)
    whole = min(QFontMetricsF(font(SMALL_PX)).horizontalAdvance(text) + 2 + beside, max(80, width - 48))
    return QRectF((width - whole) / 2, y, whole, line_height())


def _timed(text: str, t_ms: int, beside: date | None) -> str:
    if not text:
        return ""
    when = clock(t_ms) if day(t_ms) == beside else f"{short_day(day(t_ms))} {clock(t_ms)}"
    return f"{text} · {when}"
