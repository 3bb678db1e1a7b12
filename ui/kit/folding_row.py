# SPDX-License-Identifier: EUPL-1.2
"""Words with a control at the right end, or under them where the row is narrow."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QWidget

from ui.kit import theme
from ui.kit.scale import px
from ui.kit.style import line

_ACROSS, _DOWN = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
_SPACING = 12


class FoldingRow(QWidget):
    """A row with words at the left and a control at the right end, or under the words where the row is narrow.
    `control` is one widget, perhaps a box of several. `words_px` is the least width of the words beside the control, at
    100 %."""

    def __init__(self, words: QLayout, control: QWidget, *, words_px: int) -> None:
        super().__init__()
        self._words, self._control, self._words_px = words, control, words_px
        self._row = line(self, spacing=_SPACING)
        self._row.addLayout(words, 1)
        self._row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        theme.on_change(self, self._fold)

    def _fold(self) -> None:
        control = 0 if self._control.isHidden() else self._control.sizeHint().width() + _SPACING
        direction = _ACROSS if self.width() - control >= px(self._words_px) else _DOWN
        if direction != self._row.direction():
            self._row.setDirection(direction)

    def minimumSizeHint(self) -> QSize:
        control = 0 if self._control.isHidden() else self._control.minimumSizeHint().width()
        return QSize(max(self._words.minimumSize().width(), control), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()
