# SPDX-License-Identifier: EUPL-1.2
"""Words with a control at the right end, or under them where the row is narrow."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from ui.kit import theme
from ui.kit.scale import px

_SPACING = 12
_WIDEST = 16_777_215
"""Qt's QWIDGETSIZE_MAX, which PySide6 does not export: no limit."""


class FoldingRow(QWidget):
    """A row with words at the left and a control at the right end, or under the words where the row is narrow.
    `control` is one widget, perhaps a box of several. `words_px` is the least width of the words beside the control, at
    100 %."""

    def __init__(self, words: QLayout, control: QWidget, *, words_px: int) -> None:
        super().__init__()
        layout = _Folding(self, words, control, words_px)
        theme.on_change(self, layout.invalidate)


class _Folding(QLayout):
    """Places the words and the control of a FoldingRow. For any width it returns the height that the row needs there,
    folded or not. A box layout that changes its direction once the row has a width would be given the height from
    before: the window would be painted once with words that are cut."""

    def __init__(self, row: QWidget, words: QLayout, control: QWidget, words_px: int) -> None:
        super().__init__(row)
        self._words, self._words_px = words, words_px
        self._control: list[QLayoutItem] = []
        """The control's item; empty once the control is deleted."""
        self._heights: dict[int, int] = {}
        """The height by width: Qt asks for several widths at each change around the layout."""
        self.setContentsMargins(0, 0, 0, 0)
        self.addChildLayout(words)
        self.addWidget(control)
        self.setAlignment(control, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)

    def addItem(self, item: QLayoutItem) -> None:
        self._control.append(item)

    def count(self) -> int:
        return 1 + len(self._control)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return ([self._words, *self._control])[index] if 0 <= index < self.count() else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._control.pop() if 0 < index < self.count() else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._heights[width] = self._needed(width)
        return self._heights[width]

    def invalidate(self) -> None:
        self._heights.clear()
        super().invalidate()

    def sizeHint(self) -> QSize:
        words, beside = self._words.sizeHint(), self._beside()
        return QSize(words.width() + beside, max(words.height(), self._control_height()))

    def minimumSize(self) -> QSize:
        size = self._words.minimumSize()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        words, control = QRect(rect), QRect(rect)
        if self._folds(rect.width()):
            words.setHeight(rect.height() - self._below(rect.width()))
            control.setTop(words.bottom() + 1 + _SPACING)
        else:
            words.setWidth(rect.width() - self._beside())
            control.setLeft(words.right() + 1 + _SPACING)
        self._words.setGeometry(words)
        for item in self._shown():
            item.setGeometry(control)

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._control if not item.isEmpty()]

    def _beside(self) -> int:
        """The width that the control takes beside the words, with the space between them; 0 if it is hidden."""
        return sum(item.sizeHint().width() + _SPACING for item in self._shown())

    def _below(self, width: int) -> int:
        """The height that the control takes under the words, with the space between them; 0 if it is hidden."""
        return self._control_height(width) + _SPACING if self._shown() else 0

    def _control_height(self, width: int = _WIDEST) -> int:
        """The height of the control if it has at most this width; 0 if it is hidden."""
        return sum(_height(item, min(width, item.sizeHint().width())) for item in self._shown())

    def _folds(self, width: int) -> bool:
        return width - self._beside() < px(self._words_px)

    def _needed(self, width: int) -> int:
        if self._folds(width):
            return _height(self._words, width) + self._below(width)
        return max(_height(self._words, width - self._beside()), self._control_height())


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
