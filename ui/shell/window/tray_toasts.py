# SPDX-License-Identifier: EUPL-1.2
"""Notifications beside the tray's sign, where the desktop has no service of its own for them (Windows)."""

from collections.abc import Hashable

from ui.desktop.tray import Tray
from ui.shell.window.desktop_toast import OnAction, Toast, ToastAction


class TrayToasts:
    """Shows notifications beside the tray's sign, one at a time and without buttons. A press on one opens the place of
    the latest."""

    def __init__(self, tray: Tray, on_action: OnAction) -> None:
        self._tray, self._on_action = tray, on_action
        self._latest: Hashable = None
        tray.item.messageClicked.connect(self._on_click)

    def __call__(self, toast: Toast) -> None:
        self._latest = toast.key
        self._tray.notify(toast.title, toast.text)

    def withdraw(self, key: Hashable) -> None:
        """Takes the notification away if it is the latest: the others are gone already."""
        if key is not None and key == self._latest:
            self._latest = None
            self._tray.withdraw()

    def _on_click(self) -> None:
        self._on_action(self._latest, ToastAction.OPEN)
