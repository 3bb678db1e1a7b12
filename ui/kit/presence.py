# SPDX-License-Identifier: EUPL-1.2
"""Shows a person's presence: as a mark at the lower edge of their picture, and as words.

Each state has a shape of its own, so that nobody has to distinguish colours. Available is a full disc, busy a half
disc, do not disturb a disc with a bar, away a ring, and in a call a ring around a disc. Unknown has no mark.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.enums import Presence
from app.core.ids import Uid
from app.presence.colleagues import PersonPresence
from ui.kit import theme
from ui.kit.plain import set_tip
from ui.kit.presence_in_view import KnownPresence, PresenceInView
from ui.kit.scale import hold, px
from ui.kit.style import ElidedLabel, line
from ui.kit.translate import short_day, tr, weekday

DOT_PX = 10
"""The width and height of the mark, in logical pixels at 100 %."""
_LARGEST = 0.34
"""The largest part of a picture's height that the mark takes, so that a small picture's initials stay legible."""
_COLOURS = {
    Presence.AVAILABLE: "success",
    Presence.BUSY: "danger",
    Presence.AWAY: "muted",
    Presence.DO_NOT_DISTURB: "danger",
    Presence.IN_CALL: "accent",
}


def presence_name(state: Presence) -> str:
    """The word for a state."""
    match state:
        case Presence.AVAILABLE:
            return tr("Available")
        case Presence.BUSY:
            return tr("Busy")
        case Presence.AWAY:
            return tr("Away")
        case Presence.DO_NOT_DISTURB:
            return tr("Do not disturb")
    return tr("In a call")


def presence_line(presence: PersonPresence | None) -> str:
    """What is shown of a person, as one translated line: the state, the day on which they are back, and their status
    text. "Unknown" for None."""
    if presence is None:
        return tr("Unknown")
    parts = [presence_name(presence.state)]
    if presence.back_on is not None:
        day = f"{weekday(presence.back_on)[:3]} {short_day(presence.back_on)}"
        parts.append(tr("back {day}").format(day=day))
    return " · ".join([*parts, presence.text] if presence.text else parts)


def named(name: str, presence: PersonPresence | None) -> str:
    """A person's name with their state, for screen readers; the name alone if nothing is known."""
    return f"{name}, {presence_line(presence)}" if presence is not None else name


def paint_presence(painter: QPainter, picture: QRectF, state: Presence, ground: QColor) -> None:
    """Paints the mark of a state in the lower right corner of a person's `picture` (in the painter's coordinates), with
    an edge in `ground`, the colour behind the picture."""
    side = min(px(DOT_PX), picture.height() * _LARGEST)
    place = picture.bottomRight() - QPointF(side, side)
    paint_dot(painter, QRectF(place.x(), place.y(), side, side), state, ground)


def paint_dot(painter: QPainter, rect: QRectF, state: Presence, ground: QColor) -> None:
    """Paints the mark of a state into `rect`, on a disc of the colour `ground` that is 2 px larger at each side."""
    ink = theme.current().colour(_COLOURS[state])
    stroke = max(1.5, rect.width() * 0.2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawEllipse(rect.adjusted(-2, -2, 2, 2))
    inner = rect.adjusted(stroke / 2, stroke / 2, -stroke / 2, -stroke / 2)
    if state in (Presence.AVAILABLE, Presence.DO_NOT_DISTURB):
        painter.setBrush(ink)
        painter.drawEllipse(rect)
    else:
        painter.setPen(QPen(ink, stroke))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(inner)
    painter.setPen(Qt.PenStyle.NoPen)
    if state is Presence.BUSY:
        painter.setBrush(ink)
        painter.drawPie(rect, -90 * 16, 180 * 16)  # the right half
    elif state is Presence.IN_CALL:
        painter.setBrush(ink)
        painter.drawEllipse(rect.center(), rect.width() * 0.2, rect.width() * 0.2)
    elif state is Presence.DO_NOT_DISTURB:
        painter.setBrush(ground)
        bar = rect.height() * 0.22
        painter.drawRect(QRectF(rect.left() + rect.width() * 0.2, rect.center().y() - bar / 2, rect.width() * 0.6, bar))
    painter.restore()


def presence_icon(presence: PersonPresence | None, ground: str = "surface") -> QIcon:
    """The mark of a person's presence as an icon. `ground`: the role of the colour behind it. A transparent icon of the
    same size for None."""
    side = px(DOT_PX + 4)
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    if presence is not None:
        painter = QPainter(picture)
        paint_dot(painter, QRectF(2, 2, side - 4, side - 4), presence.state, theme.current().colour(ground))
        painter.end()
    icon = QIcon()
    icon.addPixmap(picture)
    return icon


class PresenceDot(QWidget):
    """A widget with the mark of a state. `ground`: the role of the colour behind it. It is hidden while nothing is
    known. It takes no focus, and has no words for screen readers: the widget beside it has them."""

    def __init__(self, ground: str = "surface", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ground = ground
        self._state: Presence | None = None
        hold(self, width=DOT_PX + 4, height=DOT_PX + 4)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_state(self, state: Presence | None) -> None:
        """Shows the mark of this state from now on. None: nothing is known, and the widget is hidden."""
        self._state = state
        self.setVisible(state is not None)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(px(DOT_PX + 4), px(DOT_PX + 4))

    def paintEvent(self, event: object) -> None:
        if self._state is not None:
            painter = QPainter(self)
            box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
            paint_dot(painter, box, self._state, theme.current().colour(self._ground))
            painter.end()


class PresenceLine(QWidget):
    """A person's presence as a mark and a line of words, which is elided if it is too long. It is hidden while nothing
    is known."""

    def __init__(self, view: QWidget, presence: KnownPresence) -> None:
        """`view`: the widget that the line is a part of. The person is asked while it is visible."""
        super().__init__()
        self._presence, self._in_view = presence, PresenceInView(view, presence)
        layout = line(self, spacing=6)
        self._dot = PresenceDot()
        self._words = ElidedLabel("", "small")
        self._words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        layout.addWidget(self._dot)
        layout.addWidget(self._words, 1)
        self.setVisible(False)

    def show_person(self, uid: Uid | None) -> None:
        """Shows what is known now of the person `uid`, and asks for more. If nothing is known, or for None, the widget
        is hidden."""
        self._in_view.show([uid] if uid is not None else [])
        presence = self._presence.of(uid) if uid is not None else None
        self._dot.show_state(presence.state if presence is not None else None)
        self._words.set_text(presence_line(presence) if presence is not None else "")
        set_tip(self, presence_line(presence) if presence is not None else "")
        self.setVisible(presence is not None)

    def text(self) -> str:
        """The whole line of words, also what is elided; "" for none."""
        return self._words.accessibleName()
