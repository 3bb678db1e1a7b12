# SPDX-License-Identifier: EUPL-1.2
"""The program says which release it is, and says the same everywhere."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sync.protocol.version import PROGRAM

ROOT = Path(__file__).parent.parent


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == PROGRAM


@pytest.mark.slow
def test_the_server_says_its_version_without_a_command() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "sync.server", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"kansli-server {PROGRAM}\n"
