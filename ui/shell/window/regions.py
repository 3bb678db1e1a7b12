# SPDX-License-Identifier: EUPL-1.2
"""F6: moves the focus between the regions of a window."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def takes_focus(widget: QWidget) -> bool:
    """Whether Tab stops at the widget now."""
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def first_focusable(region: QWidget) -> QWidget | None:
    """The first widget that takes the focus, in the order of Tab, of the region itself and all in it; None if there is
    none."""
    if takes_focus(region):
        return region
    widget = region.nextInFocusChain()
    while widget is not None and widget is not region:
        if region.isAncestorOf(widget) and takes_focus(widget) and widget.focusProxy() is None:
            return widget
        widget = widget.nextInFocusChain()
    return None


def step(regions: Sequence[QWidget], focused: QWidget | None, by: int) -> QWidget | None:
    """Moves the focus to the next (`by` 1) or previous (-1) of the visible `regions`, around the ends, from the one
    that contains `focused`; from none of them, to the first or last. Returns the widget that got the focus; None if no
    region takes it. A region may be in another window, which then becomes the active one."""
    shown = [(r, first_focusable(r)) for r in regions if r.isVisible()]
    stops = [(r, w) for r, w in shown if w is not None]
    if not stops:
        return None
    now = next(
        (i for i, (r, _) in enumerate(stops) if focused is not None and (r is focused or r.isAncestorOf(focused))), None
    )
    at = (0 if by > 0 else len(stops) - 1) if now is None else (now + by) % len(stops)
    widget = stops[at][1]
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    if widget.window() is not stops[0][0].window():
        widget.activateWindow()
    return widget
