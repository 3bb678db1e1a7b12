# SPDX-License-Identifier: EUPL-1.2
"""Sleep, the lid, locked screens and left remote sessions by Windows' messages to a window of ours."""

import sys
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from ui.desktop.waking import Events

WM_POWERBROADCAST, WM_WTSSESSION_CHANGE = 0x0218, 0x02B1
PBT_APMSUSPEND, PBT_APMRESUMEAUTOMATIC, PBT_POWERSETTINGCHANGE = 0x4, 0x12, 0x8013
WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK = 0x2, 0x4, 0x7
WTS_SESSION_UNLOCK = 0x8


def event_of(message: int, wparam: int) -> str:
    """What a message of Windows (`message` and its `wparam`) reports: "sleeps", "woke" (from sleep), "lid" (it was
    opened or closed; the message's structure has which), "left" (the session was locked or left), "returned" (it was
    unlocked) or "" (anything else)."""
    if message == WM_POWERBROADCAST:
        meant = {PBT_APMSUSPEND: "sleeps", PBT_APMRESUMEAUTOMATIC: "woke", PBT_POWERSETTINGCHANGE: "lid"}
        return meant.get(wparam, "")
    if message == WM_WTSSESSION_CHANGE and wparam in (WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK):
        return "left"
    if message == WM_WTSSESSION_CHANGE and wparam == WTS_SESSION_UNLOCK:
        return "returned"
    return ""


LID = UUID("ba3e0f4d-b817-4094-a2d1-d56379e6a0f3").bytes_le
"""GUID_LIDSWITCH_STATE_CHANGE, as Windows writes it."""


class Lid:
    """Follows the computer's lid. Windows reports its state also at the registration for such reports, so only a change
    from open to closed counts: a computer that stays closed may be in use with an external screen."""

    def __init__(self) -> None:
        self._is_open: bool | None = None

    def closes(self, setting: bytes, state: int) -> bool:
        """Takes a report of Windows: the GUID of a `setting` (16 B), and its `state` (0: closed). Returns whether the
        lid was closed just now."""
        if setting != LID:
            return False
        was_open, self._is_open = self._is_open, state != 0
        return was_open is True and not self._is_open


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
            self._lid = Lid()

        def nativeEventFilter(self, kind: QByteArray | bytes, message: int) -> tuple[bool, int]:
            if bytes(kind) == b"windows_generic_MSG":
                msg = ctypes.wintypes.MSG.from_address(int(message))
                meant = event_of(msg.message, msg.wParam) if msg.hWnd == self._window else ""
                if meant == "woke":
                    self._events.woke.emit()
                elif meant == "sleeps" or (meant == "lid" and self._closes(int(msg.lParam))):
                    self._events.sleeps.emit()
                elif meant == "left":
                    self._events.left.emit()
                elif meant == "returned":
                    self._events.returned.emit()
            return False, 0

        def _closes(self, place: int) -> bool:
            """Reads the POWERBROADCAST_SETTING at the address `place`: GUID 16, length 4, and the state."""
            found = ctypes.string_at(place, 24)
            return self._lid.closes(found[:16], int.from_bytes(found[20:24], "little"))

    def listen(events: "Events") -> None:
        """Emits the signals of `events` by Windows' messages to a window that is never shown."""
        window = QWidget()
        allow(window)  # a new number would get no messages
        number = int(window.winId())
        if not ctypes.windll.wtsapi32.WTSRegisterSessionNotification(ctypes.c_void_p(number), 0):
            log.ui.info("no-session-notices")
        lid = ctypes.create_string_buffer(LID, 16)
        ctypes.windll.user32.RegisterPowerSettingNotification(ctypes.c_void_p(number), lid, 0)
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
