# SPDX-License-Identifier: EUPL-1.2
"""The rail at the left, and the history of visited places (back, forward)."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QWidget

from app.core.enums import Presence
from app.core.ids import ObjId, RoomId
from app.people.person import Person
from ui.kit import icons, theme
from ui.kit.avatar import paint_avatar
from ui.kit.buttons import Entered
from ui.kit.card import IconLabel
from ui.kit.chip import paint_badge
from ui.kit.faces import Tab, TabList, notify_chosen
from ui.kit.fonts import TINY_PX, font
from ui.kit.plain import set_tip
from ui.kit.presence import paint_presence, presence_name
from ui.kit.scale import hold, px, spread
from ui.kit.style import column, set_props
from ui.kit.translate import tr, trn

RAIL_WIDTH, SLIM_WIDTH = 68, 44
"""The rail's widths, with words under the icons and without."""
_MARGIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the window that a person can go to, and which the history of visited places keeps: a section of the
    rail (its id), perhaps a room, a tool's tab (its id; "": as the room chooses) and the object that was opened in
    it."""

    section: str
    room: RoomId | None = None
    tab: str = ""
    obj: ObjId | None = None


class History:
    """The places that a person has visited, in order, for going back and forward as in a browser. At most `limit`; the
    oldest are dropped."""

    def __init__(self, limit: int = 100) -> None:
        self._places: list[Place] = []
        self._at = -1
        self._limit = limit

    def visit(self, place: Place) -> None:
        """Adds a place after the current one; those that were ahead of it are dropped. The current place again is not
        added."""
        if self._at >= 0 and self._places[self._at] == place:
            return
        self._places = [*self._places[: self._at + 1], place][-self._limit :]
        self._at = len(self._places) - 1

    def step(self, by: int) -> Place | None:
        """Goes back (`by` -1) or forward (1) in the history of visited places and returns the place there. Returns
        None, and goes nowhere, if there is none in that direction."""
        if not 0 <= self._at + by < len(self._places):
            return None
        self._at += by
        return self._places[self._at]


class RailButton(Entered, Tab, QToolButton):
    """A button of the rail, the column at the window's left edge: an icon, or a person's picture, a word and a count.
    `word` False: the text is only in the tip and for screen readers."""

    def __init__(
        self, icon: str, text: str, on_click: Callable[[], object], *, shortcut: str = "", word: bool = True
    ) -> None:
        super().__init__()
        self._icon, self._word, self._text = icon, word, text
        self._count = 0
        self._person: Person | None = None
        self._presence: Presence | None = None
        self._slim = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCheckable(bool(icon))
        self.setAutoExclusive(False)
        self._shortcut = shortcut
        set_props(self, kind="rail")
        self.set_slim(False)
        self.set_count(0)
        self.clicked.connect(lambda: on_click())

    def set_person(self, person: Person) -> None:
        """Shows this person's picture instead of an icon, from now on."""
        self._person = person
        self.update()

    def set_presence(self, presence: Presence | None) -> None:
        """Shows the mark of this state at the person's picture; None: no mark."""
        self._presence = presence
        self.set_count(self._count)

    def set_count(self, count: int) -> None:
        """Shows how many things are new in the section; nothing for 0."""
        self._count = count
        description = trn("{name}, {n} new", "{name}, {n} new", count).format(name=self._text, n=count)
        state = presence_name(self._presence) if self._presence is not None else ""
        self.setAccessibleName(self._text)
        self.setAccessibleDescription(description if count else state)
        text = f"{self._text} · {state}" if state else self._text
        set_tip(self, f"{text} ({self._shortcut})" if self._shortcut else text)
        self.update()

    def count(self) -> int:
        """How much is new."""
        return self._count

    def set_slim(self, slim: bool) -> None:
        """Shows no word under the icon if `slim`, which is for small windows."""
        self._slim = slim
        word = self._word and not slim
        width = SLIM_WIDTH if slim else RAIL_WIDTH
        hold(self, width=width - 2 * _MARGIN, height=50 if word else 32 if slim else 44)
        self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def paintEvent(self, event: object) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        active = self.isChecked()
        if active or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            ground = QColor(tokens.colour("rail-active"))
            painter.setBrush(ground)
            painter.setOpacity(1.0 if active else 0.6)
            painter.drawRoundedRect(QRectF(0, 0, self.width(), self.height()), 10, 10)
            painter.setOpacity(1.0)
        if self.hasFocus():
            painter.setPen(QPen(tokens.colour("on-rail-active" if active else "on-rail"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, self.width() - 2, self.height() - 2), 9, 9)
        self._paint_content(painter, "on-rail-active" if active else "on-rail")
        painter.end()

    def _paint_content(self, painter: QPainter, role: str) -> None:
        tokens = theme.current()
        if self._person is not None:
            side = px(26 if self._slim else 32)
            box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
            paint_avatar(painter, box, self._person.initials, tokens.person(self._person.colour))
            if self._presence is not None:
                paint_presence(painter, box, self._presence, tokens.colour("surface"))
            return
        word = self._word and not self._slim
        top = px(6) if word else (self.height() - px(20)) / 2
        icons.paint(painter, self._icon, role, (self.width() - px(20)) / 2, top, 20)
        if word:
            painter.setFont(font(TINY_PX, 500 if self.isChecked() else 400))
            painter.setPen(tokens.colour(role))
            painter.drawText(QRectF(-4, px(28), self.width() + 8, px(16)), Qt.AlignmentFlag.AlignCenter, self._text)
        if self._count:
            right = self.width() - (2 if self._slim else px(8))
            paint_badge(painter, right, px(9 if self._slim else 12), self._count, "badge")


class Rail(TabList, QFrame):
    """The rail, a column of buttons at the window's left edge, one for each section. `items` has them by id; `select`
    marks one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="rail")
        self.setAccessibleName(tr("Main navigation"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._layout = column(self, spacing=4)
        self._logo = _logo()
        self._layout.addWidget(self._logo, 0, Qt.AlignmentFlag.AlignHCenter)
        self.items: dict[str, RailButton] = {}
        self.set_slim(False)

    def set_slim(self, slim: bool) -> None:
        """Makes the rail narrow, with icons only and without the logo, if `slim`, which is for small windows."""
        hold(self, width=SLIM_WIDTH if slim else RAIL_WIDTH)
        self._logo.setVisible(not slim)
        self._logo.setContentsMargins(0, 0, 0, 0)
        spread(self._layout, (0, 8, 0, 8) if slim else (0, 20, 0, 16), 4, upright=True)
        for button in self.items.values():
            button.set_slim(slim)

    def full_height(self) -> int:
        """How high it is with all words."""
        return px(28 + 11) + 36 + sum(px(50) + 4 for _ in self.items)

    def add(self, item_id: str, button: RailButton) -> None:
        """Adds a button below the others, under the id of its section."""
        self.items[item_id] = button
        self._layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def add_stretch(self) -> None:
        """Puts the items that are added from now on at the bottom."""
        self._layout.addStretch(1)

    def select(self, item_id: str) -> None:
        """Marks the button with this id as that of the section that is shown, and no other."""
        for key, button in self.items.items():
            if button.isCheckable() and button.isChecked() != (key == item_id):
                button.setChecked(key == item_id)
                notify_chosen(button)


def _logo() -> IconLabel:
    # White in every theme: the rail's ground is dark in all of them.
    return IconLabel("logo", "#FFFFFF", 28)
