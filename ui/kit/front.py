# SPDX-License-Identifier: EUPL-1.2
"""Brings a window up."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def to_front(window: QWidget) -> None:
    """Brings a window to the front, whether it is hidden, minimised or behind others."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
