# SPDX-License-Identifier: EUPL-1.2
"""Prints an opened picture or PDF: its pages are painted by the file's process, piece by piece, as on the screen."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPageLayout, QPainter
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QWidget

from app.errors import ExportOff
from app.viewing.errors import PrintRefused
from app.viewing.limits import MAX_SCALED_SIDE, MAX_TILE_PIXELS
from app.viewing.shown_file import Piece, ShownFile
from ui.kit.dialogs import show
from ui.kit.printing import chosen_pages, new_printer, print_dialog

DPI = 200
"""The most dots per inch that are painted: an A4 page has 4 million pixels, and takes about 0.1 s."""
Progress = Callable[[int, int], object]
"""(pages printed, pages in all)."""


async def choose_printer(parent: QWidget, *, may_export: bool) -> QPrinter | None:
    """Asks for a printer, over the widget `parent`; None if the person cancels. `may_export`: whether policy lets the
    pages be printed into a file. ExportOff if the person chose a file all the same."""
    printer = new_printer()
    if not await show(print_dialog(printer, parent, may_export=may_export)):
        return None
    if printer.outputFileName() and not may_export:  # ▲ a system's own dialog may offer it all the same
        raise ExportOff
    return printer


async def print_pages(file: ShownFile, printer: QPrinter, progress: Progress) -> None:
    """Prints the pages that the person chose, each as large as fits the paper and turned if it is wider than high.
    Pictures are not made larger than their own size at 96 dots per inch. The event loop is free meanwhile. PrintRefused
    if the printer does not begin or stops; ViewEnded if the file's process ends. Then, and if the task is cancelled,
    the job is aborted."""
    while await file.more_sizes():
        pass
    pages = chosen_pages(printer, file.pages)
    if not pages:
        raise PrintRefused
    copies = 1 if printer.supportsMultipleCopies() else printer.copyCount()
    painter = QPainter()
    if not painter.begin(printer):
        raise PrintRefused
    try:
        for number, page in enumerate(list(pages) * copies):
            if number and not printer.newPage():
                raise PrintRefused
            await _print_page(file, page, printer, painter)
            progress(number + 1, len(pages) * copies)
    except BaseException:
        printer.abort()
        raise
    finally:
        painter.end()


async def _print_page(file: ShownFile, page: int, printer: QPrinter, painter: QPainter) -> None:
    width, height = file.sizes[page]
    paper = printer.pageLayout().paintRect(QPageLayout.Unit.Point)
    turn = int((width > height) != (paper.width() > paper.height()) and width != height)
    if turn:
        width, height = height, width
    shown_pt = width * (72 / 96 if file.kind != "pdf" else 1.0)
    fitted_pt = min(paper.width(), paper.height() * width / height)
    wide_pt = min(shown_pt, fitted_pt) if file.kind != "pdf" else fitted_pt
    dots = min(DPI, printer.resolution())
    wide = max(1, min(MAX_SCALED_SIDE, round(wide_pt / 72 * dots)))
    high = max(1, min(MAX_SCALED_SIDE, round(wide * height / width)))
    scale = printer.resolution() / dots
    for piece in _pieces(page, wide, high, turn):
        data = await file.render(piece)
        image = QImage(data, piece.w, piece.h, piece.w * 4, QImage.Format.Format_RGB32).copy()
        painter.drawImage(QRectF(piece.x * scale, piece.y * scale, piece.w * scale, piece.h * scale), image)


def _pieces(page: int, wide: int, high: int, turn: int) -> Iterator[Piece]:
    """The pieces that cover a page: stripes of at most MAX_TILE_PIXELS."""
    rows = max(1, MAX_TILE_PIXELS // wide)
    for top in range(0, high, rows):
        yield Piece(page=page, width=wide, height=high, x=0, y=top, w=wide, h=min(rows, high - top), turn=turn)
