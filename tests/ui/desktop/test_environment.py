# SPDX-License-Identifier: EUPL-1.2
"""What a program that Kansli opens inherits of an installed Kansli's own environment: nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from ui.desktop.environment import give_back

ROOT = Path(__file__).parents[3]
OWN = {
    "LD_LIBRARY_PATH": "/usr/lib/kansli/lib",
    "QT_PLUGIN_PATH": "/usr/lib/kansli/lib/PySide6/Qt/plugins",
    "QML2_IMPORT_PATH": "/usr/lib/kansli/lib/PySide6/Qt/qml",
    "_PYI_ARCHIVE_FILE": "/usr/lib/kansli/kansli",
    "_PYI_PARENT_PROCESS_LEVEL": "1",
}
"""What PyInstaller's start program and its hook for Qt set (measured, 6.22)."""


def test_an_installed_kansli_gives_back_what_was_there_before(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    found = {**OWN, "HOME": "/home/å b"}
    give_back(found)
    assert found == {"HOME": "/home/å b"}
    found = {**OWN, "LD_LIBRARY_PATH_ORIG": "/opt/lib"}
    give_back(found)
    assert found == {"LD_LIBRARY_PATH": "/opt/lib"}


def test_from_source_the_environment_is_the_persons(qapp: QApplication) -> None:
    found = dict(OWN)
    give_back(found)
    assert found == OWN


def test_the_program_does_so_as_it_starts() -> None:
    program = (
        "import json, os, sys; sys.frozen = True; from ui.main import main; status = main(['--data', '/proc/none']);"
        "print(json.dumps([status, *os.environ]))"
    )
    names = [name for name in OWN if not name.startswith("Q")]  # a wrong place for plugins would be looked into
    environment = {**os.environ, **{name: OWN[name] for name in names}, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    status, *left = json.loads(done.stdout)
    assert status == 2
    assert set(left) & set(names) == set()
