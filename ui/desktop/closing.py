# SPDX-License-Identifier: EUPL-1.2
"""Windows that a person closes and the program may keep, hidden. Each calls `close`, which returns True if the window
may go."""

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QObject
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from ui.kit.laying_out import lay_out_first
from ui.kit.plain import set_title
from ui.kit.screens import first_size, least_size


class Gate(QMainWindow):
    """The window that is shown before unlocking and while locked. `close` is called before it is closed, and returns
    whether it may be."""

    def __init__(self, close: Callable[[], bool], kept: str = "") -> None:
        """`close` is called before the window is closed, and returns whether it may be. `kept` is the place and size of
        the main window, as stored in the settings: this window opens there, unless it is ""."""
        super().__init__()
        set_title(self, "Kansli")
        lay_out_first(self)
        self.setMinimumSize(least_size(self))
        self.resize(first_size(self))
        if kept:
            self.restoreGeometry(QByteArray.fromBase64(kept.encode()))
        self.installEventFilter(Closing(close, self))


class Closing(QObject):
    """An event filter, which the caller must install on `window`: calls `close` before the window is closed, and keeps
    the window open if that returns False. It lives as long as the window."""

    def __init__(self, close: Callable[[], bool], window: QWidget) -> None:
        super().__init__(window)
        self._close = close

    def eventFilter(self, watched: QObject, event: object) -> bool:
        if isinstance(event, QCloseEvent) and not self._close():
            event.ignore()
            return True
        return False
