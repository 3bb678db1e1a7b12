# SPDX-License-Identifier: EUPL-1.2
"""Makes the wheel scroll and never choose. Qt lets a combo box, a number or a date change under the pointer while a
person only wants to scroll past it. Every control that Qt changes by wheel is made with `keep_still`;
tests/ui/test_wheel.py finds those that are not."""

from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def keep_still(control: W) -> W:
    """Makes the mouse wheel scroll past `control` (a combo box, a number or a date) instead of changing its value, and
    not focus it. Returns the control. An open list or calendar is a window of its own, where the wheel works as
    before."""
    if control.focusPolicy() == Qt.FocusPolicy.WheelFocus:
        control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_Still(control))
    return control


class _Still(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()  # so that Qt offers it to the parent
        return True
