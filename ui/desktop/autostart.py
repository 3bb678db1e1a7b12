# SPDX-License-Identifier: EUPL-1.2
"""Whether the desktop starts Kansli when the person signs in: a desktop file, or a value in Windows' registry."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from app.core import log
from app.core.files import write_atomic

if sys.platform == "win32":
    import subprocess
    import winreg

BACKGROUND = "--background"
NAME = "se.kansli.Kansli"
_RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"


class Autostart(Protocol):
    """The place where a desktop keeps the command by which it starts this program when the person signs in. Its methods
    raise OSError if the place cannot be read or written."""

    def line(self, command: Sequence[str]) -> str:
        """A command as it is written in that place."""
        ...

    def read(self) -> str | None:
        """The line in that place, or None."""
        ...

    def write(self, line: str) -> None: ...

    def remove(self) -> None:
        """Removes the line. A second call changes nothing."""
        ...


def keep(wanted: bool, place: Autostart, command: Sequence[str]) -> None:
    """Makes the desktop start `command` when the person signs in, or not start it (`wanted`). Writes only what differs.
    An error is logged and otherwise ignored."""
    try:
        found, line = place.read(), place.line(command)
        if wanted and found != line:
            place.write(line)
        elif not wanted and found is not None:
            place.remove()
    except OSError as e:
        log.ui.exception("no-autostart", e)


def command(arguments: Sequence[str] = ()) -> list[str] | None:
    """The command that starts this program without a window, with these arguments; None if it is run from its source
    and not installed."""
    if getattr(sys, "frozen", False):
        program: str | None = sys.executable
    else:
        program = shutil.which("kansli")
    return [program, BACKGROUND, *arguments] if program else None


def here() -> Autostart:
    """The autostart of the system that the program runs on: Windows' registry, or a desktop file."""
    if sys.platform == "win32":
        return Registry()
    return DesktopFile(Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "autostart")


class DesktopFile:
    """An autostart desktop file in `folder`: https://specifications.freedesktop.org/autostart-spec/latest/. If the
    person has switched it off with the desktop's own means (Hidden, X-GNOME-Autostart-enabled), it stays off, also when
    `write` changes the command, until it is removed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{NAME}.desktop"

    def line(self, command: Sequence[str]) -> str:
        return " ".join(_quoted(part) for part in command)

    def read(self) -> str | None:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        return next((x.removeprefix("Exec=") for x in text.splitlines() if x.startswith("Exec=")), "")

    def write(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        switches = self._switches() or ["X-GNOME-Autostart-enabled=true"]
        entry = (
            "[Desktop Entry]",
            "Type=Application",
            "Name=Kansli",
            f"Icon={NAME}",
            f"Exec={line}",
            "Terminal=false",
            *switches,
            "",
        )
        write_atomic(self._path, "\n".join(entry).encode())

    def _switches(self) -> list[str]:
        """The lines of the autostart file by which a desktop has the start at sign-in on or off; [] if there is no
        file. OSError if it cannot be read."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [x for x in lines if x.partition("=")[0].strip() in ("Hidden", "X-GNOME-Autostart-enabled")]

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _quoted(part: str) -> str:
    """Quotes an argument as the desktop entry specification requires: in double quotes, with its special characters
    escaped, twice (as an argument, and as text of the file), and each % doubled."""
    for sign in '\\"`$':
        part = part.replace(sign, "\\\\" + ("\\\\" if sign == "\\" else sign))
    return f'"{part}"'.replace("%", "%%")


if sys.platform == "win32":

    class Registry:
        """The person's own Run key. What they switched off in the task manager is kept elsewhere, by Windows."""

        def line(self, command: Sequence[str]) -> str:
            return subprocess.list2cmdline(command)

        def read(self) -> str | None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN) as key:
                    value, kind = winreg.QueryValueEx(key, "Kansli")
            except FileNotFoundError:
                return None
            return str(value) if kind == winreg.REG_SZ else ""

        def write(self, line: str) -> None:
            with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, _RUN, 0, winreg.KEY_SET_VALUE) as key:
                winreg.SetValueEx(key, "Kansli", 0, winreg.REG_SZ, line)

        def remove(self) -> None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN, 0, winreg.KEY_SET_VALUE) as key:
                    winreg.DeleteValue(key, "Kansli")
            except FileNotFoundError:
                return
