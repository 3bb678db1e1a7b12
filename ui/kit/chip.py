# SPDX-License-Identifier: EUPL-1.2
"""Small marks: a chip with an icon and a word, and the round count of what is new."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.kit import icons, theme
from ui.kit.fonts import SMALL_PX, TINY_PX, font
from ui.kit.plain import set_tip
from ui.kit.scale import px

KINDS = {
    "success": ("success", "success-soft"),
    "warning": ("warning", "warning-soft"),
    "danger": ("danger", "danger-soft"),
    "accent": ("accent", "accent-soft"),
    "muted": ("muted", "chip"),
}
"""Kind of chip → roles of text and ground."""

_HEIGHT, _ICON_ONLY = 22, 30


def height() -> int:
    """How high a chip is."""
    return px(_HEIGHT)


def chip_width(text: str, *, icon: bool, size_px: float = SMALL_PX) -> float:
    """The width in pixels of a chip with the word `text` and, if `icon`, an icon before it; `size_px` is the word's
    size at 100 %. With an icon and no text, the width of a chip that shows only its icon."""
    if icon and not text:
        return px(_ICON_ONLY)
    return QFontMetricsF(font(size_px, 500)).horizontalAdvance(text) + (16 + px(18) if icon else 16)


def paint_chip(
    painter: QPainter,
    x: float,
    y: float,
    text: str,
    kind: str = "muted",
    *,
    icon: str | None = None,
    size_px: float = SMALL_PX,
) -> QRectF:
    """Paints a chip, a small mark with the word `text` and perhaps an icon (its name in `icon`), with its top left
    corner at (`x`, `y`) in the painter's coordinates. Returns its rectangle in the same coordinates. `kind` names its
    colours (`KINDS`); `size_px` is the size of the word at 100 %."""
    ink, ground = KINDS[kind]
    rect = QRectF(x, y, chip_width(text, icon=icon is not None, size_px=size_px), height())
    tokens = theme.current()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(tokens.colour(ink) if tokens.contrast else QColor(Qt.GlobalColor.transparent))
    painter.setBrush(tokens.colour(ground))
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    left = rect.left() + 8
    if icon is not None:
        icons.paint(painter, icon, ink, left, rect.top() + px(4), 14)
        left += px(18)
    painter.setFont(font(size_px, 500))
    painter.setPen(tokens.colour(ink))
    painter.drawText(QRectF(left, rect.top(), rect.right() - left, height()), Qt.AlignmentFlag.AlignVCenter, text)
    painter.restore()
    return rect


def paint_badge(painter: QPainter, right: float, centre_y: float, count: int, kind: str = "accent") -> float:
    """Paints a count as a pill whose right edge is at `right` and whose vertical middle is at `centre_y`, both in the
    painter's coordinates. Returns its width in pixels. `kind`, "accent" or "badge", is its colour. Counts above 99 are
    painted as 99+."""
    text = str(count) if count < 100 else "99+"
    tokens = theme.current()
    ground, ink = ("badge", "on-badge") if kind == "badge" else ("accent", "on-accent")
    typeface = font(TINY_PX, 600)
    high = float(px(16))
    width = max(QFontMetricsF(typeface).horizontalAdvance(text) + 11, px(18))
    rect = QRectF(right - width, centre_y - high / 2, width, high)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tokens.colour(ground))
    painter.drawRoundedRect(rect, high / 2, high / 2)
    painter.setFont(typeface)
    painter.setPen(tokens.colour(ink))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return width


class Chip(QWidget):
    """A widget that is a small mark with a word and perhaps an icon; `kind` names its colours. The word is also its
    text for screen readers."""

    def __init__(self, text: str, kind: str = "muted", icon: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._kind, self._icon = text, kind, icon
        self._short = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)
        theme.on_change(self, self.updateGeometry)

    def set_chip(self, text: str, kind: str, icon: str | None = None) -> None:
        """Changes the chip's word, colours (`kind`) and icon."""
        self._text, self._kind, self._icon = text, kind, icon
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def shorten(self, short: bool) -> None:
        """With `short`, shows only the icon, if there is one; the word is then the tooltip, and still the name for
        screen readers."""
        short = short and self._icon is not None
        set_tip(self, self._text if short else "")
        if short != self._short:
            self._short = short
            self.updateGeometry()
            self.update()

    def full_width(self) -> int:
        """How wide it is with its word."""
        return round(chip_width(self._text, icon=self._icon is not None) + 0.5)

    def text(self) -> str:
        """The word on it."""
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(px(_ICON_ONLY) if self._short else self.full_width(), height())

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        paint_chip(painter, 0, 0, "" if self._short else self._text, self._kind, icon=self._icon)
        painter.end()
