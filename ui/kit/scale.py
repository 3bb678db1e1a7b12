# SPDX-License-Identifier: EUPL-1.2
"""How large text is shown and how much air is around it: the only place that turns a measure at 100 % into pixels.

Code that paints calls `px` and `air` each time. A widget's fixed measures are given by `hold`, a layout's margins by
`spread`, and both follow by themselves. Only `ui.kit.theme.resize` changes the size.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import shiboken6
from PySide6.QtWidgets import QLayout, QWidget

TEXT_SIZES = (80, 90, 100, 110, 125, 150, 175, 200)
"""Per cent of the usual text size."""
DENSITIES = ("airy", "normal", "compact")

_ROW_AIR = {"airy": 4, "normal": 0, "compact": -3}
"""Pixels above and below what is in a row, beside the usual ones."""
_CONTROL_AIR = {"airy": 4, "normal": 0, "compact": -2}
"""The same for buttons and fields. No less than -2: a focused button has 2 px and a wide ring."""
_GAPS = {"airy": 1.3, "normal": 1.0, "compact": 0.6}
"""What the gaps of a layout are multiplied by."""


@dataclass(slots=True)
class _Now:
    text_size: int = 100
    density: str = "normal"


_now = _Now()

# Weak maps, not Qt properties: to find those again one must walk over all widgets, which makes Python objects of Qt's
# internal parts, and Qt deletes these without notifying Python.
_held: WeakKeyDictionary[QWidget, dict[str, int]] = WeakKeyDictionary()
_spread: WeakKeyDictionary[QLayout, tuple[tuple[int, int, int, int], int, bool]] = WeakKeyDictionary()


def text_size() -> int:
    """Per cent of the usual text size: one of TEXT_SIZES."""
    return _now.text_size


def density() -> str:
    """One of DENSITIES."""
    return _now.density


def set_size(text_size: int, density: str) -> bool:
    """Sets how large text is shown (`text_size`, per cent) and how much air is around it (`density`). Returns whether
    that changed anything. Only for `ui.kit.theme`, which then renews what is shown. A size that is not in TEXT_SIZES
    becomes the next larger one, or the largest; an unknown density is the normal one."""
    size = next((step for step in TEXT_SIZES if step >= text_size), TEXT_SIZES[-1])
    before = _now.text_size, _now.density
    _now.text_size, _now.density = size, density if density in DENSITIES else "normal"
    return (_now.text_size, _now.density) != before


def step(text_size: int, by: int) -> int:
    """The text size (per cent, one of TEXT_SIZES) that is `by` steps larger than `text_size`, smaller if negative; the
    last one at either end. A `text_size` that is not among them counts as the nearest one."""
    at = min(range(len(TEXT_SIZES)), key=lambda i: abs(TEXT_SIZES[i] - text_size))
    return TEXT_SIZES[max(0, min(len(TEXT_SIZES) - 1, at + by))]


def ratio() -> float:
    """The text size as a factor."""
    return _now.text_size / 100


def px(measure: float) -> int:
    """A measure of something that holds or accompanies text, given at 100 %, in whole pixels of now."""
    return round(measure * _now.text_size / 100)


def air(measure: int) -> int:
    """The vertical padding of a control in pixels, for the density in force. `measure` is the padding at normal
    density, 2 or more. It does not grow with the text, and paddings that differ by 1 px always do: a focused control
    has a wider edge and less padding."""
    return measure + _CONTROL_AIR[_now.density]


def row(measure: int) -> int:
    """The height of a row, given at 100 % and normal density."""
    return px(measure) + 2 * _ROW_AIR[_now.density]


def gap(measure: int) -> int:
    """A gap between parts of a layout, given at normal density. It does not grow with the text."""
    return round(measure * _GAPS[_now.density])


def hold(
    widget: QWidget,
    *,
    width: int | None = None,
    height: int | None = None,
    least_width: int | None = None,
    least_height: int | None = None,
    most_width: int | None = None,
) -> None:
    """Gives a widget fixed measures (`width`, `height`), least or largest ones, in pixels at 100 %; they follow the
    text size. A second call replaces the measures that it names and keeps the others."""
    named = {
        "width": width,
        "height": height,
        "least_width": least_width,
        "least_height": least_height,
        "most_width": most_width,
    }
    held = _held.setdefault(widget, {})
    held.update({name: value for name, value in named.items() if value is not None})
    _measure(widget, held)


def spread(layout: QLayout, margins: tuple[int, int, int, int], spacing: int, *, upright: bool) -> None:
    """Gives a layout its `margins` (left, top, right, bottom) and `spacing`, in pixels at normal density; the vertical
    ones follow the density. `upright`: the layout is vertical, so its spacing follows too."""
    _spread[layout] = margins, spacing, upright
    _space(layout, margins, spacing, upright=upright)


def renew() -> None:
    """Applies the measures of all widgets and layouts again, after the text size or the density has changed."""
    for widget, held in list(_held.items()):
        if shiboken6.isValid(widget):
            _measure(widget, held)
    for layout, (margins, spacing, upright) in list(_spread.items()):
        if shiboken6.isValid(layout):
            _space(layout, margins, spacing, upright=upright)


def _measure(widget: QWidget, held: dict[str, int]) -> None:
    if "width" in held:
        widget.setFixedWidth(px(held["width"]))
    if "height" in held:
        widget.setFixedHeight(px(held["height"]))
    if "least_width" in held:
        widget.setMinimumWidth(px(held["least_width"]))
    if "least_height" in held:
        widget.setMinimumHeight(px(held["least_height"]))
    if "most_width" in held:
        widget.setMaximumWidth(px(held["most_width"]))


def _space(layout: QLayout, margins: tuple[int, int, int, int], spacing: int, *, upright: bool) -> None:
    left, top, right, bottom = margins
    layout.setContentsMargins(left, gap(top), right, gap(bottom))
    layout.setSpacing(gap(spacing) if upright else spacing)
