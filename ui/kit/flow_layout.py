# SPDX-License-Identifier: EUPL-1.2
"""A layout that puts widgets beside each other and breaks lines as text does."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """A layout that puts items beside each other and breaks lines as text does. Items have their preferred size, are
    `gap` px apart both ways, and in the vertical middle of their line. Hidden items take no room. Items that are added
    after `addStretch` are at the line's right end, where the line has room."""

    def __init__(self, parent: QWidget | None = None, gap: int = 6) -> None:
        super().__init__(parent)
        self._end: int | None = None
        self._heights: dict[int, int] = {}
        """The height by width: Qt asks for several widths at each change around the layout."""
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def insertWidget(self, index: int, widget: QWidget) -> None:
        """Adds a widget before the item with that index (from 0); at the end if there is none."""
        self.addWidget(widget)
        self._items.insert(index, self._items.pop())
        self.invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def addStretch(self) -> None:
        """Puts the items that are added from now on at the right end."""
        self._end = len(self._items)

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._heights[width] = self._place(QRect(0, 0, width, 0), move=False)
        return self._heights[width]

    def invalidate(self) -> None:
        self._heights.clear()
        super().invalidate()

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        y = rect.y()
        for line in self._lines(rect.width()):
            tallest = max(size.height() for _, size in line)
            x = rect.x()
            free = rect.width() - sum(size.width() + self._gap for _, size in line) + self._gap
            for number, size in line:
                if number == self._end and free > 0:
                    x += free
                if move:
                    self._items[number].setGeometry(QRect(QPoint(x, y + (tallest - size.height()) // 2), size))
                x += size.width() + self._gap
            y += tallest + self._gap
        return max(0, y - self._gap - rect.y())

    def _lines(self, width: int) -> list[list[tuple[int, QSize]]]:
        """The visible items, line by line, as (index of the item, size), for a layout of this width. An item that is
        wider than a line is cut down to it, but not below its least width."""
        lines: list[list[tuple[int, QSize]]] = []
        used = 0
        for number, item in enumerate(self._items):
            if item.isEmpty():
                continue
            size = item.sizeHint().expandedTo(item.minimumSize())
            size.setWidth(min(size.width(), max(width, item.minimumSize().width())))
            if not lines or used + size.width() > width:
                lines.append([])
                used = 0
            lines[-1].append((number, size))
            used += size.width() + self._gap
        return lines
