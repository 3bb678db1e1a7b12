# SPDX-License-Identifier: EUPL-1.2
"""A process that forbids dumps leaves none, whatever ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENDS = """
import os, resource, signal
from app.core import dumps
resource.setrlimit(resource.RLIMIT_CORE, (2**20, resource.getrlimit(resource.RLIMIT_CORE)[1]))
dumps.forbid()
import ctypes
print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
os.kill(os.getpid(), signal.SIGSEGV)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own flags")
def test_attack_a_process_that_dies_leaves_no_dump_and_cannot_be_traced(tmp_path: Path) -> None:
    """Audit finding 13: a dump held the keys and the text."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDS],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.split() == ["0", "0"]
    assert ended.returncode == -signal.SIGSEGV
    assert list(tmp_path.iterdir()) == []
