# SPDX-License-Identifier: EUPL-1.2
"""The layer over the board while a card is dragged: the card under the pointer, and a line where it lands."""

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from ui.kit import theme


class DropLayer(QWidget):
    """A layer over the board while a card is dragged: it paints the card under the pointer and a line where it would
    land. It takes no mouse events. Coordinates are those of the board's viewport, its visible part."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._picture = QPixmap()
        self._at = QPoint()
        self._line = QRectF()
        self.hide()

    def lift(self, picture: QPixmap) -> None:
        """Shows the layer with `picture`, that of the dragged card."""
        self._picture = picture
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()

    def move_to(self, at: QPoint, line: QRectF) -> None:
        """Moves the card's top left corner to `at`, and the line that shows where it would land to the rectangle `line`
        (empty: no line), both in the coordinates of the board's viewport."""
        self._at, self._line = at, line
        self.update()

    def drop(self) -> None:
        """Hides the layer with the dragged card and the line, since the drag has ended."""
        self._picture = QPixmap()
        self.hide()

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().colour("accent"))
        painter.drawRoundedRect(self._line, 1.5, 1.5)
        painter.setOpacity(0.86)
        painter.drawPixmap(self._at, self._picture)
        painter.end()
