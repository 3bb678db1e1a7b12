# SPDX-License-Identifier: EUPL-1.2
"""The file into which Python's faulthandler writes when native code ends the process, read without what may name a
person: of each call the file's name, the number of the line and the function."""

import re
from collections.abc import Iterator
from pathlib import Path

from app.core.log import file_name

NAME = "crash.log"
MOST_BYTES = 1_000_000
"""How much of the file is read: faulthandler writes at most 100 threads of 100 calls, some 100 bytes each."""
_FRAME = re.compile(r'\s*File "(?P<path>.*)", line (?P<line>\d+) in (?P<function>[^ ]+)')
_HEAD = re.compile(r"(Fatal Python error|Windows fatal exception): (?P<what>[A-Za-z0-9 :_-]{1,80})")
_THREAD = re.compile(r"(Current thread|Thread) 0x[0-9a-fA-F]+")


def read(folder: Path) -> list[str]:
    """Reads the file in `folder` in which Python noted a crash of native code, without what may name a person: one line
    for each call, error and thread; [] if there is none, or it cannot be read. Other lines are left out. Only the first
    MOST_BYTES are read."""
    try:
        with (folder / NAME).open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return []
    return list(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if (frame := _FRAME.fullmatch(line)) is not None:
            yield f"    at {file_name(frame['path'])}:{frame['line']} {frame['function']}"
        elif (found := _HEAD.match(line) or _THREAD.match(line)) is not None:
            yield found[0]
