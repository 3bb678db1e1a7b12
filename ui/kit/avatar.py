# SPDX-License-Identifier: EUPL-1.2
"""Persons as round initials, rooms as rounded squares: painters for delegates, and widgets."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.presence.colleagues import PersonPresence
from ui.kit import theme
from ui.kit.fonts import font
from ui.kit.plain import set_tip
from ui.kit.presence import named, paint_presence
from ui.kit.scale import hold, px, ratio


def paint_avatar(
    painter: QPainter, rect: QRectF, initials: str, colour: QColor, *, square: bool = False, ring: QColor | None = None
) -> None:
    """Paints a picture of a person or room into `rect`, in the painter's coordinates: `initials` on a ground of
    `colour`, round or `square`. `ring`: the colour of a round edge of 2 px around it, for round pictures that overlap;
    None for no edge."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    if ring is not None:
        painter.setBrush(ring)
        painter.drawEllipse(rect.adjusted(-2, -2, 2, 2))
    painter.setBrush(colour)
    if square:
        painter.drawRoundedRect(rect, 8, 8)
    else:
        painter.drawEllipse(rect)
    size = rect.height() * (0.36 if len(initials) < 4 else 0.375)
    painter.setFont(font(max(size / ratio(), 9), 600))  # as the picture, whatever its size
    painter.setPen(theme.current().colour("on-person"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials)
    painter.restore()


class Avatar(QWidget):
    """A widget with the picture of a person (round) or room (`square`): initials on a ground whose hue is `colour` (any
    number, taken modulo the eight hues). `size` is in pixels at 100 %. It takes no focus; `name` is its tooltip and its
    text for screen readers."""

    def __init__(
        self,
        initials: str,
        colour: int,
        name: str,
        size: int = 32,
        *,
        square: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._square, self._size = square, size
        self._presence: PersonPresence | None = None
        self._ground = "surface"
        hold(self, width=size, height=size)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_person(initials, colour, name)

    def show_person(self, initials: str, colour: int, name: str) -> None:
        """Shows the picture of another person or room from now on: `initials` on the hue `colour` (any number, taken
        modulo the eight hues), with `name` as tooltip and for screen readers."""
        self._initials, self._colour, self._name = initials, colour, name
        self._describe()

    def show_presence(self, presence: PersonPresence | None, ground: str = "surface") -> None:
        """Shows the mark of a person's presence at the picture from now on; None: nothing is known of them. `ground` is
        the role of the colour behind the picture."""
        self._presence, self._ground = presence, ground
        self._describe()

    def _describe(self) -> None:
        text = named(self._name, self._presence)
        if self.accessibleName() != text:
            self.setAccessibleName(text)
        set_tip(self, text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(self._size), px(self._size))

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        colour = theme.current().person(self._colour)
        paint_avatar(painter, QRectF(self.rect()), self._initials, colour, square=self._square)
        if self._presence is not None:
            ground = theme.current().colour(self._ground)
            paint_presence(painter, QRectF(self.rect()).adjusted(0, 0, -1, -1), self._presence.state, ground)
        painter.end()
