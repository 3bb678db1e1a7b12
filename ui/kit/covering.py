# SPDX-License-Identifier: EUPL-1.2
"""Takes every window of the program off the screen but one, and keeps away what code would show meanwhile.

A covered window is hidden, and its part at the desktop is destroyed: so no taskbar has its title or a preview of it,
and no screen reader finds it. Nor does one that has noted a part of it before (forgetting.py). The widgets, with all
that is typed in them, stay.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeGuard

import shiboken6
from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer
from PySide6.QtGui import QDrag, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from ui.kit.forgetting import Forgetting

_ALLOWED, _CLOSED = "shown_when_covered", "closed_when_covered"
_SIGN, _BALLOON = "QSystemTrayIconSys", "QBalloonTip"
"""Classes of the windows by which Qt itself shows the tray's sign and its notifications, where the desktop does not."""
_PASSING = (Qt.WindowType.Popup, Qt.WindowType.ToolTip, Qt.WindowType.SplashScreen)

_down: list["Cover"] = []
"""The cover that is down, if one is."""


async def uncovered() -> None:
    """Returns at once if no windows are covered, otherwise when the cover is lifted. ▲ Wait for it before another
    program shows something of the account: what the person asked for may be ready only under the curtain. Never
    returns if the program ends instead; the task ends with its view."""
    while _down:
        await _down[0].lifted.wait()


def allow(window: QWidget) -> None:
    """Lets a window be shown while the others are covered: one that has nothing of the account, as the tray's menu."""
    window.setProperty(_ALLOWED, True)


def close_when_covered(window: QWidget) -> None:
    """Has a window closed when the others are covered, and whenever it is to be shown meanwhile: one that would be out
    of date when they are back, as a notification."""
    window.setProperty(_CLOSED, True)


class Cover(QObject):
    """Covers all windows but `curtain` and its own dialogs and menus, from `fall` to `lift` or `drop`. It closes menus,
    popups and dialogs of the system; all other windows come back."""

    def __init__(self, curtain: QWidget) -> None:
        super().__init__(curtain)
        self._curtain = curtain
        self.lifted = asyncio.Event()
        """Set when the windows are shown again, and not when the program ends."""
        self._covered: list[QWidget] = []
        self._is_down = False
        self._forgetting = Forgetting(self._may_stay, self)

    def fall(self) -> None:
        """Covers the windows that are on the screen. What code shows from now on is covered before it appears."""
        self._is_down = True
        _down[:] = [self]
        QDrag.cancel()
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)
        for window in sorted(self._others(), key=_depth):
            self._take_away(window)
        self._forgetting.start()

    def lift(self) -> None:
        """Shows again what was covered, the windows before their dialogs."""
        self.drop()
        for window in sorted(filter(shiboken6.isValid, self._covered), key=_depth):
            window.show()
        self.lifted.set()

    def drop(self) -> None:
        """Ends covering. The windows that were covered stay hidden."""
        self._is_down = False
        self._forgetting.stop()
        with suppress(ValueError):
            _down.remove(self)
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        for window in filter(shiboken6.isValid, self._covered):  # before anything shows them again
            window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen, False)

    def _others(self) -> Iterator[QWidget]:
        for window in QApplication.topLevelWidgets():
            if shiboken6.isValid(window) and not self._may_stay(window):
                yield window

    def _may_stay(self, window: QWidget) -> bool:
        """Whether it is the curtain, a window over it, or one that is allowed."""
        at: QWidget | None = window
        while at is not None:
            if at is self._curtain or at.property(_ALLOWED):
                return True
            at = at.parentWidget()
        return window.metaObject().className() == _SIGN

    def _take_away(self, window: QWidget) -> None:
        if window.isVisible():
            if _passes(window):
                window.close()
            elif _is_of_system(window):
                window.reject()  # the system's may not come back as it was
            else:
                self._covered.append(window)
        if shiboken6.isValid(window):
            window.hide()
            _unmake(window)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Show or not isinstance(watched, QWidget) or not watched.isWindow():
            return False
        if self._may_stay(watched) or watched.metaObject().className() == _BALLOON:
            return False
        # Qt shows a window on the screen after this event, unless it has this attribute
        watched.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        watched.hide()
        if _passes(watched):
            watched.close()
        elif watched not in self._covered:
            self._covered.append(watched)
        QTimer.singleShot(0, self, self._unmake_hidden)
        return True

    def _unmake_hidden(self) -> None:
        """A dialog that was to be shown had Qt make its window's part at the desktop again, too."""
        if self._is_down:
            for window in self._others():
                if not window.isVisible():
                    _unmake(window)


def _passes(window: QWidget) -> bool:
    """Whether a window is closed and does not come back."""
    return window.windowType() in _PASSING or bool(window.property(_CLOSED))


def _is_of_system(dialog: QWidget) -> TypeGuard[QDialog]:
    """Whether it is a dialog that the system may show in place of Qt: for files, or for printing."""
    return isinstance(dialog, QDialog) and (dialog.inherits("QFileDialog") or dialog.inherits("QAbstractPrintDialog"))


def _unmake(window: QWidget) -> None:
    """Destroys the part of a hidden window that the desktop knows; Qt makes another when the window is shown."""
    if window.windowHandle() is not None:
        window.destroy()


def _depth(window: QWidget) -> int:
    above = window.parentWidget()
    return 0 if above is None else 1 + _depth(above.window())


class OwnClipboard:
    """What the program itself has put on the clipboard: taken away while it is covered, and put back. ▲ Otherwise
    somebody who sits down would paste what was copied before. What another program copied stays."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def take(self) -> None:
        """Keeps what the program has on the clipboard in memory, and clears it there; clears the mouse's selection."""
        clipboard = QGuiApplication.clipboard()
        if clipboard.ownsSelection():
            clipboard.clear(clipboard.Mode.Selection)
        if clipboard.ownsClipboard():
            mime: Any = clipboard.mimeData()
            self._kept = {name: bytes(mime.data(name).data()) for name in mime.formats()}
            clipboard.clear()

    def give_back(self) -> None:
        """Puts back what `take` kept, unless something else has been copied since."""
        clipboard = QGuiApplication.clipboard()
        kept, self._kept = self._kept, {}
        now: QMimeData | None = clipboard.mimeData()  # none under X11 when it is empty
        if kept and (now is None or not now.formats()):
            again = QMimeData()
            for name, data in kept.items():
                again.setData(name, data)
            clipboard.setMimeData(again)
