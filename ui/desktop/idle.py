# SPDX-License-Identifier: EUPL-1.2
"""How long nobody has used the computer, as the system counts it: also input to other programs. Only a time is read: no
key, no position, no name of a program."""

import sys


async def idle_s() -> float | None:
    """Seconds since the last input by keyboard, mouse or touch anywhere in this desktop session; None if the system
    does not say. Never blocks the event loop, and raises nothing. On Linux it may wait for services of the desktop,
    some seconds each if they do not answer."""
    if sys.platform == "win32":
        from ui.desktop.idle_windows import asked
    else:
        from ui.desktop.idle_linux import asked  # jeepney, 2 MB: not before the window is shown
    return await asked()
