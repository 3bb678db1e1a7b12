# SPDX-License-Identifier: EUPL-1.2
"""How large a window is at first and at least: never larger than its screen has room for.

▲ Only this file uses a screen. `QWidget.screen()` must not be called: with PySide6 the garbage collector may delete the
screen together with the widget, and Qt goes on using it (docs/upstream/qt.md, section 8).
"""

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

_FIRST, _LEAST = QSize(1440, 900), QSize(480, 360)
_FRAME = QSize(4, 40)
"""The room for the edge and title that the desktop puts around a window. Their size is known only when the window is
shown."""


def first_size(window: QWidget) -> QSize:
    """The first size of a window that has none of its own yet, in points."""
    return _FIRST.boundedTo(_room(window))


def least_size(window: QWidget) -> QSize:
    """The smallest that a person may make it, in points. What then has no room folds or scrolls."""
    return _LEAST.boundedTo(_room(window))


def area_of(widget: QWidget) -> QRect:
    """The rectangle, in global points, that a window can cover on the screen on which the middle of `widget` is (the
    primary screen if it is on none)."""
    screen = QGuiApplication.screenAt(widget.mapToGlobal(widget.rect().center())) or QGuiApplication.primaryScreen()
    return screen.availableGeometry()


def _room(window: QWidget) -> QSize:
    return area_of(window).size() - _FRAME
