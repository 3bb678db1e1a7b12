# SPDX-License-Identifier: EUPL-1.2
"""An installed Kansli whose file is replaced while it runs reads its modules from the one that was started."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from ui.desktop.upgrade import hold_program

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform != "linux", reason="nobody can replace it there")
def test_modules_come_from_the_file_that_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, new = tmp_path / "kansli", tmp_path / "kansli.dpkg-new"
    program.write_text("started")
    importers = ModuleType("pyimod02_importers")  # PyInstaller's, 6.22; tried with a program frozen by it
    importers.pyz_archive = SimpleNamespace(_filename=str(program))  # type: ignore[attr-defined]  # as it is there
    monkeypatch.setitem(sys.modules, "pyimod02_importers", importers)
    hold_program()
    new.write_text("another version")
    new.replace(program)
    for _ in range(2):
        assert Path(importers.pyz_archive._filename).read_text() == "started"


def test_the_program_does_so_as_it_starts() -> None:
    program = (
        "import sys, types; found = types.ModuleType('pyimod02_importers'); sys.modules[found.__name__] = found;"
        "found.pyz_archive = types.SimpleNamespace(_filename=sys.executable);"
        "from ui.main import main; main(['--data', '/proc/none']); print(found.pyz_archive._filename)"
    )
    environment = {"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("/proc/self/fd/")
