# SPDX-License-Identifier: EUPL-1.2
"""A day's work with the real program reaches for nothing but the server, and writes nowhere but in its folder."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.world import world

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 180


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked as on Linux")
async def test_only_the_server_is_reached_and_only_the_data_root_is_written(tmp_path: Path) -> None:
    data, home, temporary = tmp_path / "root", tmp_path / "home", tmp_path / "tmp"
    for folder in (home, temporary):
        folder.mkdir()
    file = tmp_path / "Yttrande åäö.txt"
    file.write_bytes(b"komplettering " * 5000)
    left_out = ("XDG_", "DBUS_", "KANSLI_", "PYTEST")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out) and "proxy" not in k.lower()}
    async with world(tmp_path / "w") as w:
        port = w.dialer().address.port
        with tempfile.TemporaryDirectory() as runtime:
            environment |= {
                "HOME": str(home),
                "TMPDIR": str(temporary),
                "XDG_RUNTIME_DIR": runtime,
                "QT_QPA_PLATFORM": "offscreen",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            arguments = [
                str(data),
                f"localhost:{port}",
                await w.invite("Handläggare"),
                str(w.data / "ca.pem"),
                str(file),
            ]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.journeys.confined", *arguments, cwd=ROOT, env=environment,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
            left = [p for folder in (home, temporary, Path(runtime)) for p in folder.rglob("*")]
    assert process.returncode == 0, err.decode()
    seen = json.loads(out.splitlines()[-1])
    # the server, and the desktop's own services over sockets in the file system
    reached = {c for c in seen["connects"] if not c.startswith("unix:")}
    assert reached <= {f"127.0.0.1:{port}", f"::1:{port}:0:0"}
    assert reached
    assert set(seen["names"]) <= {f"localhost:{port}"}
    assert {s.split()[1] for s in seen["sockets"]} == {str(port)}
    assert all(s.startswith("tcp") for s in seen["sockets"])
    assert set(seen["starts"]) <= {sys.executable}  # the worker, and nothing else
    # the data root, and nothing that stays elsewhere
    outside = [p for p in seen["writes"] if not Path(p).is_relative_to(data) and p != os.devnull]
    assert outside == []
    assert left == []
    assert (data / "profiles" / "default" / "store.db").exists()
