# SPDX-License-Identifier: EUPL-1.2
"""Whether something else has the whole screen: a presentation, a game, a film."""

import sys

QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN, QUNS_PRESENTATION_MODE = 2, 3, 4
QUNS_ACCEPTS_NOTIFICATIONS = 5
_FILLED = frozenset({QUNS_BUSY, QUNS_RUNNING_D3D_FULL_SCREEN, QUNS_PRESENTATION_MODE})


def fills_screen(state: int) -> bool:
    """Whether a state of Windows' SHQueryUserNotificationState says that a program fills the screen or that the person
    presents: https://learn.microsoft.com/windows/win32/api/shellapi/ne-shellapi-query_user_notification_state."""
    return state in _FILLED


def is_presenting() -> bool:
    """Whether a small window of ours would now lie over a presentation, a game or a film. On other systems than Windows
    always False: they do not say it."""
    return fills_screen(_state())


if sys.platform == "win32":
    import ctypes

    def _state() -> int:
        state = ctypes.c_int(QUNS_ACCEPTS_NOTIFICATIONS)
        ctypes.WinDLL("shell32").SHQueryUserNotificationState(ctypes.byref(state))
        return state.value  # unchanged if Windows does not say it

else:

    def _state() -> int:
        return QUNS_ACCEPTS_NOTIFICATIONS
