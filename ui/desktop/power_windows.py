# SPDX-License-Identifier: EUPL-1.2
"""Sleep, locked screens and left remote sessions by Windows' messages to a window of ours."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.desktop.waking import Events

WM_POWERBROADCAST, WM_WTSSESSION_CHANGE = 0x0218, 0x02B1
PBT_APMRESUMEAUTOMATIC = 0x12
WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK = 0x2, 0x4, 0x7


def event_of(message: int, wparam: int) -> str:
    """What a message of Windows (`message` and its `wparam`) reports: "woke" (from sleep), "left" (the session was
    locked or left) or "" (anything else)."""
    if message == WM_POWERBROADCAST and wparam == PBT_APMRESUMEAUTOMATIC:
        return "woke"
    if message == WM_WTSSESSION_CHANGE and wparam in (WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK):
        return "left"
    return ""


if sys.platform == "win32":
    import ctypes
    import ctypes.wintypes

    from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication
    from PySide6.QtWidgets import QWidget

    from app.core import log
    from ui.kit.covering import allow

    class _Filter(QAbstractNativeEventFilter):
        """Translates Windows' messages. Every window gets WM_POWERBROADCAST; only one that asked for it gets
        WM_WTSSESSION_CHANGE."""

        def __init__(self, events: "Events", window: int) -> None:
            super().__init__()
            self._events, self._window = events, window

        def nativeEventFilter(self, kind: QByteArray | bytes, message: int) -> tuple[bool, int]:
            if bytes(kind) == b"windows_generic_MSG":
                msg = ctypes.wintypes.MSG.from_address(int(message))
                meant = event_of(msg.message, msg.wParam) if msg.hWnd == self._window else ""
                if meant == "woke":
                    self._events.woke.emit()
                elif meant == "left":
                    self._events.left.emit()
            return False, 0

    def listen(events: "Events") -> None:
        """Emits the signals of `events` by Windows' messages to a window that is never shown."""
        window = QWidget()
        allow(window)  # a new number would get no messages
        number = int(window.winId())
        if not ctypes.windll.wtsapi32.WTSRegisterSessionNotification(ctypes.c_void_p(number), 0):
            log.ui.info("no-session-notices")
        found = _Filter(events, number)
        application = QCoreApplication.instance()
        if application is not None:
            application.installNativeEventFilter(found)
        kept = (window, found)  # for as long as the events live

        def release() -> None:
            ctypes.windll.wtsapi32.WTSUnRegisterSessionNotification(ctypes.c_void_p(number))
            if application is not None:
                application.removeNativeEventFilter(kept[1])
            kept[0].deleteLater()

        events.destroyed.connect(release)
