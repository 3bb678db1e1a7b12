# SPDX-License-Identifier: EUPL-1.2
"""Computes where the pages of a file are, for a scale and a turn. Nothing is painted here."""

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF

GAP_PX = 12
Size = tuple[float, float]
Rect = tuple[float, float, float, float]


class PageLayout:
    """The pages of a file below each other, centred. `sizes`: the sizes of the pages before scaling; a page whose size
    is not known yet has that of the first. `scale`: logical pixels for one unit of these sizes. `turn`: quarters to the
    right. `width`, `height` and all results are in logical pixels."""

    def __init__(self, pages: int, sizes: Sequence[Size], scale: float, turn: int, room_height: float = 0.0) -> None:
        """`room_height`: the height of the window. Pages that are lower together are centred in it."""
        self.turn = turn
        self._sizes = [self._scaled(size, scale) for size in sizes] or [(1.0, 1.0)]
        self._first = self._sizes[0]
        self._count = pages
        self._tops = [float(GAP_PX)]
        for page in range(pages):
            self._tops.append(self._tops[-1] + self.size(page)[1] + GAP_PX)
        self.width = max(width for width, _ in self._sizes) + 2 * GAP_PX
        self.height = self._tops[-1]
        above = max(0.0, (room_height - self.height) / 2)
        self._tops = [top + above for top in self._tops]

    def _scaled(self, size: Size, scale: float) -> Size:
        width, height = size if self.turn % 2 == 0 else (size[1], size[0])
        return max(1.0, width * scale), max(1.0, height * scale)

    def size(self, page: int) -> Size:
        """The (width, height) of a page, turned and scaled."""
        return self._sizes[page] if page < len(self._sizes) else self._first

    def rect(self, page: int, across: float) -> QRectF:
        """The rectangle of a page, which is centred in the width `across` or in `width`, if that is larger."""
        width, height = self.size(page)
        return QRectF((max(across, self.width) - width) / 2, self._tops[page], width, height)

    def page_at(self, y: float) -> int:
        """The page at the height `y`, or the last one above it; 0 above the first page."""
        return max(0, min(self._count - 1, bisect_right(self._tops, y) - 1))

    def between(self, top: float, bottom: float) -> range:
        """The pages between two heights. Includes the page above `top` if `top` is between two pages."""
        return range(self.page_at(top), self.page_at(bottom) + 1)


def turned(rect: Rect, turn: int) -> Rect:
    """Turns a rectangle (left, top, width, height) in fractions of a page by `turn` quarters to the right."""
    x, y, w, h = rect
    match turn % 4:
        case 1:
            return 1 - y - h, x, h, w
        case 2:
            return 1 - x - w, 1 - y - h, w, h
        case 3:
            return y, 1 - x - w, h, w
    return rect


def on_page(rect: Rect, page: QRectF, turn: int) -> QRectF:
    """Converts a rectangle in fractions of an unturned page to coordinates, for a page that is shown at `page`."""
    x, y, w, h = turned(rect, turn)
    return QRectF(page.x() + x * page.width(), page.y() + y * page.height(), w * page.width(), h * page.height())


def fraction(point: QPointF, page: QRectF, turn: int) -> tuple[float, float]:
    """Converts a point to fractions of the unturned page, for a page that is shown at `page`. A point outside is moved
    to the page's edge."""
    x = min(1.0, max(0.0, (point.x() - page.x()) / page.width()))
    y = min(1.0, max(0.0, (point.y() - page.y()) / page.height()))
    back = turned((x, y, 0.0, 0.0), -turn % 4)
    return back[0], back[1]
