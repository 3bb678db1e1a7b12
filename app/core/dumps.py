# SPDX-License-Identifier: EUPL-1.2
"""Keeps what this process holds in memory out of core dumps, error reports and other processes' reach.

Swap and hibernation are the system's: SECURITY.md says what an encrypted disk is for.
"""

import ctypes
import sys
from pathlib import Path

_PR_SET_DUMPABLE = 4
_SEM_NO_FAULT_BOX = 0x0002


def forbid() -> None:
    """Has the system write no memory dump of this process from now on; on Linux, also keeps other processes of the same
    user from reading its memory. Call it once, at the start. If the system cannot do a part of that, the part is left
    out."""
    if sys.platform == "win32":
        _windows()
    elif sys.platform == "linux":
        _linux()


def _linux() -> None:
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    # Neither dumped nor traced by another process of the same user, and its /proc entries are root's.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _windows() -> None:
    if sys.platform == "win32":
        ctypes.WinDLL("kernel32").SetErrorMode(_SEM_NO_FAULT_BOX)
        ctypes.WinDLL("wer").WerAddExcludedApplication(ctypes.c_wchar_p(Path(sys.executable).name), False)
