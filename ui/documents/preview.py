# SPDX-License-Identifier: EUPL-1.2
"""The pages of a document before they are printed: shown as they will come out, then printed or saved as PDF.

Qt's own preview dialog paints all pages in one go and opens its printer dialog by exec(); both would stop every other
task of the program.
"""

import asyncio
import time

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPageLayout, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QFrame, QWidget

from app.core.ids import ObjId
from app.core.visible import one_line
from app.documents.errors import PrinterRefused
from app.documents.files import DocumentFiles
from ui.documents.paper import DPI, STEP_S, Paper, Progress, a4
from ui.errors import format_error
from ui.kit import printing, theme
from ui.kit.announcing import announce
from ui.kit.dialogs import Dialog, show
from ui.kit.printing import chosen_pages, print_dialog
from ui.kit.style import label, line
from ui.kit.tasks import run
from ui.kit.translate import tr, trn

_WIDTH, _HEIGHT = 660, 520
_AIR_PX = 16
_LONGEST_TITLE = 60
_WHITE, _EDGE = Qt.GlobalColor.white, Qt.GlobalColor.gray
_KEYS = {
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_Home: QAbstractSlider.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QAbstractSlider.SliderAction.SliderToMaximum,
}


class PageView(QAbstractScrollArea):
    """A scroll area that shows the pages of a document under each other, as wide as there is room. Arrows, Page Up
    and Down, Home and End scroll."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paper: Paper | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._show_page_number)
        self.setMinimumSize(_WIDTH, _HEIGHT)
        self._show_page_number()

    def show_paper(self, paper: Paper) -> None:
        """Shows the pages of `paper`, which is laid out already, from now on."""
        self._paper = paper
        self._fit()
        self.viewport().update()

    @property
    def page(self) -> int:
        """The number of the page in the middle of the view, from 0; 0 also if there are no pages yet."""
        if self._paper is None:
            return 0
        middle = self.verticalScrollBar().value() + self.viewport().height() // 2
        return max(0, min(middle // self._step_px(), self._paper.pages - 1))

    def _scale(self) -> float:
        width = self._paper.size_px.width() if self._paper is not None else 1.0
        return max(1, self.viewport().width() - 2 * _AIR_PX) / width

    def _step_px(self) -> int:
        height = self._paper.size_px.height() if self._paper is not None else 1.0
        return max(1, round(height * self._scale()) + _AIR_PX)

    def _fit(self) -> None:
        pages = self._paper.pages if self._paper is not None else 0
        bar, shown = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(shown)
        bar.setRange(0, max(0, pages * self._step_px() + _AIR_PX - shown))
        self._show_page_number()

    def _show_page_number(self) -> None:
        pages = self._paper.pages if self._paper is not None else 0
        page = tr("Page {n} of {count}").format(n=self.page + 1, count=pages) if pages else ""
        self.setAccessibleName(tr("Preview"))
        self.setAccessibleDescription(page)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme.current().colour("window"))
        if self._paper is not None:
            self._paint_pages(painter, event.rect(), self._paper)
        if self.hasFocus():
            painter.setPen(QPen(theme.current().colour("accent"), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_pages(self, painter: QPainter, area: QRect, paper: Paper) -> None:
        step, scale, scroll = self._step_px(), self._scale(), self.verticalScrollBar().value()
        first = max(0, (scroll + area.top() - _AIR_PX) // step)
        last = min(paper.pages - 1, (scroll + area.bottom()) // step)
        for page in range(first, last + 1):
            page_rect = QRect(QPoint(_AIR_PX, _AIR_PX + page * step - scroll), (paper.size_px * scale).toSize())
            painter.fillRect(page_rect, _WHITE)
            painter.setPen(_EDGE)
            painter.drawRect(page_rect)
            painter.save()
            painter.translate(page_rect.topLeft())
            painter.scale(scale, scale)
            paper.paint(painter, page)
            painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = _KEYS.get(Qt.Key(event.key()))
        if action is None:
            event.ignore()
        else:
            self.verticalScrollBar().triggerAction(action)


class PrintPreview(Dialog):
    """A dialog that lays a document out on pages and shows them, to be printed; the printer dialog can also print to a
    PDF file, if policy allows export. It is accepted once the document has been sent to the printer. NotFound if there
    is no document `obj`."""

    def __init__(self, parent: QWidget | None, files: DocumentFiles, obj: ObjId) -> None:
        self._title, self._blocks = files.content(obj)
        super().__init__(parent, self._heading(), accept=tr("Print …"), width=_WIDTH + 48)
        self._files = files
        self.paper: Paper | None = None
        self.pages = PageView()
        self.body.addWidget(self.pages)
        row = line(spacing=8)
        self.count = label("", "small")
        row.addWidget(self.count, 1)
        self.body.addLayout(row)
        self.error = self.add_error()
        self.spinner = self.add_spinner()
        self.accept_button.setEnabled(False)
        self.pages.verticalScrollBar().valueChanged.connect(self._show_page_number)
        self.spinner.start()
        self.pages.setFocus()
        run(self, self._prepare(), on_error=self._failed)

    def _heading(self) -> str:
        """The dialog's heading, with the document's title: the document may be only the current row of a list."""
        title = one_line(self._title, _LONGEST_TITLE)
        return tr("Print “{title}”").format(title=title or tr("Untitled"))

    def accept(self) -> None:
        """Asks for a printer and prints the document, in the background; then the dialog is closed as accepted. An
        error is shown in the dialog. Does nothing while the pages are being laid out or printed."""
        if self.paper is not None and self.accept_button.isEnabled():
            run(self, self._print(self.paper), on_error=self._failed)

    async def _prepare(self) -> None:
        paper = Paper(self._title or tr("Untitled"), self._blocks, a4())
        await paper.lay_out()
        self.paper = paper
        self.pages.show_paper(paper)
        self._busy(False)
        self._show_page_number()
        announce(self.pages, self.count.text())

    async def _print(self, paper: Paper) -> None:
        self._files.check_print()
        printer = new_printer()
        if not await show(print_dialog(printer, self, may_export=self._files.may_export())):
            return
        self.error.clear()
        if printer.outputFileName():  # ▲ a system's own dialog may offer it all the same
            self._files.check_export()
        self._busy(True)
        wanted = printer.pageLayout()
        if not _is_like(wanted, paper):
            paper = Paper(paper.title, self._blocks, wanted)
            await paper.lay_out()
        if not chosen_pages(printer, paper.pages):
            self._busy(False)
            text = trn("The document has {n} page.", "The document has {n} pages.", paper.pages)
            self.error.show_text(text.format(n=paper.pages))
            return
        await send(paper, printer, lambda n, count: self.count.setText(_of(n, count)))
        super().accept()

    def _busy(self, busy: bool) -> None:
        (self.spinner.start if busy else self.spinner.stop)()
        self.accept_button.setEnabled(not busy)

    def _show_page_number(self) -> None:
        if self.paper is not None:
            self.count.setText(_of(self.pages.page, self.paper.pages))

    def _failed(self, error: Exception) -> None:
        self._busy(False)
        self.error.show_text(*format_error(error))


def new_printer() -> QPrinter:
    """A printer set to A4, upright, with the margins of a document."""
    printer = printing.new_printer()
    printer.setPageLayout(a4())
    return printer


async def send(paper: Paper, printer: QPrinter, progress: Progress) -> None:
    """Prints the pages that the person chose in `printer` (at least one: see `chosen_pages`), in steps that leave the
    event loop free. `progress` is called between steps, not for each page, with the page that is being painted, from 0,
    and the number of pages, both of the whole document. PrinterRefused if the printer does not begin or stops; then,
    and if the task is cancelled, the job is aborted. `paper` is laid out already."""
    printer.setFullPage(True)
    copies = 1 if printer.supportsMultipleCopies() else printer.copyCount()
    painter = QPainter()
    if not painter.begin(printer):
        raise PrinterRefused
    try:
        painter.scale(printer.logicalDpiX() / DPI, printer.logicalDpiY() / DPI)
        began, fresh = time.perf_counter(), True
        for page in list(chosen_pages(printer, paper.pages)) * copies:
            if not fresh and not printer.newPage():
                raise PrinterRefused
            fresh = False
            for _ in paper.painting(painter, page):
                if time.perf_counter() - began > STEP_S:
                    progress(page, paper.pages)
                    await asyncio.sleep(0)
                    began = time.perf_counter()
    except BaseException:
        printer.abort()
        raise
    finally:
        painter.end()


def _is_like(layout: QPageLayout, paper: Paper) -> bool:
    size = layout.fullRect(QPageLayout.Unit.Point).size() * DPI / 72
    return (
        abs(size.width() - paper.size_px.width()) < DPI / 10 and abs(size.height() - paper.size_px.height()) < DPI / 10
    )


def _of(page: int, pages: int) -> str:
    return tr("Page {n} of {count}").format(n=page + 1, count=pages)
