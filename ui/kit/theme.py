# SPDX-License-Identifier: EUPL-1.2
"""Themes: roles and their colours from toml, one style sheet, and a live switch.

Widgets name roles (`current().colour("muted")`), never colours. `apply()` sets palette, colour scheme and style sheet
of the whole application, `resize()` text size and density. `notifier().changed` is emitted after that, for widgets that
paint themselves.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import cast

from PySide6.QtCore import QDir, QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from resources import path
from ui.kit import scale
from ui.kit.fonts import BASE_PX, font, load_fonts

CHOICES = ("system", "light", "dark", "contrast", "contrast-dark")
"""What a person can choose; `system` follows the desktop between light and dark."""

PEOPLE_COLOURS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One theme of the window: `colours` has the colour of each role as `#RRGGBB`, `people` are the eight hues of
    persons' pictures. `contrast`: it has high contrast."""

    id: str
    dark: bool
    contrast: bool
    colours: Mapping[str, str]
    people: tuple[str, ...]

    def hex(self, role: str) -> str:
        """The colour of a role as `#RRGGBB`."""
        return self.colours[role]

    def colour(self, role: str) -> QColor:
        """The colour of a role."""
        return QColor(self.colours[role])

    @property
    def focus_px(self) -> int:
        """The width of a ring that is painted on an edge: in high contrast edges are as strong as the ring itself."""
        return 3 if self.contrast else 2

    def person(self, colour: int) -> QColor:
        """The colour of a person by `Person.colour` (any number; eight hues that hold white text)."""
        return QColor(self.people[colour % PEOPLE_COLOURS])


class Notifier(QObject):
    """An object whose signal `changed` is emitted after the theme, the text size or the density has changed, when
    palette and style sheet are in place."""

    changed = Signal()


@dataclass(slots=True)
class _Current:
    theme: Theme
    choice: str = "light"


@cache
def load(theme_id: str) -> Theme:
    """Reads the theme with that id from resources/themes, once. FileNotFoundError if there is none."""
    table = tomllib.loads(path(f"themes/{theme_id}.toml").read_text(encoding="utf-8"))
    return Theme(
        id=theme_id,
        dark=table["dark"],
        contrast=table["contrast"],
        colours=table["colours"],
        people=tuple(table["people"]),
    )


_state = _Current(load("light"))


@cache
def notifier() -> Notifier:
    """The one notifier of this process."""
    return Notifier()


def current() -> Theme:
    """The theme in force."""
    return _state.theme


def choice() -> str:
    """What was chosen: one of CHOICES."""
    return _state.choice


def colour_of(uid: bytes) -> int:
    """Which of the eight hues a person or room has: the same for everybody, from the id alone."""
    return uid[0] % PEOPLE_COLOURS if uid else 0


def on_change(owner: QObject, callback: Callable[[], object]) -> None:
    """Calls `callback` after every later change of theme, text size or density, until `owner` is destroyed. Does not
    call it now, and ignores what it returns."""
    connection = notifier().changed.connect(callback)
    owner.destroyed.connect(lambda: QObject.disconnect(connection))


def resolve(chosen: str) -> str:
    """The id of the theme for a person's choice: for `system` light or dark, after the desktop's colour scheme; light
    for an unknown choice."""
    if chosen != "system":
        return chosen if chosen in CHOICES else "light"
    dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return "dark" if dark else "light"


def style_sheet(theme_id: str) -> str:
    """The style sheet office.qss for the theme with this id: `@role` becomes a colour and `@scheme` light or dark, for
    pictures. `@text(n)` becomes a measure that follows the text size, `@air(n)` a padding that follows the density;
    fonts follow the text size. FileNotFoundError if there is no such theme.

    Fractional px of fonts become pt, as Qt reads px as integers.
    """
    return _style_sheet(theme_id, scale.text_size(), scale.density())


@lru_cache(maxsize=len(CHOICES))
def _style_sheet(theme_id: str, _text_size: int, _density: str) -> str:
    theme = load(theme_id)
    text = path("themes/office.qss").read_text(encoding="utf-8")
    text = re.sub(r"@text\((\d+)\)", lambda m: f"{scale.px(int(m.group(1)))}px", text)
    text = re.sub(r"@air\((\d+)\)", lambda m: f"{scale.air(int(m.group(1)))}px", text)
    text = text.replace("@scheme", "dark" if theme.dark else "light")
    text = re.sub(r"@([a-z][a-z-]*)", lambda m: theme.colours[m.group(1)], text)
    factor = 0.75 * scale.ratio()
    return re.sub(r"font-size:\s*([\d.]+)px", lambda m: f"font-size: {float(m.group(1)) * factor:g}pt", text)


def palette(theme: Theme) -> QPalette:
    """Qt's palette in the colours of `theme`, for what the style sheet does not name."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "surface",
        QPalette.ColorRole.AlternateBase: "side",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "surface",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.ToolTipBase: "tip",
        QPalette.ColorRole.ToolTipText: "on-tip",
        QPalette.ColorRole.PlaceholderText: "hint",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on-accent",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.LinkVisited: "accent",
        QPalette.ColorRole.Mid: "line",
        QPalette.ColorRole.Accent: "accent",
    }
    for role, name in roles.items():
        result.setColor(role, theme.colour(name))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, theme.colour("faint"))
    return result


def apply(app: QApplication, chosen: str) -> Theme:
    """Shows the application in the theme that the person chose: `chosen` is one of CHOICES; an unknown choice is light.
    The first call also loads fonts, style and the `icon:` search path. Then emits the notifier's `changed`. Returns the
    theme."""
    if app.property("kansli_styled") is None:
        _prepare(app)
    if chosen == "system":
        app.styleHints().unsetColorScheme()
    theme = load(resolve(chosen))
    _state.theme, _state.choice = theme, chosen
    if chosen != "system":
        app.styleHints().setColorScheme(Qt.ColorScheme.Dark if theme.dark else Qt.ColorScheme.Light)
    # Taken away first: replacing one sheet by another takes Qt 400 ms in a full window of 700 widgets, this 90 ms.
    app.setStyleSheet("")
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme.id))
    notifier().changed.emit()
    return theme


def resize(app: QApplication, text_size: int, density: str) -> None:
    """Shows all text in the size `text_size` (per cent) and with this `density` ("airy", "normal" or "compact"), at
    once. Before the first `apply` it is only noted. A call with the same values costs nothing."""
    if not scale.set_size(text_size, density) or app.property("kansli_styled") is None:
        return
    app.setFont(font(BASE_PX))
    app.setStyleSheet("")
    app.setStyleSheet(style_sheet(_state.theme.id))
    scale.renew()
    notifier().changed.emit()


@contextmanager
def styled_at_once() -> Iterator[None]:
    """A context in which many widgets are made: it takes the application's style sheet away, and applies it to all
    widgets at the end. Otherwise Qt styles a widget and all that is in it whenever it is put into another: 0.6 s for a
    window of 600 widgets, instead of 0.1 s. Use it only where most widgets of the application are new, since the others
    are styled again too."""
    app = cast("QApplication", QApplication.instance())
    styles = app.styleSheet()
    app.setStyleSheet("")
    try:
        yield
    finally:
        app.setStyleSheet(styles)


def _prepare(app: QApplication) -> None:
    app.setProperty("kansli_styled", True)
    QDir.addSearchPath("icon", str(path("icons")))
    load_fonts()
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font(BASE_PX))
    app.styleHints().colorSchemeChanged.connect(lambda _scheme: _follow(app))


def _follow(app: QApplication) -> None:
    if _state.choice == "system" and _state.theme.id != resolve("system"):
        apply(app, "system")
