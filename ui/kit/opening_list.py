# SPDX-License-Identifier: EUPL-1.2
"""A list of painted rows that are opened and have a menu, by pointer and by keyboard."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ui.kit.list_model import ListModel
from ui.kit.list_place import ListPlace
from ui.kit.spoken_list import SpokenList

Row = TypeVar("Row")


class OpeningList(SpokenList, QListView):
    """A list of `rows`, with the name `name` for screen readers. `thing` returns what a row shows, such as a document,
    never None. Enter, Space or a click emits `wanted` with that. The menu key or a right click emits `menu_wanted` with
    it and the global point for the menu. The list owns `rows`; a subclass sets the delegate that paints them."""

    wanted = Signal(object)
    menu_wanted = Signal(object, QPoint)

    def __init__(
        self, name: str, rows: ListModel[Row], thing: Callable[[Row], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)

        def thing_at(index: QModelIndex) -> object:
            row = rows.row(index)
            return thing(row) if row is not None else None

        self._thing_at = thing_at
        rows.setParent(self)
        self.setModel(rows)
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._open)
        place = ListPlace(self)
        rows.refreshing.connect(place.take)
        rows.refreshed.connect(place.restore)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        if (thing := self._thing_at(index)) is not None:
            self.wanted.emit(thing)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Emits `menu_wanted`: by mouse for the row under the pointer, there; by key for the current row, in its
        middle. Does nothing where there is no row."""
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index = self.indexAt(self.viewport().mapFromGlobal(event.globalPos()))
            at = event.globalPos()
        else:
            index = self.currentIndex()
            at = self.middle_of_current()
        if (thing := self._thing_at(index)) is not None:
            self.menu_wanted.emit(thing, at)

    def middle_of_current(self) -> QPoint:
        """The global point in the middle of the current row, to which the list scrolls."""
        index = self.currentIndex()
        self.scrollTo(index)
        return self.viewport().mapToGlobal(self.visualRect(index).center())
