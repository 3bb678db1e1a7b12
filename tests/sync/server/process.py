# SPDX-License-Identifier: EUPL-1.2
"""A server as a process of its own, for tests."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Served:
    """A server process; `ready` is its ready line. Its log is in `errors`."""

    process: Process
    ready: dict[str, Any]
    errors: Path

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    def log(self) -> str:
        return self.errors.read_text(encoding="utf-8")

    async def stop(self) -> int:
        """Stops the server with SIGTERM. Returns the exit status."""
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)


async def serve(
    data: Path,
    *more: str,
    log: str = "ERROR",
    env: dict[str, str] | None = None,
    socket: int | None = None,
    before: Callable[[], None] | None = None,
) -> Served:
    """Starts `serve` over a data folder and waits for its ready line. `socket` is passed in as systemd does."""
    port = () if "--port" in more or socket is not None else ("--port", "0")
    command = [sys.executable, "-m", "sync.server", "--log", log, "serve", "--data", str(data), *port, *more]
    if socket is not None:
        # systemd sets LISTEN_PID to the process that it becomes
        shell = f'exec 3<&{socket} && LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
        command = ["bash", "-c", shell, "bash", *command]
    errors = data.parent / f"{data.name}.log"
    with errors.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=PIPE,
            stderr=stderr,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            pass_fds=() if socket is None else (socket,),
            preexec_fn=before,
        )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
    assert line, errors.read_text(encoding="utf-8")
    ready = json.loads(line)
    assert ready["ready"] is True
    return Served(process, ready, errors)
