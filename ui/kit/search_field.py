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
from ui.kit.style import set_props


class SearchField(QLineEdit):
    """A line to search in. `name` is its accessible name and placeholder."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self.setTextMargins(26, 0, 4, 0)
        set_props(self, kind="search")

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        painter = QPainter(self)
        icons.paint(painter, "search", "muted", 10, (self.height() - 16) / 2, 16)
        painter.end()


class SearchButton(Entered, QPushButton):
    """Looks like a search line with its shortcut in a box; pressing it opens the palette."""

    def __init__(self, text: str, shortcut: str, on_click: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._shortcut = text, shortcut
        self.setAccessibleName(text)
        set_tip(self, f"{text} ({shortcut})")
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(34)
        set_props(self, kind="search")
        self.clicked.connect(lambda: on_click())

    def sizeHint(self) -> QSize:
        return QSize(200, 34)

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, "search", "muted", 11, (self.height() - 16) / 2, 16)
        painter.setFont(font(BASE_PX))
        painter.setPen(tokens.colour("muted"))
        painter.drawText(QRectF(34, 0, self.width() - 34, self.height()), Qt.AlignmentFlag.AlignVCenter, self._text)
        typeface = font(TINY_PX)
        width = QFontMetricsF(typeface).horizontalAdvance(self._shortcut) + 12
        box = QRectF(self.width() - width - 10.5, (self.height() - 17) / 2, width, 16)
        painter.setPen(tokens.colour("line"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(typeface)
        painter.setPen(tokens.colour("muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._shortcut)
        painter.end()
