# SPDX-License-Identifier: EUPL-1.2
"""The rights that the worker gives up before it reads the first byte from a colleague. SECURITY.md says what is not
enforced."""

import ctypes
import sys

from app.core.parent import end_with_parent
from app.worker import confine_windows

MEMORY_BYTES = 2 * 1024**3
STACK_BYTES = 4 * 1024**2
"""Half of what the program's threads have: data nested too deep for them ends this process first."""
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38


def confine() -> None:
    """Gives up this process's rights for as long as it runs, before it reads a colleague's first byte. On Linux it can
    then open and write no file, start no process and get no new rights, dumps no core, has 2 GiB of memory, and ends
    with the program. On Windows it gives up less: files can still be read. On other systems nothing happens. Nothing
    can be imported afterwards."""
    if sys.platform == "linux":
        _limit()
        _forbid()
    elif sys.platform == "win32":
        confine_windows.confine(MEMORY_BYTES)


def _limit() -> None:
    import resource

    for what, bound in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),  # ▲ open files stay open; any larger bound leaves a free number to open
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_STACK, STACK_BYTES),
    ):
        _, most = resource.getrlimit(what)
        bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(what, (bound, bound))


def _forbid() -> None:
    end_with_parent()  # ▲ also if the program is killed
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
