# SPDX-License-Identifier: EUPL-1.2
"""Finds which files another program has open. Linux: by the open descriptors of this user's processes (/proc). Windows:
a file that is open cannot be renamed; which program has it open is not known there."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")


def held_files(folder: Path) -> dict[Path, str]:
    """The files below `folder` that another process of this user has open, each with the name of one such program, ""
    if that is not known. Takes some 10 ms; call it in a thread. Raises nothing: what cannot be read counts as not
    open."""
    if sys.platform == "win32":
        return {path: "" for path in files_below(folder) if _is_locked(path)}
    found: dict[Path, str] = {}
    inside = f"{folder}/"
    for process in _numbers(PROCESSES):
        if process == os.getpid():
            continue
        for descriptor in _numbers(PROCESSES / str(process) / "fd"):
            with suppress(OSError):
                path = os.readlink(f"{PROCESSES}/{process}/fd/{descriptor}")  # noqa: PTH115 - a string is quicker
                if path.startswith(inside):
                    found[Path(path)] = _program(process)
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Yields the paths of everything below `folder` that is no folder; links are not followed. Raises nothing."""
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in sorted(names))


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(folder) if name.isdecimal()]  # noqa: PTH208 - names only
    except OSError:  # the process has ended, or is another user's
        return []


def _program(process: int) -> str:
    try:
        return (PROCESSES / str(process) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _is_locked(path: Path) -> bool:
    try:
        path.rename(path)
    except OSError:
        return True
    return False
