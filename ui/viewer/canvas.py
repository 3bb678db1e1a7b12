# SPDX-License-Identifier: EUPL-1.2
"""Shows the pages of an opened picture or PDF. They can be scrolled, scaled and turned; matches of a search and the
selected text are marked."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QFrame, QWidget

from app.viewing.kinds import PDF
from app.viewing.limits import MAX_SCALED_SIDE
from app.viewing.shown_file import Link, Piece, ShownFile
from ui.kit import theme
from ui.kit.faces import Role, Spoken, look_again
from ui.kit.plain import set_tip
from ui.kit.tasks import run
from ui.kit.web import address_tip, open_address
from ui.viewer.page_layout import GAP_PX, PageLayout, Rect, fraction, on_page
from ui.viewer.tiles import Tiles, base_of, pieces_of

LEAST, MOST, STEP = 0.05, 16.0, 1.25
_POINT = 96 / 72
"""A PDF's point in logical pixels at 100 %."""
_MOST_FITTED = 1.5
"""The highest scale to which a PDF is fitted automatically in a wide window (1.5: 150 %)."""
_PAINT_AHEAD = 0.5
"""The part of the window's height that is painted above and below what is visible."""
_SLIDES = {
    Qt.Key.Key_Down: QAbstractSlider.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_Up: QAbstractSlider.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_PageDown: QAbstractSlider.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_PageUp: QAbstractSlider.SliderAction.SliderPageStepSub,
    Qt.Key.Key_Home: QAbstractSlider.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QAbstractSlider.SliderAction.SliderToMaximum,
}
FIT, FIT_WIDTH = "fit", "width"


