# SPDX-License-Identifier: EUPL-1.2
"""The process that started this one."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Has the system kill this process when the process that started it ends, however that ends. It may have ended
    already: then nothing happens. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
