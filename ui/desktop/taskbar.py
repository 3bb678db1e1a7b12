# SPDX-License-Identifier: EUPL-1.2
"""How much is unread, on the program's button in the taskbar, where the desktop shows such a number."""

from PySide6.QtGui import QGuiApplication


def show_badge(count: int) -> None:
    """Shows a number on the program's button, none for 0. A desktop that cannot do that ignores it."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(count)
