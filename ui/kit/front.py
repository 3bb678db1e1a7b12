# SPDX-License-Identifier: EUPL-1.2
"""Brings a window up."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def to_front(window: QWidget) -> None:
    """Up from wherever it is: hidden, minimised, behind."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
