# SPDX-License-Identifier: EUPL-1.2
"""Frames: a card, a thin line, a heading over a section, and a page for a place where there is nothing yet."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ui.kit import icons, theme
from ui.kit.buttons import TextButton
from ui.kit.plain import Label
from ui.kit.scale import hold, px
from ui.kit.style import LEVELS, column, label, set_props

_TEXT_WIDTH, _LEAST_TEXT_WIDTH = 420, 160
_AROUND = 24


class Card(QFrame):
    """A widget with a border and round corners that groups others; `content` is its vertical layout."""

    def __init__(self, parent: QWidget | None = None, *, margin: int = 12, spacing: int = 8) -> None:
        super().__init__(parent)
        set_props(self, frame="card")
        self.content: QVBoxLayout = column(self, margins=(margin, margin, margin, margin), spacing=spacing)


def quiet_card(text: str) -> Card:
    """A card with only the muted sentence `text`, for a place where there is nothing yet."""
    card = Card(margin=14)
    card.content.addWidget(label(text, "muted", wrap=True))
    return card


class Line(QFrame):
    """A widget that is a horizontal line of one pixel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="line")
        self.setFixedHeight(1)


class SectionHeader(Label):
    """A label that is the heading over a group of widgets. `caps`: the text is put in capitals, as in the list at the
    side; screen readers get it as it was given."""

    def __init__(self, text: str, *, caps: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text.upper() if caps else text, parent, level=LEVELS["section"])
        self.setAccessibleName(text)
        set_props(self, look="caps" if caps else "section")


class IconLabel(Label):
    """A widget that shows an icon in a colour of the theme (`role`), and is no button. It is decoration, so it has no
    name for screen readers."""

    def __init__(self, icon: str, role: str = "muted", size: int = 18, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._icon, self._role, self._size = icon, role, size
        hold(self, width=size, height=size)
        self._draw()
        theme.on_change(self, self._draw)

    def set_icon(self, icon: str, role: str) -> None:
        """Shows the icon with this name, in the colour of the theme that `role` names. Setting the same one again costs
        nothing."""
        same_screen = self.pixmap().devicePixelRatio() == self.devicePixelRatioF()
        if (icon, role) != (self._icon, self._role) or not same_screen:
            self._icon, self._role = icon, role
            self._draw()

    def _draw(self) -> None:
        self.setPixmap(icons.pixmap(self._icon, self._role, self._size, self.devicePixelRatioF()))


class EmptyState(QWidget):
    """A widget for a place where there is nothing yet: icon, title, and what belongs here (`text`). With `step`, a
    button of that text calls `on_step`."""

    def __init__(
        self,
        icon: str,
        title: str,
        text: str,
        step: str = "",
        on_step: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        layout = column(self, margins=(_AROUND, _AROUND, _AROUND, _AROUND), spacing=8)
        layout.addStretch(2)
        layout.addWidget(IconLabel(icon, "faint", 36), 0, Qt.AlignmentFlag.AlignHCenter)
        self._texts = (label(title, "heading", wrap=True), label(text, "muted", wrap=True))
        for part in self._texts:
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        self.step: TextButton | None = None
        if step:
            layout.addSpacing(4)
            self.step = TextButton(step, on_step, kind="primary")
            layout.addWidget(self.step, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        theme.on_change(self, self._measure)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def showEvent(self, event: object) -> None:
        self._measure()

    def _measure(self) -> None:
        """Gives the title and the text under it the width that the widget has for them, up to a limit, and the height
        that they need in that width. By itself, Qt would make wrapped labels too narrow, and centred ones one line
        high."""
        width = max(_LEAST_TEXT_WIDTH, min(px(_TEXT_WIDTH), self.width() - 2 * _AROUND))
        for part in self._texts:
            part.setFixedSize(width, max(0, part.heightForWidth(width)))  # an empty one has no height

    def minimumSizeHint(self) -> QSize:
        """The least size of this widget, which shows that a place has nothing yet: narrow, because its texts wrap in
        whatever width there is, but not narrower than its button."""
        step = self.step.minimumSizeHint().width() if self.step is not None else 0
        width = max(_LEAST_TEXT_WIDTH, step) + 2 * _AROUND
        return QSize(width, super().minimumSizeHint().height())


def scroll(content: QWidget, name: str) -> QScrollArea:
    """Puts `content` into a scroll area without a frame, which scrolls only up and down. Its keys scroll it while
    something in it has the focus; Tab does not stop at the area itself. `name` is for screen readers."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setAccessibleName(name)
    set_props(area, frame="clear")
    return area
