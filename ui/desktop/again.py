# SPDX-License-Identifier: EUPL-1.2
"""Starts the program again in place of this process, so that nothing of its memory remains: keys, texts, pictures.

Linux: the kernel replaces the process (execve). It keeps its number, so that systemd, a shell and the desktop still
have the program that they started. Windows has no such call: a new process is started and this one ends.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app.store.keyslots import RAW_KEY_ENV
from ui.desktop.autostart import BACKGROUND

if sys.platform == "win32":
    import ctypes
    import subprocess

LOCKED = "--locked"
_RESET = "PYINSTALLER_RESET_ENVIRONMENT"
"""Otherwise PyInstaller takes a program that was started from itself for a part of the one that ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """How the program begins when it is started again."""

    locked: bool
    """At the gate, and the computer's key store is not asked before the person says so."""
    background: bool
    link: str
    """What was to be followed after unlocking, or ""."""

    def arguments(self) -> list[str]:
        """For the command line; a link is never taken for an option."""
        options = [LOCKED] * self.locked + [BACKGROUND] * self.background
        return [*options, *(["--", self.link] if self.link else [])]


def command() -> list[str]:
    """How this program was started, without the arguments that it was given."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def inherited() -> frozenset[int]:
    """The files that a program started in this one's place would have. To be asked before anything is opened."""
    return frozenset(number for number in _open_files() if os.get_inheritable(number))


def start(line: Sequence[str], environment: Mapping[str, str], keep: frozenset[int]) -> NoReturn:
    """Starts `line` in place of this process. OSError if it cannot be started; then this process goes on.

    `keep`: the files that it may have. ▲ Whatever else a library left open for it, such as a connection to the screen,
    would keep windows of this process in sight.
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
        os._exit(0)  # everything was closed in order; a thread that still runs must not keep the memory
    for number in inherited() - keep:
        with suppress(OSError):
            os.set_inheritable(number, False)
    os.execve(line[0], list(line), passed)  # noqa: S606 - ourselves


def _open_files() -> list[int]:
    """Of this process; none on a system that does not say. Standard input and output are always passed on."""
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
