# SPDX-License-Identifier: EUPL-1.2
"""A list whose rows its subclass places and paints itself. It is a QListView only so that screen readers know it as a
list: the layout of a QListView would ask for the size of every row."""

from PySide6.QtCore import QItemSelection, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QRegion
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ui.kit.list_model import Index
from ui.kit.spoken_list import SpokenList


class PlacedList(SpokenList, QListView):
    """A list view whose rows the subclass places and paints: it must implement `indexAt`, `visualRect`, `scrollTo`,
    `moveCursor` and `paintEvent`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)

    def choose(self, index: Index) -> None:
        """Makes a row the current one without scrolling to it. Scrolling would put another row under the pointer."""
        self.setAutoScroll(False)
        self.setCurrentIndex(index)
        self.setAutoScroll(True)

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        QAbstractItemView.updateGeometries(self)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        QAbstractItemView.selectionChanged(self, selected, deselected)
        self.notify_selection()

    def notify_selection(self) -> None:
        """Notifies a running screen reader that the current row is the selected one. Nothing without a current row."""
        if QAccessible.isActive() and self.currentIndex().isValid():
            event = QAccessibleEvent(self, QAccessible.Event.Selection)
            event.setChild(self.currentIndex().row())
            QAccessible.updateAccessibility(event)

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def setSelection(self, rect: QRect, command: object) -> None:
        index = self.indexAt(rect.center())
        if index.isValid():
            self.selectionModel().select(index, command)  # type: ignore[call-overload]

    def visualRegionForSelection(self, selection: object) -> QRegion:
        return QRegion(self.viewport().rect())
