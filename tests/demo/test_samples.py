# SPDX-License-Identifier: EUPL-1.2
"""What `make run` shows: the sample data can be made, and is kept."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.mark.longest
@pytest.mark.slow
def test_the_sample_data_of_make_run_is_made_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.demo.samples", "--out", str(tmp_path), "--port", str(_free_port())]
    for said in ("Making the sample data", ""):
        answer = subprocess.run([*command, "--no-windows"], capture_output=True, text=True, timeout=240, check=False)
        assert answer.returncode == 0, answer.stderr
        assert (said in answer.stdout) if said else (answer.stdout == "")
