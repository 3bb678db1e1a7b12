# SPDX-License-Identifier: EUPL-1.2
"""An icon that is drawn from resources/icons/*.svg when Qt first asks for it, at the size and in the colour asked for.

It knows colours, not the roles of a theme: `ui.kit.icons` names these.
"""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QStyleOption

from resources import path


@lru_cache(maxsize=512)
def _source(name: str) -> bytes:
    return path(f"icons/{name}.svg").read_bytes()


@lru_cache(maxsize=1024)
def render(name: str, colour: str, size: int, scale: float) -> QPixmap:
    """The icon `name` in `colour` (`#RRGGBB`), `size` logical pixels wide and high, for the device pixel ratio `scale`.
    Drawn at the first call and kept. FileNotFoundError for an unknown icon."""
    pixmap = QPixmap(round(size * scale), round(size * scale))
    pixmap.fill(Qt.GlobalColor.transparent)
    renderer = QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", colour.encode())))
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What an icon shows: the icon's `name`, its colours as `#RRGGBB` (`checked`: on a button that is pressed down),
    and `size`, its sides in logical pixels."""

    name: str
    normal: str
    checked: str
    disabled: str
    size: int


class DrawnIcon(QIconEngine):
    """Draws `drawing` for a QIcon. A pixmap is drawn when one is first shown in that size and colour, at the screen's
    own device pixel ratio. Never larger than `drawing.size`, as an icon of pixmaps. A selected icon is tinted by the
    style, and so is a checked one while it is disabled."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        drawing = self._drawing
        checked = state == QIcon.State.On and drawing.checked != drawing.normal
        colour = drawing.checked if checked else drawing.normal
        side = self.actualSize(size, mode, state).width()
        if mode == QIcon.Mode.Disabled and not checked:
            return render(drawing.name, drawing.disabled, side, scale)
        pixmap = render(drawing.name, colour, side, scale)
        return pixmap if mode in (QIcon.Mode.Normal, QIcon.Mode.Active) else _tinted(pixmap, mode)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        device = painter.device()
        scale = device.devicePixelRatioF() if device is not None else 1.0
        image = self.scaledPixmap(rect.size(), mode, state, scale)
        painter.drawPixmap(QRectF(rect), image, QRectF(image.rect()))

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        side = max(min(size.width(), size.height(), self._drawing.size), 0)
        return QSize(side, side)

    def availableSizes(
        self, _mode: QIcon.Mode = QIcon.Mode.Normal, _state: QIcon.State = QIcon.State.Off
    ) -> list[QSize]:
        return [QSize(self._drawing.size, self._drawing.size)]

    def key(self) -> str:
        return "kansli"

    def clone(self) -> QIconEngine:
        copy = DrawnIcon(self._drawing)
        _copies.append(copy)
        return copy


_copies: list[DrawnIcon] = []
"""Copies that Qt asked for: it does when an icon that is shared gets a further pixmap. PySide gives such a copy to Qt,
and deletes it with the last Python reference all the same; without this list, Qt would draw with a deleted object."""


def _tinted(pixmap: QPixmap, mode: QIcon.Mode) -> QPixmap:
    option = QStyleOption(0)
    option.palette = QGuiApplication.palette()
    return QApplication.style().generatedIconPixmap(mode, pixmap, option)
