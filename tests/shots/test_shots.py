# SPDX-License-Identifier: EUPL-1.2
"""The tool for screenshots runs: two views, for real."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage


@pytest.mark.slow
def test_two_views_are_taken_at_full_size(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.shots", "--looks", "light", "--views", "chat,board", "--out", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert answer.returncode == 0, answer.stderr
    for view in ("chat", "board"):
        image = QImage(str(tmp_path / "light" / f"{view}.png"))
        assert (image.width(), image.height()) == (1440, 900)
