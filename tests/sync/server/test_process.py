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
from tests.sync.server.wire import Person

ROOT = Path(__file__).resolve().parents[3]


async def serve(data: Path) -> tuple[Process, str]:
    """A server process, and the address in its ready line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync.server", "--log", "ERROR", "serve", "--data", str(data), "--port", "0",
        stdout=PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert ready["ready"] is True
    return process, ready["url"]


async def test_it_stops_cleanly_on_sigterm(data: Path) -> None:
    process, url = await serve(data)
    anna = await Person("Handläggare å 🙂").enrol(url, data)
    room = await anna.create()
    await anna.push(room, "Hej å ä ö 🙂")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    await anna.wire.end()
    process, url = await serve(data)
    authed = await anna.connect(url, data)
    assert [h.receipt.n for h in authed.rooms] == [3]
    await anna.wire.close()
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_by_kill_9_fifty_times(data: Path) -> None:
    rng = random.Random(9)
    process, url = await serve(data)
    anna = await Person("Handläggare").enrol(url, data)
    room = await anna.create()
    acked: dict[int, bytes] = {}
    for k in range(50):
        killer = asyncio.get_running_loop().call_later(rng.uniform(0.01, 0.15), os.kill, process.pid, signal.SIGKILL)
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
        await process.wait()
        process, url = await serve(data)
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
    process.terminate()
    await process.wait()
