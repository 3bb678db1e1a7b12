# SPDX-License-Identifier: EUPL-1.2
"""Paints what has changed in a window before the event loop does anything else."""

import time

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

FRAME_S = 0.016
"""How often a screen shows something new."""


class PromptPainting:
    """Paints the window of `widget` on request, at most every FRAME_S (16 ms)."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._painted_s = 0.0

    def paint(self) -> None:
        """Paints what has changed in the window since it was painted last. Less than FRAME_S after the last call that
        painted it does nothing, and Qt paints in a later turn of the event loop."""
        now = time.monotonic()
        if now - self._painted_s >= FRAME_S:
            self._painted_s = now
            QApplication.sendPostedEvents(self._widget.window(), QEvent.Type.UpdateRequest.value)