class PageCanvas(Spoken, QAbstractScrollArea):
    """A view of the pages of one file. `changed` is emitted after scrolling, scaling and turning. `selected` is emitted
    with the selected text of a PDF, "" for none. `failed` is emitted with the error that ended the file's process."""

    changed = Signal()
    selected = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self._file: ShownFile | None = None
        self._layout = PageLayout(0, (), 1.0, 0)
        self._tiles = Tiles()
        self._mode = FIT
        self.scale = 1.0
        self.turn = 0
        self._filling: asyncio.Task[None] | None = None
        self._hits: list[tuple[int, list[Rect]]] = []
        self._hit = -1
        self._selection: tuple[int, list[Rect]] | None = None
        self._selecting: asyncio.Task[None] | None = None
        self._links: dict[int, list[Link]] = {}
        self._pressed: tuple[QPoint, int, QPointF] | None = None
        self.verticalScrollBar().setSingleStep(48)
        self.horizontalScrollBar().setSingleStep(48)
        self.setMinimumSize(1, 1)
        look_again(self)

    def spoken_role(self) -> Role | None:
        return Role.Graphic

    # -- what is shown ----------------------------------------------------------------------------------------------

    def show_file(self, file: ShownFile | None) -> None:
        """Shows a file from its first page: a picture as a whole, a PDF at the width of the window. None: shows
        nothing. The caller closes the file."""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        if self._selecting is not None:
            self._selecting.cancel()
            self._selecting = None
        self._file = file
        self._tiles.clear()
        self._links.clear()
        self._hits, self._hit, self._selection = [], -1, None
        self._mode = FIT_WIDTH if file is not None and file.kind == PDF else FIT
        self.turn = 0
        self._lay_out()
        self.verticalScrollBar().setValue(0)

    @property
    def pages(self) -> int:
        """The number of pages; 0 without a file."""
        return self._file.pages if self._file is not None else 0

    @property
    def page(self) -> int:
        """The page in the middle of the window, from 0."""
        return self._layout.page_at(self.verticalScrollBar().value() + self.viewport().height() / 2)

    @property
    def percent(self) -> int:
        """The scale in per cent."""
        return round(self.scale * 100)

    @property
    def fits(self) -> str:
        """FIT or FIT_WIDTH if the scale follows the window, otherwise ""."""
        return self._mode

    @property
    def is_painted(self) -> bool:
        """Whether everything that is visible is painted."""
        return self._filling is None and self._wanted() is None

    def refresh(self) -> None:
        """Lays out the pages again, since more of their sizes are known. The visible part of the file stays the
        same."""
        page = self.page
        into = self.verticalScrollBar().value() - self._rect(page).top() if self.pages else 0.0
        self._lay_out()
        if self.pages and page:
            self.verticalScrollBar().setValue(round(self._rect(page).top() + into))

    def go_to(self, page: int) -> None:
        """Scrolls to the top of a page (from 0). Does nothing for a page that does not exist."""
        if 0 <= page < self.pages:
            self.verticalScrollBar().setValue(int(self._rect(page).top()) - GAP_PX)

    def fit(self, mode: str) -> None:
        """Scales so that the first page (FIT) or its width (FIT_WIDTH) fits the window, now and after each change of
        the window's size."""
        self._mode = mode
        self._scale_at(self.scale, self._middle())

    def zoom(self, scale: float, at: QPointF | None = None) -> None:
        """Scales to `scale` (1.0: 100 %). What is at the point `at` of the window stays there (None: the middle)."""
        self._mode = ""
        self._scale_at(scale, at or self._middle())

    def rotate(self, quarters: int = 1) -> None:
        """Turns all pages by `quarters` quarters to the right."""
        page = self.page
        self.turn = (self.turn + quarters) % 4
        self._lay_out()
        self.go_to(page)

    def show_hits(self, hits: Sequence[tuple[int, list[Rect]]], current: int) -> None:
        """Marks the matches of a search, each a (page, rectangles). `current`: the index of the match to which it
        scrolls, if it has changed; -1 for none."""
        self._hits, moved, self._hit = list(hits), current != self._hit, current
        if moved and 0 <= current < len(self._hits):
            page, rects = self._hits[current]
            if rects:
                self._show_rect(on_page(rects[0], self._rect(page), self.turn))
        self.viewport().update()

    # -- laying out -------------------------------------------------------------------------------------------------

    def _unit(self) -> float:
        return _POINT if self._file is not None and self._file.kind == PDF else 1.0

    def _middle(self) -> QPointF:
        return QRectF(self.viewport().rect()).center()

    def _fitted(self) -> float:
        """The scale by `fits`; the present one without it."""
        if self._file is None or not self._mode:
            return self.scale
        width, height = self._file.sizes[0] if self._file.sizes else (1.0, 1.0)
        if self.turn % 2:
            width, height = height, width
        room = self.maximumViewportSize()
        bar = self.verticalScrollBar().sizeHint().width() if self.pages > 1 or self._mode == FIT_WIDTH else 0
        across = max(1, room.width() - bar - 2 * GAP_PX) / (width * self._unit())
        down = max(1, room.height() - 2 * GAP_PX) / (height * self._unit())
        most = 1.0 if self._file.kind != PDF else _MOST_FITTED
        return min(across, most) if self._mode == FIT_WIDTH else min(across, down, most)

    def _bounded(self, scale: float) -> float:
        sizes = self._file.sizes if self._file is not None else []
        longest = max((side for size in sizes for side in size), default=1.0) * self._unit()
        most = MAX_SCALED_SIDE / (longest * max(1.0, self.devicePixelRatioF()))
        return max(min(LEAST, most), min(scale, MOST, most))

    def _lay_out(self) -> None:
        self.scale = self._bounded(self._fitted())
        sizes = self._file.sizes if self._file is not None else ()
        room = self.viewport().size()
        self._layout = PageLayout(self.pages, sizes, self.scale * self._unit(), self.turn, room.height())
        for bar, length, shown in (
            (self.verticalScrollBar(), self._layout.height, room.height()),
            (self.horizontalScrollBar(), self._layout.width, room.width()),
        ):
            bar.setPageStep(max(1, shown - 48))
            bar.setRange(0, max(0, round(length) - shown))
        self.viewport().update()
        self.changed.emit()
        self._fill()

    def _scale_at(self, scale: float, at: QPointF) -> None:
        """Scales so that what is at the point `at` of the window stays there."""
        before = self.scale
        if self._mode:
            scale = self._fitted()
        corner = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        place = corner + at
        page = self._layout.page_at(place.y())
        rect = self._rect(page)
        within = (place.x() - rect.x()) / rect.width(), (place.y() - rect.y()) / rect.height()
        self.scale = scale
        self._lay_out()
        if self.scale != before:
            now = self._rect(page)
            self.horizontalScrollBar().setValue(round(now.x() + within[0] * now.width() - at.x()))
            self.verticalScrollBar().setValue(round(now.y() + within[1] * now.height() - at.y()))

    def _rect(self, page: int) -> QRectF:
        return self._layout.rect(page, self.viewport().width())

    def _show_rect(self, rect: QRectF) -> None:
        for bar, first, length, shown in (
            (self.verticalScrollBar(), rect.y(), rect.height(), self.viewport().height()),
            (self.horizontalScrollBar(), rect.x(), rect.width(), self.viewport().width()),
        ):
            if not bar.value() <= first <= bar.value() + shown - length:
                bar.setValue(round(first - shown / 3))

    def _sight(self) -> QRectF:
        """The visible part, in the coordinates of the layout."""
        corner = QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return QRectF(QRect(corner, self.viewport().size()))

    # -- painting ---------------------------------------------------------------------------------------------------

    def _wanted(self) -> Piece | None:
        """The next piece to be painted; None if everything that is needed is painted."""
        sight, ratio = self._sight(), self.devicePixelRatioF()
        near = sight.adjusted(0, -sight.height() * _PAINT_AHEAD, 0, sight.height() * _PAINT_AHEAD)
        pages = self._layout.between(near.top(), near.bottom()) if self.pages else range(0)
        for page in pages:
            piece = base_of(page, *self._layout.size(page), ratio, self.turn)
            sharp = piece.width < round(self._layout.size(page)[0] * ratio)
            if self._tiles.get(piece) is None and (not sharp or self._tiles.base(page, self.turn) is None):
                return piece
        for page in pages:
            for piece in pieces_of(page, self._rect(page), sight, ratio, self.turn):
                if self._tiles.get(piece) is None:
                    return piece
        return None

    def _fill(self) -> None:
        """Starts painting the pieces that are needed and then reading the links of the pages in sight, in the
        background. Does nothing while that is under way."""
        if self._file is None or self._filling is not None or not self.isVisible():
            return
        if self._wanted() is not None or self._unread_links() is not None:
            self._filling = run(self, self._fill_all(self._file), on_error=self._on_error)

    async def _fill_all(self, file: ShownFile) -> None:
        try:
            while file is self._file and (piece := self._wanted()) is not None:
                data = await file.render(piece)
                if file is self._file:
                    self._tiles.put(piece, data)
                    self.viewport().update()
            while file is self._file and (page := self._unread_links()) is not None:
                self._links[page] = await file.links(page)
        finally:
            if file is self._file:
                self._filling = None

    def _unread_links(self) -> int | None:
        """The first page in sight whose links are not read yet; None if there is none, or no links in such a file."""
        if self._file is None or self._file.kind != PDF:
            return None
        sight = self._sight()
        pages = self._layout.between(sight.top(), sight.bottom())
        return next((page for page in pages if page not in self._links), None)

    def _on_error(self, error: Exception) -> None:
        self.failed.emit(error)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(event.rect(), theme.current().colour("window"))
        sight = self._sight()
        if self.pages:
            painter.translate(-sight.topLeft())
            for page in self._layout.between(sight.top(), sight.bottom()):
                self._paint_page(painter, page, sight)
            painter.resetTransform()
        if self.hasFocus():
            painter.setPen(QPen(theme.current().colour("focus"), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_page(self, painter: QPainter, page: int, sight: QRectF) -> None:
        rect, ratio = self._rect(page), self.devicePixelRatioF()
        base = self._tiles.base(page, self.turn)
        if base is not None:
            painter.drawImage(rect, base)
        else:
            painter.fillRect(rect, theme.current().colour("surface"))
        for piece in pieces_of(page, rect, sight, ratio, self.turn):
            image = self._tiles.get(piece)
            if image is not None:
                place = QRectF(piece.x / ratio, piece.y / ratio, piece.w / ratio, piece.h / ratio)
                painter.drawImage(place.translated(rect.topLeft()), image)
        painter.setPen(theme.current().colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
        self._paint_marks(painter, page, rect)

    def _paint_marks(self, painter: QPainter, page: int, rect: QRectF) -> None:
        """Paints the marks of matches and of the selection. A page is white in every theme, so the marks have the same
        colours in all themes."""
        for number, (where, rects) in enumerate(self._hits):
            if where == page:
                colour = QColor(255, 140, 0, 130) if number == self._hit else QColor(255, 225, 0, 110)
                for each in rects:
                    painter.fillRect(on_page(each, rect, self.turn), colour)
        if self._selection is not None and self._selection[0] == page:
            for each in self._selection[1]:
                painter.fillRect(on_page(each, rect, self.turn), QColor(27, 95, 170, 90))

    # -- selecting, dragging, links ---------------------------------------------------------------------------------

    def _at(self, point: QPointF) -> tuple[int, QPointF]:
        """The page at a point of the window, and that point in the coordinates of the layout."""
        place = self._sight().topLeft() + point
        return self._layout.page_at(place.y()), place

    def _link_at(self, point: QPointF) -> Link | None:
        page, place = self._at(point)
        rect = self._rect(page)
        found = (link for link in self._links.get(page, ()) if on_page(link.rect, rect, self.turn).contains(place))
        return next(found, None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.pages and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            page, place = self._at(event.position())
            self._pressed = event.position().toPoint(), page, place
            self._selection = None
            self.selected.emit("")
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            link = self._link_at(event.position()) if self.pages else None
            text = self._file is not None and self._file.kind == PDF
            shape = Qt.CursorShape.IBeamCursor if text else Qt.CursorShape.OpenHandCursor
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if link is not None else shape)
            set_tip(self.viewport(), address_tip(link.address) if link is not None else "")
            return
        start, page, place = self._pressed
        if self._file is not None and self._file.kind == PDF and event.buttons() & Qt.MouseButton.LeftButton:
            self._select(self._file, page, place, self._at(event.position())[1])
        else:
            moved = event.position().toPoint() - start
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - moved.x())
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() - moved.y())
            self._pressed = event.position().toPoint(), page, place

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        link = self._link_at(event.position()) if self.pages else None
        if pressed is not None and link is not None and self._selection is None:
            run(self, open_address(self, link.address))

    def _select(self, file: ShownFile, page: int, start: QPointF, end: QPointF) -> None:
        async def ask() -> None:
            rect = self._rect(page)
            text, rects = await file.select(page, fraction(start, rect, self.turn), fraction(end, rect, self.turn))
            if file is self._file and rects:
                self._selection = page, rects
                self.selected.emit(text)
                self.viewport().update()

        if self._selecting is not None:
            self._selecting.cancel()
        self._selecting = run(self, ask(), on_error=self._on_error)

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = _SLIDES.get(Qt.Key(event.key()))
        across = self.horizontalScrollBar()
        if action is not None:
            self.verticalScrollBar().triggerAction(action)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and across.maximum():
            right = event.key() == Qt.Key.Key_Right
            step = QAbstractSlider.SliderAction
            across.triggerAction(step.SliderSingleStepAdd if right else step.SliderSingleStepSub)
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = event.angleDelta().y() / 120
            self.zoom(self.scale * STEP**steps, event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()
        self.changed.emit()
        self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self._fill()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
