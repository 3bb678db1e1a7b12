# SPDX-License-Identifier: EUPL-1.2
"""Notifications in small windows of ours, for a desktop without a service for them, as Windows: in the corner of the
screen, one for each conversation, and at most three."""

from collections.abc import Callable, Hashable, Sequence

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget

from ui.kit.front import to_front
from ui.kit.screens import area_of
from ui.shell.window.desktop_toast import OnAction, Toast, ToastAction
from ui.shell.window.notification_window import NotificationWindow

MOST = 3
"""The most windows at once. Another one takes the place of the oldest; what that was about is still listed under
Activity."""
_FROM_EDGE, _APART = 12, 8


class NotificationWindows(QObject):
    """Shows notifications in small windows over all others, in the lower right corner of the screen that `owner` is on,
    above the taskbar. No window moves while it is shown: otherwise a person would press another one's button. When
    `owner` is deleted, all these windows close.

    `on_action` is called with a notification's key and the ToastAction that the person chose; not if the window closes
    by itself. `is_announced` returns whether the person wants notifications to be read out by a screen reader; if so,
    each is announced once."""

    def __init__(self, owner: QWidget, on_action: OnAction, is_announced: Callable[[], bool]) -> None:
        super().__init__(owner)
        self._owner, self._on_action, self._is_announced = owner, on_action, is_announced
        self._shown: dict[Hashable, NotificationWindow] = {}
        """By key, the oldest first."""

    @property
    def shown(self) -> Sequence[NotificationWindow]:
        """The windows that are on the screen, the newest first."""
        return tuple(reversed(self._shown.values()))

    def __call__(self, toast: Toast) -> None:
        window = self._shown.pop(toast.key, None)
        if window is not None and window.is_bare != toast.is_bare:
            window.close()
            window = None
        if window is None:
            window = self._make(toast)
        else:
            window.show_toast(toast)
        while len(self._shown) >= MOST:
            self._close_oldest()
        self._put(window)
        self._shown[toast.key] = window
        if toast.sounds:
            QApplication.beep()
        window.present()

    def withdraw(self, key: Hashable) -> None:
        """Closes the window of a notification, if it is there: what it was about is read."""
        window = self._shown.get(key)
        if window is not None:
            window.close()

    def _make(self, toast: Toast) -> NotificationWindow:
        key, window = toast.key, NotificationWindow(toast, self._is_announced)
        window.closed.connect(lambda: self._drop(key, window))
        window.chosen.connect(lambda action: self._on_action(key, ToastAction(action)))
        window.main_wanted.connect(lambda: self._leave(key, window))
        self.destroyed.connect(window.hide)
        self.destroyed.connect(window.deleteLater)
        return window

    def _drop(self, key: Hashable, window: NotificationWindow) -> None:
        if self._shown.get(key) is window:
            del self._shown[key]
        window.deleteLater()

    def _leave(self, key: Hashable, window: NotificationWindow) -> None:
        if window.is_bare:  # the main window may be covered
            self._on_action(key, ToastAction.OPEN)
        else:
            to_front(self._owner)

    def _close_oldest(self) -> None:
        """Closes the oldest window in which neither pointer nor focus is; the oldest of all if there is none."""
        free = [window for window in self._shown.values() if not window.is_held]
        (free or list(self._shown.values()))[0].close()

    # -- where -----------------------------------------------------------------------------------------------------

    def _put(self, window: NotificationWindow) -> None:
        """Gives the window its size and the lowest place that is free; closes older ones until there is one."""
        area = area_of(self._owner).adjusted(_FROM_EDGE, _FROM_EDGE, -_FROM_EDGE, -_FROM_EDGE)
        foot = window.geometry().bottom() if window.isVisible() else None
        window.set_room(area.size())
        while (place := self._free_place(window, area, foot)) is None and self._shown:
            self._close_oldest()
        window.move(place or area.topLeft())

    def _free_place(self, window: NotificationWindow, area: QRect, foot: int | None) -> QPoint | None:
        """The lowest place in `area` where the window covers no other, or the one with its foot at `foot`; None if
        there is none. Without other windows there is always one."""
        others = [each.geometry() for each in self._shown.values()]
        feet = sorted((area.bottom(), *(other.top() - 1 - _APART for other in others)), reverse=True)
        for bottom in feet if foot is None else [foot, *feet]:
            place = QRect(QPoint(0, 0), window.size())
            place.moveBottomRight(QPoint(area.right(), bottom))
            if area.contains(place) and not any(place.intersects(other) for other in others):
                return place.topLeft()
        return None
