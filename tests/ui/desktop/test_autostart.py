# SPDX-License-Identifier: EUPL-1.2
"""The desktop's start follows the setting, and touches nothing else."""

import configparser
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ui.desktop import autostart
from ui.desktop.autostart import DesktopFile, keep

COMMAND = ["/opt/kansli/kansli", "--background"]


class Fake:
    """One value in memory; `broken` refuses."""

    def __init__(self, value: str | None = None, *, broken: bool = False) -> None:
        self.value, self.broken, self.writes = value, broken, 0

    def line(self, command: Sequence[str]) -> str:
        return " ".join(command)

    def read(self) -> str | None:
        return self.value

    def write(self, line: str) -> None:
        if self.broken:
            raise PermissionError("the administrators say no")
        self.value = line
        self.writes += 1

    def remove(self) -> None:
        self.value = None
        self.writes += 1


@pytest.mark.parametrize(
    ("was", "wanted", "then", "writes"),
    [
        (None, True, "/opt/kansli/kansli --background", 1),
        ("/opt/kansli/kansli --background", True, "/opt/kansli/kansli --background", 0),
        ("/old/kansli --background", True, "/opt/kansli/kansli --background", 1),
        ("/opt/kansli/kansli --background", False, None, 1),
        (None, False, None, 0),
    ],
)
def test_only_what_is_not_so_yet_is_written(was: str | None, wanted: bool, then: str | None, writes: int) -> None:
    place = Fake(was)
    keep(wanted, place, COMMAND)
    assert (place.value, place.writes) == (then, writes)


def test_a_desktop_that_refuses_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    keep(True, Fake(broken=True), COMMAND)
    assert "no-autostart" in caplog.text
    assert "administrators" not in caplog.text


def test_a_desktop_file_comes_and_goes(tmp_path: Path) -> None:
    place = DesktopFile(tmp_path / "config" / "autostart")
    keep(True, place, COMMAND)
    file = tmp_path / "config" / "autostart" / "se.kansli.Kansli.desktop"
    entry = configparser.RawConfigParser()
    entry.read(file, encoding="utf-8")
    assert entry["Desktop Entry"]["exec"] == '"/opt/kansli/kansli" "--background"'
    assert entry["Desktop Entry"]["type"] == "Application"
    stamp = file.stat().st_mtime_ns
    keep(True, place, COMMAND)
    assert file.stat().st_mtime_ns == stamp
    keep(False, place, COMMAND)
    assert not file.exists()
    keep(False, place, COMMAND)


def test_what_a_person_switched_off_with_the_desktops_own_means_stays_off(tmp_path: Path) -> None:
    place = DesktopFile(tmp_path)
    keep(True, place, COMMAND)
    file = tmp_path / "se.kansli.Kansli.desktop"
    file.write_text(file.read_text().replace("enabled=true", "enabled=false") + "Hidden=true\n")
    keep(True, place, COMMAND)
    assert "Hidden=true" in file.read_text()
    keep(True, place, ["/opt/newer/kansli"])
    lines = file.read_text().splitlines()
    assert 'Exec="/opt/newer/kansli"' in lines
    assert {"Hidden=true", "X-GNOME-Autostart-enabled=false"} <= set(lines)
    keep(False, place, COMMAND)
    keep(True, place, COMMAND)
    assert "X-GNOME-Autostart-enabled=true" in file.read_text().splitlines()
    assert "Hidden" not in file.read_text()


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="no desktop-file-validate on this machine")
@pytest.mark.parametrize("folder", ["/opt/kansli", '/home/å ä/100 % "$HOME" `x` \\y'])
def test_a_desktop_reads_the_file(tmp_path: Path, folder: str) -> None:
    DesktopFile(tmp_path).write(DesktopFile(tmp_path).line([f"{folder}/kansli", "--background"]))
    subprocess.run(["desktop-file-validate", str(tmp_path / "se.kansli.Kansli.desktop")], check=True)


def test_odd_signs_in_a_path_are_escaped_as_the_specification_says(tmp_path: Path) -> None:
    line = DesktopFile(tmp_path).line(['/a b/"$x`\\y%z'])
    # as a desktop undoes it: the escapes of a string, then those of the quotes, then %%
    unescaped = line.replace("\\\\", "\\")
    inside = unescaped[1:-1]
    for sign in '"$`\\':
        inside = inside.replace(f"\\{sign}", sign)
    assert inside.replace("%%", "%") == '/a b/"$x`\\y%z'


def test_only_an_installed_program_is_started_by_the_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert autostart.command() is None
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert autostart.command(["--profile", "två"]) == ["/usr/bin/kansli", "--background", "--profile", "två"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert autostart.command() == [sys.executable, "--background"]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    keep(True, autostart.here(), COMMAND)
    assert (tmp_path / "autostart" / "se.kansli.Kansli.desktop").exists()
