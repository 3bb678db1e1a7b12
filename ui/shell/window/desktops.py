# SPDX-License-Identifier: EUPL-1.2
"""Chooses what shows a notification: the desktop's own service, a small window of ours, or the tray's sign."""

import os
import sys
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.core.later import Later
from app.notification_settings import NOTIFICATION_WINDOW
from app.settings import ANNOUNCE, Settings
from ui.desktop.presenting import is_presenting
from ui.desktop.tray import Tray
from ui.shell.window.desktop_toast import Desktop, OnAction, Toast
from ui.shell.window.tray_toasts import TrayToasts

if TYPE_CHECKING:
    from ui.shell.window import freedesktop, notification_windows
else:  # not needed before the first notification; jeepney takes 2 MB
    freedesktop = Later("ui.shell.window.freedesktop")
    notification_windows = Later("ui.shell.window.notification_windows")

_PLACES_WINDOWS = ("xcb", "windows")
"""Qt's names of the screens on which a program decides where its window is and whether it takes the focus. Wayland
does not let it; its desktops have a service."""


def desktop(window: QWidget, settings: Settings, on_action: OnAction) -> Desktop | None:
    """What shows the notifications of `window`; None if there is neither a service nor a screen for windows of ours:
    then `with_tray` is what is left. `on_action` is called with a notification's key and what the person chose."""
    has_service, has_windows = _screen_has(QGuiApplication.platformName())
    if not has_service and not has_windows:
        return None
    return Desktops(window, settings, on_action, has_service=has_service, has_windows=has_windows)


def shows_windows() -> bool | Callable[[], Awaitable[bool]]:
    """Whether notifications can be in small windows of ours on this computer: the screen can have such windows, and the
    desktop has no service of its own. The setting NOTIFICATION_WINDOW has an effect only then. Where the desktop has to
    be asked, returns a function whose call gives the answer."""
    may_have_service, has_windows = _screen_has(QGuiApplication.platformName())
    return _has_no_service if has_windows and may_have_service else has_windows


async def _has_no_service() -> bool:
    return not await freedesktop.is_there()


def _screen_has(screen: str) -> tuple[bool, bool]:
    """(whether the desktop may have a service, whether small windows of ours can be shown) for the Qt platform with the
    name `screen`."""
    has_bus = sys.platform == "linux" and bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS"))
    return has_bus and screen in ("xcb", "wayland"), screen in _PLACES_WINDOWS


def with_tray(found: Desktop | None, tray: Tray, on_action: OnAction) -> Desktop:
    """Adds the tray's sign to what shows notifications. `found`: what `desktop` or this function returned."""
    if found is None:
        return TrayToasts(tray, on_action)
    if isinstance(found, Desktops) and found.tray is None:
        found.tray = TrayToasts(tray, on_action)
    return found


def windows_of(found: Desktop | None) -> Sequence[QWidget]:
    """The small windows that are on the screen now, the newest first."""
    return found.windows if isinstance(found, Desktops) else ()


class Desktops:
    """Shows each notification by the desktop's own service if there is one that answers. Otherwise it shows the
    notification in a small window of ours; or beside the tray's sign, if the settings want that, or if the screen
    cannot have such windows now: there are none, or a presentation or game fills it. (The system then decides whether
    and when the person sees it.)"""

    def __init__(
        self, window: QWidget, settings: Settings, on_action: OnAction, *, has_service: bool, has_windows: bool
    ) -> None:
        self._window, self._settings, self._on_action = window, settings, on_action
        self._has_service, self._has_windows = has_service, has_windows
        self._service: freedesktop.Freedesktop | None = None
        self._windows: notification_windows.NotificationWindows | None = None
        self.tray: TrayToasts | None = None

    @property
    def windows(self) -> Sequence[QWidget]:
        """The small windows that are on the screen now, the newest first."""
        return self._windows.shown if self._windows is not None else ()

    def __call__(self, toast: Toast) -> None:
        if not self._has_service:
            self.show_here(toast)
            return
        if self._service is None:
            self._service = freedesktop.Freedesktop(self._window, self._on_action, self.show_here)
        self._service(toast)

    def show_here(self, toast: Toast) -> None:
        """Shows a notification without the desktop's service."""
        if self._has_windows and self._settings.get(NOTIFICATION_WINDOW) and not is_presenting():
            if self._windows is None:
                self._windows = notification_windows.NotificationWindows(
                    self._window, self._on_action, lambda: self._settings.get(ANNOUNCE)
                )
            self._windows(toast)
        elif self.tray is not None:
            self.tray(toast)

    def withdraw(self, key: Hashable) -> None:
        """Takes a notification away, wherever it is shown."""
        for found in (self._service, self._windows, self.tray):
            if found is not None:
                found.withdraw(key)
