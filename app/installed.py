# SPDX-License-Identifier: EUPL-1.2
"""Which release is installed where this program was started from: after an upgrade it is newer than the running one.

The package puts version.txt beside the program's libraries (packaging/kansli.spec), and replaces it with them. Nothing
is asked over the network.
"""

import sys
from pathlib import Path

from sync.protocol.programs import release
from sync.protocol.version import PROGRAM

__all__ = ["FILE", "PROGRAM", "Installed", "version_file"]

FILE = "version.txt"
_MOST_BYTES = 64


def version_file() -> Path | None:
    """The path of the file by which the package names the installed release; None where Kansli runs from source."""
    folder = getattr(sys, "_MEIPASS", None)
    return Path(folder) / FILE if getattr(sys, "frozen", False) and isinstance(folder, str) else None


class Installed:
    """Compares the release that is installed on this computer, as a file names it, with the one that runs. After an
    upgrade the window can then ask for a restart."""

    def __init__(self, file: Path | None, running: str = PROGRAM, *, held_by_system: bool = sys.platform == "win32"):
        """`file`: the package's file with the installed release; None if there is none, as when Kansli runs from
        source: then no newer release is ever found. `running`: the release of this process. `held_by_system`: the
        operating system does not allow a running program's files to be replaced (Windows). The new files are then put
        in place when the computer restarts; until then Kansli still starts from the old files."""
        self._file, self._running = file, release(running)
        self.needs_computer = held_by_system and self.newer() is not None
        """Whether the newer release was on the disk when this program started, and yet the old one was started: only a
        restart of the computer completes the installation."""

    def newer(self) -> str | None:
        """The installed release if it is newer than the running program, otherwise None."""
        text = self.installed()
        found = release(text) if text is not None else None
        return text if found is not None and self._running is not None and found > self._running else None

    def installed(self) -> str | None:
        """The release that the file names. None if there is no file or it cannot be read: an upgrade may be replacing
        it right now."""
        try:
            if self._file is None:
                return None
            with self._file.open("rb") as file:
                return file.read(_MOST_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
