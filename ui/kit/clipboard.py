# SPDX-License-Identifier: EUPL-1.2
"""The clipboard takes plain text from us, nothing else."""

from PySide6.QtGui import QGuiApplication


def copy_text(text: str) -> None:
    """Puts plain text on the clipboard."""
    QGuiApplication.clipboard().setText(text)
