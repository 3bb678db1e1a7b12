# SPDX-License-Identifier: EUPL-1.2
"""The modules that the worker must do without, because it would hold their memory as long as the program runs."""

import subprocess
import sys

from app.worker.frames import Load, Read, Try, encode
from tests.app.poison import written

SPARED = {"asyncio", "email", "importlib.metadata", "pathlib", "socket", "ssl", "subprocess", "zipfile"}


def test_the_worker_loads_no_module_that_it_does_not_need() -> None:
    """A thorough merge and a reading included."""
    update = written("meta", "title", "Beslut å 🙂")
    questions = Load(b"o", ("text",), ("meta",), (), True, True), Try(b"o", (update,), True), Read(b"o")
    code = "import sys; from app.worker.serve import main; main(); print(*sys.modules, file=sys.stderr)"
    given = b"".join(encode(question) for question in questions)
    ended = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    loaded = set(ended.stderr.decode().split())
    assert ended.stdout
    assert "pycrdt" in loaded
    assert not loaded & SPARED
