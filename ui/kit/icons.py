# SPDX-License-Identifier: EUPL-1.2
"""Icons by meaning, drawn from resources/icons/*.svg in a theme role's colour, sharp at any scale.

`icon(name, role)` is for a moment; `set_icon(button, name, role)` stays right when the theme or the text size changes.
Sizes are given at 100 %: an icon grows with the text beside it.
"""

from functools import lru_cache

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton

from ui.kit import theme
from ui.kit.icon_engine import Drawing, DrawnIcon, render
from ui.kit.scale import px


def _hex(role: str) -> str:
    return role if role.startswith("#") else theme.current().hex(role)


def pixmap(name: str, role: str = "muted", size: int = 20, scale: float = 1.0) -> QPixmap:
    """The icon `name` as a pixmap of `size` logical pixels at 100 %; it grows with the text size. `role` names its
    colour in the theme, or is `#RRGGBB`. `scale` is the device pixel ratio. FileNotFoundError for an unknown icon,
    KeyError for an unknown role."""
    return render(name, _hex(role), px(size), scale)


def paint(painter: QPainter, name: str, role: str, x: float, y: float, size: int) -> None:
    """Paints the icon `name` in the colour that `role` names, with its top left corner at (`x`, `y`) in the painter's
    coordinates. Its sides are `size` pixels at 100 %, and grow with the text size."""
    device = painter.device()
    scale = device.devicePixelRatioF() if device is not None else 1.0
    image = pixmap(name, role, size, scale)
    painter.drawPixmap(QRectF(x, y, px(size), px(size)), image, QRectF(image.rect()))


@lru_cache(maxsize=1024)
def _icon(drawing: Drawing) -> QIcon:
    return QIcon(DrawnIcon(drawing))


def icon(name: str, role: str = "muted", size: int = 20, *, checked: str | None = None) -> QIcon:
    """The icon in the theme of this moment; `checked` is the role of a checked button's icon. It is drawn when it is
    first shown. KeyError for an unknown role."""
    colours = {"normal": _hex(role), "checked": _hex(checked or role), "disabled": _hex("faint")}
    return _icon(Drawing(name=name, size=px(size), **colours))


def app_icon() -> QIcon:
    """The program's icon for title and task bars. It is the same on every desktop, whatever its theme."""
    light = theme.load("light")
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        image = QPixmap(size, size)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(light.colour("accent"))
        painter.drawRoundedRect(image.rect(), size * 0.22, size * 0.22)
        inner = round(size * 0.7)
        painter.drawPixmap((size - inner) // 2, (size - inner) // 2, render("logo", light.hex("on-accent"), inner, 1))
        painter.end()
        result.addPixmap(image)
    return result


def set_icon(
    target: QAbstractButton, name: str, role: str = "muted", size: int = 20, *, checked: str | None = None
) -> None:
    """Gives a button the icon `name` in the colour that `role` names (`checked`: while it is pressed down), and keeps
    it right when the theme or the text size changes. May be called again with another icon. `size` is at 100 %."""
    target.setProperty("kansli_icon", [name, role, size, checked or role])
    _refresh(target)
    if not target.property("kansli_icon_follows"):
        target.setProperty("kansli_icon_follows", True)
        theme.on_change(target, lambda: _refresh(target))


def _refresh(target: QAbstractButton) -> None:
    name, role, size, checked = target.property("kansli_icon")
    target.setIconSize(QSize(px(size), px(size)))
    target.setIcon(icon(name, role, size, checked=checked))
