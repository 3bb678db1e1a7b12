# SPDX-License-Identifier: EUPL-1.2
"""Finds parts of a widget by their class, as Qt knows them."""

from typing import TypeVar

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from ui.kit.toast import Toast

Q = TypeVar("Q", bound=QObject)


def only(owner: QObject, kind: type[Q]) -> Q:
    """The one object of this class within `owner`."""
    [found] = owner.findChildren(kind)
    return found


def toast_of(window: QWidget) -> Toast:
    """The message at the foot of a window."""
    return only(window, Toast)


def open_menu() -> QMenu:
    """The menu that is open."""
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def timer_of(owner: QObject) -> QTimer:
    """The timer that `owner` made."""
    [found] = [timer for timer in owner.findChildren(QTimer) if timer.parent() is owner]
    return found
