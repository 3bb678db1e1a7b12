# SPDX-License-Identifier: EUPL-1.2
"""The security status in a room's header: a chip that opens what is behind it."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from ui.kit import theme
from ui.kit.buttons import Entered
from ui.kit.chip import chip_width, height, paint_chip
from ui.kit.plain import set_tip
from ui.kit.style import set_props
from ui.kit.translate import tr
from ui.shell.words import security_chip

_RING = 3
"""Room around the chip for the ring of the focus."""


class SecurityButton(Entered, QPushButton):
    """A button in a room's header that shows the room's security status as icon and word. `show_level` sets it; a press
    calls `on_click`."""

    def __init__(self, on_click: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ("", "success", "sealed")
        self._short = False
        set_props(self, kind="quiet")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda: on_click())
        theme.on_change(self, self._measure)

    def show_level(self, level: str) -> None:
        """Shows `level`, one of the levels in app/rooms/security_status.py."""
        word, kind, icon, meaning = security_chip(level)
        self._shown = (word, kind, icon)
        self.setAccessibleName(tr("Seal: {word}").format(word=word))
        self.setAccessibleDescription(meaning)
        set_tip(self, meaning)
        self._measure()
        self.update()

    def shorten(self, short: bool) -> None:
        """Shows only the icon if `short`, otherwise icon and word. A screen reader reads the word in both cases."""
        if short != self._short:
            self._short = short
            self._measure()
            self.update()

    def full_width(self) -> int:
        """The width of the chip with its word."""
        return round(chip_width(self._shown[0], icon=True) + 0.5) + 2 * _RING

    def _measure(self) -> None:
        self.setFixedSize(self.sizeHint())

    def word(self) -> str:
        """The chip's word."""
        return self._shown[0]

    def sizeHint(self) -> QSize:
        width = round(chip_width("", icon=True)) + 2 * _RING if self._short else self.full_width()
        return QSize(width, height() + 2 * _RING)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: object) -> None:
        word, kind, icon = self._shown
        painter = QPainter(self)
        paint_chip(painter, _RING, _RING, "" if self._short else word, kind, icon=icon)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.current().colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()
