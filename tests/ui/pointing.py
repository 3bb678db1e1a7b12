# SPDX-License-Identifier: EUPL-1.2
"""A pointer as a person has one: it moves, turns its wheel and clicks, and Qt finds out what is under it."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

NO_KEYS = Qt.KeyboardModifier.NoModifier
NOTCH = 120
"""One step of a wheel, in Qt's eighths of a degree; positive turns away from the person."""


def point(widget: QWidget, at: QPoint | None = None) -> None:
    """Moves the pointer to a point of a widget, by default to its middle."""
    window, place = _place(widget, at)
    for away in (QPoint(1, 1), QPoint()):  # two moves, as from a hand; a move to where the pointer is does not count
        QTest.mouseMove(window.windowHandle(), place + away)
    QApplication.processEvents()


def wheel(widget: QWidget, notches: int, at: QPoint | None = None) -> None:
    """Turns the wheel over a point of a widget, without moving the pointer: upwards if positive."""
    window, place = _place(widget, at)
    for _ in range(abs(notches)):
        QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, NOTCH if notches > 0 else -NOTCH))
    QApplication.processEvents()


def click(widget: QWidget, at: QPoint | None = None, *, right: bool = False) -> None:
    """Clicks what is under a point of a widget, be it another widget that lies above it."""
    window, place = _place(widget, at)
    button = Qt.MouseButton.RightButton if right else Qt.MouseButton.LeftButton
    QTest.mouseClick(window.windowHandle(), button, NO_KEYS, place)
    QApplication.processEvents()


def press(widget: QWidget, at: QPoint | None = None) -> None:
    """Presses the left button over a point of a widget."""
    window, place = _place(widget, at)
    QTest.mousePress(window.windowHandle(), Qt.MouseButton.LeftButton, NO_KEYS, place)


def release(widget: QWidget, at: QPoint | None = None) -> None:
    """Lets go of the left button over a point of a widget."""
    window, place = _place(widget, at)
    QTest.mouseRelease(window.windowHandle(), Qt.MouseButton.LeftButton, NO_KEYS, place)
    QApplication.processEvents()


def _place(widget: QWidget, at: QPoint | None) -> tuple[QWidget, QPoint]:
    window = widget.window()
    return window, widget.mapTo(window, at if at is not None else widget.rect().center())
