# SPDX-License-Identifier: EUPL-1.2
"""How long nobody has used the computer, by Windows' GetLastInputInfo: the time of the session's last input.
https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getlastinputinfo"""

import sys

_AHEAD_MS = 60_000


def idle_ms(now: int, last: int) -> int:
    """Milliseconds from `last` to `now`, two readings of Windows' clock of 32 bits, which begins again every 49.7 days.
    0 if `last` is up to a minute ahead: Windows does not promise that the times of inputs only grow."""
    passed = (now - last) % 2**32
    return 0 if passed >= 2**32 - _AHEAD_MS else passed


if sys.platform == "win32":
    import ctypes
    import ctypes.wintypes

    class _LastInput(ctypes.Structure):
        """LASTINPUTINFO."""

        _fields_ = (("cbSize", ctypes.wintypes.UINT), ("dwTime", ctypes.wintypes.DWORD))

    async def asked() -> float | None:
        """As `ui.desktop.idle.idle_s`. Windows answers at once."""
        last = _LastInput(cbSize=ctypes.sizeof(_LastInput))
        if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last)):
            return None
        return idle_ms(ctypes.windll.kernel32.GetTickCount() % 2**32, last.dwTime) / 1000
