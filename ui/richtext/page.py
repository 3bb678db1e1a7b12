# SPDX-License-Identifier: EUPL-1.2
"""The page on which a document lies: its width, its margins, its ground."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QTextDocument
from PySide6.QtWidgets import QTextEdit

from ui.kit import theme
from ui.kit.scale import px

_PAGE_PX = 700
_MARGIN_PX = 75
_NARROW_MARGIN_PX = 28
_GAP_PX = 26
"""The space above and below the page."""


def side_px(room: int) -> int:
    """The space on each side of the page in a width."""
    return max(0, (room - px(_PAGE_PX)) // 2)


def margin_px(room: int) -> int:
    """The margin between the page's edge and the text."""
    return px(_MARGIN_PX) if room >= px(_PAGE_PX - 60) else _NARROW_MARGIN_PX


def set_margins(document: QTextDocument, side: int) -> None:
    """Gives the text of a document its margins on the page; `side` is that at left and right, in pixels. Those above
    and below are always the same."""
    root = document.rootFrame()
    fmt = root.frameFormat()
    fmt.setLeftMargin(side)
    fmt.setRightMargin(side)
    fmt.setTopMargin(_GAP_PX + px(_MARGIN_PX) - 5)
    fmt.setBottomMargin(_GAP_PX + px(_MARGIN_PX))
    root.setFrameFormat(fmt)


def has_margins(document: QTextDocument, side: int) -> bool:
    """Whether the text of a document has the margins that `set_margins` gives it with `side` (left and right, in
    pixels)."""
    fmt = document.rootFrame().frameFormat()
    return (fmt.leftMargin(), fmt.topMargin()) == (side, _GAP_PX + px(_MARGIN_PX) - 5)


def paint(edit: QTextEdit, painter: QPainter, area: QRect) -> None:
    """Paints the page, as paper on the window's ground, into `area` (in the viewport's coordinates), before the text is
    painted."""
    tokens = theme.current()
    scroll = edit.verticalScrollBar().value()
    end = max(edit.document().size().height() - _GAP_PX, edit.viewport().height() + _GAP_PX) - scroll
    painter.fillRect(area, tokens.colour("window"))
    painter.setPen(tokens.colour("line"))
    painter.setBrush(tokens.colour("surface"))
    top = _GAP_PX - scroll + 0.5
    painter.drawRect(QRectF(0.5, top, edit.viewport().width() - 1, end - top))


def fit(edit: QTextEdit, quietly: Callable[[Callable[[], None]], None]) -> None:
    """Fits the page into the width of `edit`: sets the space beside the page, and the margins of the text in it if they
    have changed. `quietly` calls a function whose changes are only of the look, so that they are not taken for
    edits."""
    room = edit.width() - edit.verticalScrollBar().sizeHint().width()
    side = side_px(room)
    edit.setViewportMargins(side, 0, side, 0)
    margin = margin_px(room)
    if not has_margins(edit.document(), margin):
        quietly(lambda: set_margins(edit.document(), margin))
