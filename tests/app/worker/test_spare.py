# SPDX-License-Identifier: EUPL-1.2
"""The modules that the worker must do without, because it would hold their memory as long as the program runs."""

import subprocess
import sys

from app.worker.frames import Load, Read, Try, encode
from tests.app.poison import written

SPARED = {
    "_hashlib", "anyio._core", "asyncio", "email", "importlib.metadata", "logging", "pathlib", "socket", "ssl",
    "subprocess", "textwrap", "typing_extensions", "zipfile",
}  # fmt: skip


def test_the_worker_loads_no_module_that_it_does_not_need() -> None:
    """A thorough merge and a reading included."""
    update = written("meta", "title", "Beslut å 🙂")
    questions = Load(b"o", ("text",), ("meta",), (), True, True), Try(b"o", (update,), True), Read(b"o")
    loaded = "print(*(name for name, module in sys.modules.items() if module), file=sys.stderr)"
    code = f"import atexit, runpy, sys; atexit.register(lambda: {loaded});"
    code += "runpy.run_module('app.worker', run_name='__main__')"
    given = b"".join(encode(question) for question in questions)
    ended = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    found = set(ended.stderr.decode().split())
    assert ended.stdout
    assert "pycrdt" in found
    assert not found & SPARED
