# SPDX-License-Identifier: EUPL-1.2
"""A search line with a magnifier, and the button that looks like one and opens the palette."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QLineEdit, QPushButton, QSizePolicy, QWidget

from ui.kit import icons, theme
from ui.kit.buttons import Entered
from ui.kit.fonts import BASE_PX, TINY_PX, font
from ui.kit.plain import set_tip
from ui.kit.scale import hold, px
from ui.kit.style import set_props


class SearchField(QLineEdit):
    """A field to type a search in, with a magnifier. `name` is its accessible name and placeholder."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self._margins()
        theme.on_change(self, self._margins)
        set_props(self, kind="search")

    def _margins(self) -> None:
        self.setTextMargins(10 + px(16), 0, 4, 0)

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        painter = QPainter(self)
        icons.paint(painter, "search", "muted", 10, (self.height() - px(16)) / 2, 16)
        painter.end()


class SearchButton(Entered, QPushButton):
    """A button that looks like a search field, with its shortcut in a box. A press calls `on_click`, which opens the
    palette."""

    def __init__(self, text: str, shortcut: str, on_click: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._shortcut = text, shortcut
        self.setAccessibleName(text)
        set_tip(self, f"{text} ({shortcut})")
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        hold(self, height=34)
        set_props(self, kind="search")
        self.clicked.connect(lambda: on_click())

    def sizeHint(self) -> QSize:
        return QSize(200, px(34))

    def minimumSizeHint(self) -> QSize:
        return QSize(px(100), px(34))

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, "search", "muted", 11, (self.height() - px(16)) / 2, 16)
        painter.setFont(font(BASE_PX))
        painter.setPen(tokens.colour("muted"))
        left = 18 + px(16)
        typeface = font(TINY_PX)
        width = QFontMetricsF(typeface).horizontalAdvance(self._shortcut) + 12
        box = QRectF(self.width() - width - 10.5, (self.height() - px(16) - 1) / 2, width, px(16))
        words = QRectF(left, 0, box.left() - left - 4, self.height())
        shown = QFontMetricsF(painter.font()).elidedText(self._text, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(tokens.colour("line"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(typeface)
        painter.setPen(tokens.colour("muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._shortcut)
        painter.end()
