# SPDX-License-Identifier: EUPL-1.2
"""The rows of the side list as a person moves them: sections fold, rooms are dragged or go by Alt with the arrow keys.

QDrag is not used: it does nothing offscreen and Escape cannot cancel it everywhere (ui/tasks/gesture.py).
"""

from collections.abc import Callable, Hashable

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication

from ui.kit import theme
from ui.kit.scale import px
from ui.shell.rows import CHEVRON_PX, Row, RowList

MARK_EDGE_PX = 18
EDGE_PX, STEP_PX, EVERY_MS = 28, 8, 30
"""Within so many pixels of the edge the list scrolls while a row is dragged, by so many at a time."""
_BY = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_FOLDS = {Qt.Key.Key_Left: True, Qt.Key.Key_Right: False}


class RoomRows(RowList):
    """The list of rooms. `folded` is emitted with the key of a section, or of a row with others below it, and whether
    these are to be folded up; `moved` with the current row's key and by how much (Alt with an arrow key); `dropped`
    with a dragged row's key and the number of the row before which it was dropped (their count: at the end)."""

    folded = Signal(object, bool)
    moved = Signal(object, int)
    dropped = Signal(object, int)

    def __init__(self, name: str, can_drop: Callable[[Hashable, int], bool]) -> None:
        """`can_drop` gets a row's key and the number of a row, and returns whether the row may be dropped before that
        one; it returns False for all numbers for a row that cannot be dragged."""
        super().__init__(name)
        self._can_drop = can_drop
        self._pressed: tuple[Hashable, QPoint] | None = None
        self._heading: Row | None = None
        """The heading that is pressed with the pointer."""
        self._dragged: Hashable | None = None
        self._gap: int | None = None
        self._scrolling = QTimer(self, interval=EVERY_MS)
        self._scrolling.timeout.connect(self._on_scrolling)

    @property
    def is_dragging(self) -> bool:
        """Whether a row is being dragged."""
        return self._dragged is not None

    # -- keys ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key, held = self.current_row(), Qt.Key(event.key()), event.modifiers()
        if self.is_dragging and key == Qt.Key.Key_Escape:
            self._end_drag()
        elif row is not None and key in _BY and held == Qt.KeyboardModifier.AltModifier:
            self.moved.emit(row.key, _BY[key])
        elif row is not None and row.folded is not None and key == Qt.Key.Key_Space:
            self.folded.emit(row.key, not row.folded)
        elif row is not None and (row.folded, row.folds) != (None, None) and key in _FOLDS and not held:
            self.folded.emit(row.key, _FOLDS[key])
        else:
            super().keyPressEvent(event)

    # -- dragging --------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        row, is_left = self.rows.row(self.indexAt(at)), event.button() == Qt.MouseButton.LeftButton
        self._pressed = (row.key, at) if is_left and row is not None and not row.hint else None
        self._heading = row if is_left and row is not None and self._is_mark(row, at) else None
        if self._heading is None:  # a press on a heading leaves the current row as it is
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        row = self.rows.row(self.indexAt(at))
        if row is not None and self._is_mark(row, at):
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        key, began = self._pressed
        at = event.position().toPoint()
        far = (at - began).manhattanLength() >= QApplication.startDragDistance()
        if not self.is_dragging and far and any(self._can_drop(key, gap) for gap in range(len(self.rows.rows) + 1)):
            self._dragged = key
            self._scrolling.start()
        if self.is_dragging:
            self._show_gap(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed, heading, self._heading = None, self._heading, None
        if heading is not None:
            row = self.rows.row(self.indexAt(event.position().toPoint()))
            if row is not None and row.key == heading.key:
                self.folded.emit(row.key, not (row.folds if row.folded is None else row.folded))
            return
        if not self.is_dragging:
            super().mouseReleaseEvent(event)
            return
        key, gap = self._dragged, self._gap
        was = self.blockSignals(True)  # dropping a row is no click on it
        super().mouseReleaseEvent(event)
        self.blockSignals(was)
        self._end_drag()
        if gap is not None:
            self.dropped.emit(key, gap)

    def _is_mark(self, row: Row, at: QPoint) -> bool:
        """Whether a press at this point of a row folds something up or out: anywhere on a heading, and on the mark at
        the right of a row with others below it."""
        edge = self.viewport().width() - px(CHEVRON_PX) - px(MARK_EDGE_PX)
        return row.folded is not None or (row.folds is not None and at.x() >= edge)

    def _end_drag(self) -> None:
        self._pressed = self._dragged = self._gap = None
        self._scrolling.stop()
        self.viewport().unsetCursor()
        self.viewport().update()

    def _show_gap(self, at: QPoint) -> None:
        gap = self._gap_at(at.y())
        self._gap = gap if self._can_drop(self._dragged, gap) else None
        cursor = Qt.CursorShape.ForbiddenCursor if self._gap is None else Qt.CursorShape.ClosedHandCursor
        self.viewport().setCursor(cursor)
        self.viewport().update()

    def _gap_at(self, y: int) -> int:
        """The number of the row before which a row dropped at this height comes. On a heading it comes behind it."""
        for number, row in enumerate(self.rows.rows):
            rect = self.visualRect(self.rows.index(number))
            if y < rect.bottom() + 1:
                return number + 1 if row.section or row.hint or y >= rect.center().y() else number
        return len(self.rows.rows)

    def _on_scrolling(self) -> None:
        at = self.viewport().mapFromGlobal(self.cursor().pos())
        bar, edge = self.verticalScrollBar(), px(EDGE_PX)
        if at.y() < edge or at.y() > self.viewport().height() - edge:
            bar.setValue(bar.value() + (px(STEP_PX) if at.y() > edge else -px(STEP_PX)))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._gap is None:
            return
        painter = QPainter(self.viewport())
        painter.setPen(QPen(theme.current().colour("accent"), px(2)))
        y = self._gap_y(self._gap)
        painter.drawLine(px(12), y, self.viewport().width() - px(12), y)
        painter.end()

    def _gap_y(self, gap: int) -> int:
        if gap < len(self.rows.rows):
            return max(px(1), self._rect(gap).top())
        return self._rect(gap - 1).bottom() if gap else px(1)

    def _rect(self, number: int) -> QRect:
        return self.visualRect(self.rows.index(number))
