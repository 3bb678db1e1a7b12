# SPDX-License-Identifier: EUPL-1.2
"""Keeps the row that a person looks at in an item view in its place on the screen while rows above it are added and
removed."""

from PySide6.QtCore import QObject, QPersistentModelIndex, QPoint
from PySide6.QtWidgets import QAbstractItemView


class ListPlace(QObject):
    """Keeps what a person sees in an item view in its place, while rows above it are added and removed: the current row
    if the view has the focus and the row is in sight, otherwise the first row in sight. It keeps nothing in a view that
    is not scrolled, so that new rows at its top are seen. The owner calls `take` before the model's rows change and
    `restore` after it."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._held: list[tuple[QPersistentModelIndex, int]] = []

    def take(self) -> None:
        """Notes which rows are in sight, and how far below the view's top they are. Notes nothing while the view is
        hidden or not scrolled."""
        view = self._view
        self._held = []
        if not view.isVisible() or view.verticalScrollBar().value() == 0:
            return
        first, last = view.indexAt(QPoint(1, 1)), view.indexAt(QPoint(1, view.viewport().height() - 1))
        model, current = view.model(), view.currentIndex()
        end = last.row() + 1 if last.isValid() else model.rowCount()
        rows = list(range(max(0, first.row()), end))
        if view.hasFocus() and current.row() in rows:
            rows.insert(0, current.row())
        indexes = [QPersistentModelIndex(model.index(row, 0)) for row in rows]
        self._held = [(index, self._at(index)) for index in indexes]

    def restore(self) -> None:
        """Scrolls the view, so that the first noted row that still exists is where it was. A second call does
        nothing."""
        held, self._held = self._held, []
        for index, stood in held:
            if index.isValid():
                self._view.doItemsLayout()
                bar = self._view.verticalScrollBar()
                bar.setValue(bar.value() + self._at(index) - stood)
                return

    def _at(self, index: QPersistentModelIndex) -> int:
        """How far below the top of the view a row is, in the unit of the scroll bar: pixels, or rows."""
        if self._view.verticalScrollMode() == QAbstractItemView.ScrollMode.ScrollPerPixel:
            return self._view.visualRect(index).top()
        return index.row() - self._view.verticalScrollBar().value()
