# SPDX-License-Identifier: EUPL-1.2
"""Walks a view as somebody with a small screen or large text sees it: what is cut off, squeezed or out of reach."""

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QCalendarWidget,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)

from ui.kit.style import ElidedLabel
from ui.shell.window.regions import takes_focus

SLACK = 2
"""Pixels by which rounding may differ."""
LEAST_SIGHT = 30
"""A part that scrolls shows at least so much, or one could not read in it."""
CONTROLS = (QAbstractButton, QComboBox, QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox, QAbstractItemView)
PARTS_OF_QT = (QScrollBar, QTabBar, QCalendarWidget, QMenu)


def tops(window: QWidget) -> list[QWidget]:
    """The window, and the windows of its own that are over it."""
    over = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window and _belongs(w, window)]
    return [window, *over]


def wrong(window: QWidget) -> list[str]:
    """What cannot be reached or read in a window, in words; empty if all can."""
    found: list[str] = []
    for top in tops(window):
        if top.windowType() == Qt.WindowType.Dialog:  # the others stand on the screen, not in the window
            found += [f"{_name(top)}: larger than its window"] if _exceeds(top.size(), window.size()) else []
        controls = [w for w in top.findChildren(QWidget) if w.isVisible() and w.window() is top and _is_control(w)]
        for control in controls:
            found += [f"{_name(control)}: {what}" for what in (*_out_of_reach(control, top), *_squeezed(control))]
        found += _overlapping(controls)
        labels = [w for w in top.findChildren(QLabel) if w.isVisible() and w.window() is top]
        for each in labels:
            found += [f"{_name(each)}: {what}" for what in (*cut_off(each), *_out_of_reach(each, top))]
    return found


def _belongs(widget: QWidget, window: QWidget) -> bool:
    parent = widget.parentWidget()
    return parent is not None and parent.window() is window


def _is_control(widget: QWidget) -> bool:
    parent: QWidget | None = widget
    while parent is not None:
        if isinstance(parent, PARTS_OF_QT) or (isinstance(parent, QComboBox) and parent is not widget):
            return False
        parent = parent.parentWidget()
    return isinstance(widget, CONTROLS) or takes_focus(widget)


def _name(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""
    return f"{type(widget).__name__} “{(widget.accessibleName() or text)[:40]}”"


def _exceeds(size: QSize, room: QSize) -> bool:
    return size.width() > room.width() + SLACK or size.height() > room.height() + SLACK


def _out_of_reach(control: QWidget, top: QWidget) -> Iterator[str]:
    """Goes outwards: inside each parent the control has to be in sight, or in a part that scrolls to it."""
    rect, widget = control.rect(), control
    while widget is not top:
        parent = widget.parentWidget()
        assert parent is not None
        area = parent.parentWidget()
        if isinstance(area, QScrollArea) and area.widget() is widget:
            if _outside(rect, widget.rect()):
                yield f"outside of what scrolls, {rect} in {widget.size()}"
                return
            still = area.horizontalScrollBarPolicy() == area.horizontalScrollBarPolicy().ScrollBarAlwaysOff
            if still and rect.right() > parent.width() + SLACK:
                yield f"right of what scrolls only up and down, {rect.right()} of {parent.width()}"
                return
            seen = parent.rect()
            if seen.height() < min(LEAST_SIGHT, rect.height()):
                yield f"in a part of which {seen.height()} px are seen"
                return
            rect = QRect(QPoint(0, 0), QSize(min(rect.width(), seen.width()), min(rect.height(), seen.height())))
        elif widget is not control and _outside(rect, widget.rect()):
            yield f"cut off by {_name(widget)}, {rect} in {widget.size()}"
            return
        else:
            rect = rect.translated(widget.pos())
        widget = parent
    if _outside(rect, top.rect()):
        yield f"outside of the window, {rect} in {top.size()}"


def _outside(rect: QRect, room: QRect) -> bool:
    return not room.adjusted(-SLACK, -SLACK, SLACK, SLACK).contains(rect)


def _squeezed(control: QWidget) -> Iterator[str]:
    least = control.minimumSizeHint()
    if isinstance(control, QAbstractItemView | QTextEdit | QPlainTextEdit):
        least = QSize(0, 0)  # they scroll
    if control.width() < least.width() - SLACK or control.height() < least.height() - SLACK:
        yield f"squeezed to {control.size()}, needs {least}"


def cut_off(shown: QLabel) -> Iterator[str]:
    """How a label is narrower or lower than its text, in words; nothing if all of it is seen."""
    if not shown.text().strip() or not shown.pixmap().isNull():
        return
    if shown.wordWrap():
        if shown.height() < shown.heightForWidth(shown.width()) - SLACK:
            yield f"cut to {shown.height()} of {shown.heightForWidth(shown.width())} px"
        narrow = QRect(0, 0, 1, 100_000)
        longest = shown.fontMetrics().boundingRect(narrow, Qt.TextFlag.TextWordWrap, shown.text()).width()
        if shown.width() < longest - SLACK:
            yield f"a word is cut, {shown.width()} of {longest} px"
        return
    needs = shown.sizeHint()
    if not isinstance(shown, ElidedLabel) and shown.width() < needs.width() - SLACK:
        yield f"cut to {shown.width()} of {needs.width()} px"
    if shown.height() < shown.fontMetrics().height() - SLACK:
        yield f"cut to {shown.height()} px of a line of {shown.fontMetrics().height()}"


def _overlapping(controls: list[QWidget]) -> list[str]:
    """Controls of one parent that overlap."""
    by_parent: dict[QWidget, list[QWidget]] = {}
    for control in controls:
        parent = control.parentWidget()
        if parent is not None and parent.layout() is not None:
            by_parent.setdefault(parent, []).append(control)
    found = []
    for siblings in by_parent.values():
        for i, one in enumerate(siblings):
            for other in siblings[i + 1 :]:
                common = one.geometry().intersected(other.geometry())
                if common.width() > SLACK and common.height() > SLACK:
                    found.append(f"{_name(one)} stands on {_name(other)}")
    return found
