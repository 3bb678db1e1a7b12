# SPDX-License-Identifier: EUPL-1.2
"""A disk on which every flush fails: the system answers fsync and fdatasync of a process with EIO, by a seccomp filter
that the process puts on itself. Needs no right, no compiler and no mount."""

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Callable

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EIO
_CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}.get(platform.machine(), ())
"""fsync and fdatasync."""

possible = sys.platform == "linux" and bool(_CALLS)


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _filter() -> bytes:
    """A filter that answers EIO to the two calls and allows all others."""
    steps = [(_LOAD, 0, 0, 0)]
    steps += [(_JUMP_IF_EQUAL, len(_CALLS) - k, 0, call) for k, call in enumerate(_CALLS)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def failing_flushes() -> Callable[[], None]:
    """Puts the filter on this process; a child process calls it before it executes its program."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    code = ctypes.create_string_buffer(_filter())

    def install() -> None:
        program = _Program(len(code) // 8, ctypes.addressof(code))
        asked = (_PR_SET_NO_NEW_PRIVS, 1, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))
        for args in asked:
            if libc.prctl(*args, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")

    return install
