# SPDX-License-Identifier: EUPL-1.2
"""Starts the program again in place of this process, so that its memory with keys, texts and pictures is gone.

Linux: the kernel replaces the process (execve). The process number stays the same, so that systemd, a shell and the
desktop still know the program that they started. Windows has no such call: a new process is started and this one ends.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app.store.store_keys import RAW_KEY_ENV
from ui.desktop.autostart import BACKGROUND

if sys.platform == "win32":
    import ctypes
    import subprocess

LOCKED = "--locked"
_RESET = "PYINSTALLER_RESET_ENVIRONMENT"
"""The environment variable by which PyInstaller takes the new process for a program of its own, and not for a part of
the ending one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """How the program is to begin when it is started again. `locked`: it waits for the person to unlock it.
    `background`: without a window. `link` is a link to follow, or ""."""

    locked: bool
    """It begins at the gate, and asks the computer's key store only when the person wants it."""
    background: bool
    """Whether it begins in the notification area, without a window."""
    link: str
    """The `kansli:` link to follow after unlocking, or ""."""

    def arguments(self) -> list[str]:
        """The command-line arguments for this start. The link comes last, behind "--", so that it cannot be taken for
        an option."""
        options = [LOCKED] * self.locked + [BACKGROUND] * self.background
        return [*options, *(["--", self.link] if self.link else [])]


def command() -> list[str]:
    """The command that started this program, without its arguments: the installed program, or Python with the module
    or script."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def inherited() -> frozenset[int]:
    """The numbers of this process's open files that a program started in its place would inherit, without 0 to 2, which
    it always does. Empty on a system without /proc. Call it before anything is opened, so that it returns the files
    that this program itself was started with."""
    return frozenset(number for number in _open_files() if os.get_inheritable(number))


def start(line: Sequence[str], environment: Mapping[str, str], keep: frozenset[int]) -> NoReturn:
    """Starts the command `line` with this `environment`, without the variable RAW_KEY_ENV (a key), in place of this
    process, and does not return. OSError if it cannot be started; then this process goes on.

    `keep`: the open files that the new program may inherit, besides standard input, output and errors. ▲ All others are
    closed. Otherwise a connection to the screen that a library left open would keep windows of this process in sight.
    """
    passed = {name: value for name, value in environment.items() if name != RAW_KEY_ENV}
    if getattr(sys, "frozen", False):
        passed[_RESET] = "1"
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if sys.platform == "win32":
        process = subprocess.Popen(line, env=passed, close_fds=True)  # noqa: S603 - ourselves
        ctypes.windll.user32.AllowSetForegroundWindow(ctypes.c_ulong(process.pid))
        os._exit(0)  # everything is closed by now; a thread that still runs must not keep the process and its memory
    for number in inherited() - keep:
        with suppress(OSError):
            os.set_inheritable(number, False)
    os.execve(line[0], list(line), passed)  # noqa: S606 - ourselves


def _open_files() -> list[int]:
    """Numbers of the open files of this process, without standard input, output and errors, which are always inherited.
    Empty on a system without /proc."""
    try:
        numbers = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    except OSError:
        return []
    return [number for number in numbers if number > 2 and _is_open(number)]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
