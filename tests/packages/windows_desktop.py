# SPDX-License-Identifier: EUPL-1.2
"""A Windows desktop of its own under Wine, with the MSI installed, upgraded and removed as IT does it, silently."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import wine

INSTALL_S, START_S, ASK_S = 150.0, 240.0, 60.0
REFUSED = 1603 & 0xFF
"""ERROR_INSTALL_FAILURE; Wine hands on the low byte of a program's status."""
_LINE = re.compile(r"^ {4}(?P<name>.*?) {4}(?P<kind>REG_\w+) {4}(?P<value>.*)$")

INSTALLED = r"HKLM\SOFTWARE\Kansli"
POLICIES = r"SOFTWARE\Policies\Kansli"
RUN = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
LINKS = r"HKLM\SOFTWARE\Classes\kansli"
UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


class Desktop:
    """One of them. `close` ends what runs in it and removes it."""

    def __init__(self, prefix: Path) -> None:
        self.wine = wine.Wine.copy_of(wine.prefix(), prefix)
        self.wine.stay()

    @property
    def program(self) -> Path:
        """Where the MSI puts everything."""
        return self.wine.drive("Program Files", "Kansli")

    @property
    def data(self) -> Path:
        """The data root of who is signed in."""
        return self.wine.drive("users", _user(self.wine), "AppData", "Local", "Kansli")

    def msiexec(self, *arguments: str | Path) -> int:
        """Its status' low byte."""
        log = self.wine.drive("msi.log")
        log.unlink(missing_ok=True)
        done = self.wine.run("msiexec", *arguments, "/qn", "/norestart", "/l*v", log, timeout_s=INSTALL_S)
        return done.returncode

    def start(self, *arguments: str | Path, timeout_s: float = START_S) -> int:
        """The installed program, without a screen."""
        environment = {"QT_QPA_PLATFORM": "offscreen"}
        return self.wine.run(self.program / "kansli.exe", *arguments, timeout_s=timeout_s, env=environment).returncode

    def registry(self, key: str) -> dict[str, dict[str, str]]:
        """Values by name, by the key below `key` ("" is itself); {} if it is not there. Numbers as "0x1"."""
        said = self.wine.run("reg", "query", key, "/s", timeout_s=ASK_S).stdout.replace("\r", "")
        found: dict[str, dict[str, str]] = {}
        at, full = "", key.replace("HKLM", "HKEY_LOCAL_MACHINE").replace("HKCU", "HKEY_CURRENT_USER")
        for line in said.splitlines():
            if line.lower().startswith(full.lower()):
                at = line[len(full) :].strip("\\")
                found[at] = {}
            elif value := _LINE.match(line):
                name = "" if value["name"] == "(Default)" else value["name"]
                found.setdefault(at, {})[name] = value["value"]
        return found

    def write(self, key: str, values: Mapping[str, str | int | list[str]]) -> None:
        """Values as REG_SZ, REG_DWORD and REG_MULTI_SZ."""
        for name, value in values.items():
            kind = {str: "REG_SZ", int: "REG_DWORD", list: "REG_MULTI_SZ"}[type(value)]
            data = r"\0".join(value) if isinstance(value, list) else str(value)
            done = self.wine.run("reg", "add", key, "/v", name, "/t", kind, "/d", data, "/f", timeout_s=ASK_S)
            assert done.returncode == 0, done.stdout

    def forget(self, key: str) -> None:
        """Removes a key and all below it."""
        self.wine.run("reg", "delete", key, "/f", timeout_s=ASK_S)

    def links(self) -> dict[str, list[str]]:
        """Names of the links in the start menus and on the desktops that are called Kansli."""
        found: dict[str, list[str]] = {"menu": [], "desktop": []}
        for path in self.wine.drive().rglob("Kansli.lnk"):
            found["menu" if "Start Menu" in path.parts else "desktop"].append(path.name)
        return found

    def close(self) -> None:
        """Twice does no harm."""
        self.wine.close()
        shutil.rmtree(self.wine.prefix, ignore_errors=True)


def files_below(folder: Path) -> dict[str, int]:
    """Sizes of all files by their paths from there."""
    return {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


def _user(system: wine.Wine) -> str:
    folders = [p.name for p in system.drive("users").iterdir() if p.name != "Public"]
    assert len(folders) == 1, folders
    return folders[0]
