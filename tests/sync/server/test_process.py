# SPDX-License-Identifier: EUPL-1.2
"""The server as a process of its own: ready line, clean stop, and kill -9 in the middle of writes."""

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from sync.protocol import messages as m
from tests.patience import PATIENCE_S
from tests.sync.server.wire import Person

ROOT = Path(__file__).resolve().parents[3]


async def serve(data: Path) -> tuple[Process, str]:
    """A server process, and the address in its ready line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync.server", "--log", "ERROR", "serve", "--data", str(data), "--port", "0",
        stdout=PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
    assert ready["ready"] is True
    return process, ready["url"]


class Servers:
    """Starts server processes of one data folder, one after the other."""

    def __init__(self, forking: Process) -> None:
        self._forking = forking

    @classmethod
    async def of(cls, data: Path) -> "Servers":
        command = [sys.executable, "-m", "tests.sync.server.forking_server", str(data)]
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT))

    async def serve(self) -> tuple[int, str]:
        """A new server's process id, and the address in its ready line."""
        assert self._forking.stdin is not None
        self._forking.stdin.write(b"go\n")
        pid, ready = int(await self._line()), json.loads(await self._line())
        assert ready["ready"] is True
        return pid, ready["url"]

    async def ended(self) -> int:
        """The exit status of the server, once it has ended."""
        word, status = (await self._line()).split()
        assert word == b"end"
        return int(status)

    async def close(self) -> None:
        assert self._forking.stdin is not None
        self._forking.stdin.close()
        await self._forking.wait()

    async def _line(self) -> bytes:
        assert self._forking.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            return await self._forking.stdout.readline()


async def test_it_stops_cleanly_on_sigterm(data: Path) -> None:
    process, url = await serve(data)
    anna = await Person("Handläggare å 🙂").enrol(url, data)
    room = await anna.create()
    await anna.push(room, "Hej å ä ö 🙂")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    await anna.wire.end()
    process, url = await serve(data)
    authed = await anna.connect(url, data)
    assert [h.receipt.n for h in authed.rooms] == [3]
    await anna.wire.close()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_by_kill_9_fifty_times(data: Path) -> None:
    rng = random.Random(9)
    servers = await Servers.of(data)
    pid, url = await servers.serve()
    anna = await Person("Handläggare").enrol(url, data)
    room = await anna.create()
    acked: dict[int, bytes] = {}
    for k in range(50):
        killer = asyncio.get_running_loop().call_later(rng.uniform(0.01, 0.15), os.kill, pid, signal.SIGKILL)
        unsure: m.Push | None = None
        try:
            while True:
                unsure = anna.sealed(room, f"Hej å ä ö 🙂 {k}")
                placed = await anna.wire.ask(unsure, m.Placed)
                acked[placed.first] = placed.receipt.rh
                await anna.sync(room)
        except (OSError, ConnectionClosed):
            pass
        killer.cancel()
        assert await servers.ended() == -signal.SIGKILL
        pid, url = await servers.serve()
        await anna.connect(url, data)
        assert unsure is not None
        placed = await anna.wire.ask(msgspec.structs.replace(unsure, rid=anna.wire.rid()), m.Placed)
        acked[placed.first] = placed.receipt.rh
        await anna.sync(room)
    assert len(acked) > 100
    fresh = await Person("Registrator").enrol(url, data)
    await anna.add(room, fresh)
    await fresh.sync(room)
    stream = fresh.rooms[room]
    assert stream.n >= max(acked)
    assert stream.rh == anna.rooms[room].rh
    assert sorted(acked) == list(range(3, 3 + len(acked)))
    await anna.wire.close()
    await fresh.wire.close()
    os.kill(pid, signal.SIGTERM)
    assert await servers.ended() == 0
    await servers.close()
