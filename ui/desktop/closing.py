# SPDX-License-Identifier: EUPL-1.2
"""Windows that a person closes and the program may keep, hidden. Each asks `close`: True if it goes."""

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QObject
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from ui.kit.plain import set_title
from ui.kit.screens import first_size, least_size


class Gate(QMainWindow):
    """The window before one is in."""

    def __init__(self, close: Callable[[], bool], kept: str = "") -> None:
        """`kept`: place and size of the main window as stored in the settings; the gate opens there."""
        super().__init__()
        set_title(self, "Kansli")
        self.setMinimumSize(least_size(self))
        self.resize(first_size(self))
        if kept:
            self.restoreGeometry(QByteArray.fromBase64(kept.encode()))
        self.installEventFilter(Closing(close, self))


class Closing(QObject):
    """Hears that a window is closed, for as long as that lives."""

    def __init__(self, close: Callable[[], bool], window: QWidget) -> None:
        super().__init__(window)
        self._close = close

    def eventFilter(self, watched: QObject, event: object) -> bool:
        if isinstance(event, QCloseEvent) and not self._close():
            event.ignore()
            return True
        return False
