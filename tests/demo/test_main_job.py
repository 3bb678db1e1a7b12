# SPDX-License-Identifier: EUPL-1.2
"""The whole demo as one test: so that CI does the main job too."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.longest
@pytest.mark.slow
def test_two_desktops_and_a_server_do_the_main_job(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.demo", "--out", str(tmp_path / "demo")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert answer.stdout.splitlines()[-1].endswith(", 0 failed"), answer.stdout + answer.stderr
    assert answer.returncode == 0
