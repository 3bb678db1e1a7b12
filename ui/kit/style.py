# SPDX-License-Identifier: EUPL-1.2
"""Dynamic properties that resources/themes/office.qss selects on, and small layout makers.

Labels: `look` = title | home | heading | section | label | body | muted | faint | small | error | strong.
Buttons: `kind` = primary | danger | quiet | link | icon | row (default: bordered).
"""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.core.visible import one_line
from ui.kit import scale
from ui.kit.eliding import elided
from ui.kit.plain import Label, set_tip

LEVELS = {"home": 1, "title": 1, "heading": 2, "side-title": 2, "section": 3, "caps": 3}
"""The looks of headings, with the level that a screen reader says."""
_MOST = 1000
"""Characters of a text on one line."""


def set_props(widget: QWidget, **props: object) -> None:
    """Sets dynamic properties of a widget, given by name (`kind="link"`), by which the style sheet chooses its look,
    and applies the style sheet again."""
    for name, value in props.items():
        # QLabel has a property `text` of its own: a kind of text is always `look`.
        widget.setProperty("look" if name == "text" else name, value)
    if "frame" in props:  # a subclass of QWidget paints no background of the style sheet by itself
        widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def label(text: str, kind: str = "body", *, wrap: bool = False, heading: bool = True) -> Label:
    """A label with the look `kind`, on one line or, with `wrap`, on several. Its text is never taken for markup. A kind
    that looks like a heading is one for screen readers too, unless `heading` is False, as for large digits."""
    result = Label(text, level=LEVELS.get(kind, 0) if heading else 0)
    result.setWordWrap(wrap)
    set_props(result, look=kind)
    return result


def column(
    parent: QWidget | None = None, *, margins: tuple[int, int, int, int] = (0, 0, 0, 0), spacing: int = 0
) -> QVBoxLayout:
    """Makes a vertical layout for the widget `parent` (None: for none yet), with these margins (left, top, right,
    bottom) and this space between its items, in pixels at normal density. Heights follow the density."""
    layout = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    scale.spread(layout, margins, spacing, upright=True)
    return layout


def line(
    parent: QWidget | None = None, *, margins: tuple[int, int, int, int] = (0, 0, 0, 0), spacing: int = 0
) -> QHBoxLayout:
    """Makes a horizontal layout for the widget `parent` (None: for none yet), with these margins (left, top, right,
    bottom) and this space between its items, in pixels at normal density. The heights of the margins follow the
    density."""
    layout = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    scale.spread(layout, margins, spacing, upright=False)
    return layout


class ElidedLabel(Label):
    """A label of one line that is cut with … where there is no room; a case number at its end is kept. The whole text
    is its accessible name, and while it is cut, its tooltip. By itself it takes the room that others leave; with
    another size policy it asks for the room of the whole text."""

    def __init__(self, text: str = "", kind: str = "body", parent: QWidget | None = None) -> None:
        super().__init__("", parent, level=LEVELS.get(kind, 0))
        self._full = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        set_props(self, look=kind)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Replaces the whole text, and cuts it again. Setting the same one again costs nothing."""
        full = one_line(text, _MOST)
        if full == self._full and self.accessibleName() == full:
            return
        self._full = full
        self.setAccessibleName(self._full)
        self.updateGeometry()
        self._elide()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 2, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), self.fontMetrics().height()), super().minimumSizeHint().height())

    def _elide(self) -> None:
        shown = elided(self._full, QFontMetricsF(self.fontMetrics()), max(self.width(), 0))
        self.setText(shown)
        set_tip(self, self._full if shown != self._full else "")

    def resizeEvent(self, event: object) -> None:
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._elide()
