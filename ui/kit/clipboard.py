# SPDX-License-Identifier: EUPL-1.2
"""Puts plain text on the clipboard, and no other format."""

from PySide6.QtGui import QGuiApplication


def copy_text(text: str) -> None:
    """Puts plain text on the clipboard."""
    QGuiApplication.clipboard().setText(text)
