# SPDX-License-Identifier: EUPL-1.2
"""Computes which pieces of a file's pages are needed for what is visible, and keeps those that are painted.

A page has a base, that is, one small picture of the whole page. If it has more pixels than the base, it also has pieces
in full detail, which are painted over the base.
"""

from collections import OrderedDict
from collections.abc import Iterator

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from app.viewing.limits import MAX_SCALED_SIDE, MAX_TILE_PIXELS
from app.viewing.shown_file import Piece

SIDE = 768
"""The width and height of a piece in full detail, in pixels: 2.4 MB."""
BASE_PIXELS = 400_000
"""The most pixels of a base. It is shown enlarged until the pieces in full detail are painted."""
CACHE_BYTES = 128 * 1024 * 1024


def base_of(page: int, width: float, height: float, ratio: float, turn: int) -> Piece:
    """The base of a page. `width` and `height`: the page's size as it is shown, in logical pixels. `ratio`: device
    pixels for one logical pixel. `turn`: quarters to the right."""
    wide, high = width * ratio, height * ratio
    shrink = min(1.0, (BASE_PIXELS / max(1.0, wide * high)) ** 0.5)
    # a page may be so narrow that its height alone would be too much
    shrink = min(shrink, MAX_SCALED_SIDE / max(wide, high))
    w, h = max(1, round(wide * shrink)), max(1, round(high * shrink))
    while w * h > MAX_TILE_PIXELS:
        w, h = max(1, w // 2), max(1, h // 2)
    return Piece(page=page, width=w, height=h, x=0, y=0, w=w, h=h, turn=turn)


def pieces_of(page: int, rect: QRectF, seen: QRectF, ratio: float, turn: int) -> Iterator[Piece]:
    """Yields the visible pieces of a page in full detail. `rect`: where the page is, and `seen`: what is visible, both
    in logical pixels. `ratio`: device pixels for one logical pixel. Yields nothing if the base is as sharp, and if the
    page is larger than MAX_SCALED_SIDE."""
    width, height = round(rect.width() * ratio), round(rect.height() * ratio)
    if width * height <= BASE_PIXELS or max(width, height) > MAX_SCALED_SIDE:
        return
    part = seen.intersected(rect).translated(-rect.topLeft())
    if part.isEmpty():
        return
    columns = range(int(part.left() * ratio) // SIDE, int(part.right() * ratio) // SIDE + 1)
    rows = range(int(part.top() * ratio) // SIDE, int(part.bottom() * ratio) // SIDE + 1)
    for row in rows:
        for column in columns:
            x, y = column * SIDE, row * SIDE
            w, h = min(SIDE, width - x), min(SIDE, height - y)
            if w > 0 and h > 0:
                yield Piece(page=page, width=width, height=height, x=x, y=y, w=w, h=h, turn=turn)


class Tiles:
    """The painted pieces of one file, up to CACHE_BYTES; the least recently used ones are dropped. The base that was
    painted last is found by page and turn alone, at whatever scale it was painted."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Piece, QImage] = OrderedDict()
        self._bases: dict[tuple[int, int], Piece] = {}
        self._bytes = 0

    def get(self, piece: Piece) -> QImage | None:
        """The picture of a piece; None if it is not kept."""
        image = self._kept.get(piece)
        if image is not None:
            self._kept.move_to_end(piece)
        return image

    def base(self, page: int, turn: int) -> QImage | None:
        """The base of a page that was painted last, at any scale; None if none is kept."""
        piece = self._bases.get((page, turn))
        return None if piece is None else self.get(piece)

    def put(self, piece: Piece, data: bytes) -> None:
        """Keeps the pixels of a piece: four bytes each (blue, green, red, and one without meaning)."""
        image = QImage(data, piece.w, piece.h, piece.w * 4, QImage.Format.Format_RGB32).copy()
        self._kept[piece] = image
        self._bytes += image.sizeInBytes()
        if (piece.w, piece.h) == (piece.width, piece.height):
            self._bases[piece.page, piece.turn] = piece
        while self._bytes > CACHE_BYTES:
            old, gone = self._kept.popitem(last=False)
            self._bytes -= gone.sizeInBytes()
            if self._bases.get((old.page, old.turn)) == old:
                del self._bases[old.page, old.turn]

    def clear(self) -> None:
        """Drops all pieces."""
        self._kept.clear()
        self._bases.clear()
        self._bytes = 0
