# SPDX-License-Identifier: EUPL-1.2
"""The whole of it with real processes: a server is backed up by the command line while clients write, killed, lost, and
restored from the backup.
"""

import asyncio
import json
import random
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId, new_obj
from sync.client.status import LinkState, RoomState
from sync.server.config import Limits
from sync.server.operator import admin
from tests.journeys.restoring import open_again
from tests.patience import PATIENCE_S
from tests.world import Client, World, until

ROOT = Path(__file__).resolve().parents[2]


class ProcessWorld(World):
    """A world whose server is a process of its own."""

    process: Process | None = None

    async def start_server(self) -> None:
        more = ("serve", "--data", str(self.data), "--port", str(self._port))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sync.server", "--log", "ERROR", *more, stdout=PIPE, cwd=ROOT
        )
        assert self.process.stdout is not None
        ready = json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S))
        self._port = ready["port"]

    async def stop_server(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            await self.process.wait()
            self.process = None


async def command(*words: str) -> dict[str, object]:
    """Runs a command of the server's that must succeed; its last line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync.server", "--log", "ERROR", *words, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out, err)
    last: dict[str, object] = json.loads(out.splitlines()[-1])
    return last


async def write(clients: list[Client], room: RoomId, obj: ObjId, said: list[bytes], stop: asyncio.Event) -> None:
    """Everybody writes, a change at a time, until told to stop."""
    while not stop.is_set():
        client = clients[len(said) % len(clients)]
        text = f"{client.name} {len(said)} åäö 😀".encode()
        client.say(room, obj, text)
        said.append(text)
        await asyncio.sleep(0.02)


def shown(client: Client, room: RoomId) -> list[tuple[int, bytes]]:
    query = "SELECT n, rh FROM positions WHERE room = ? ORDER BY n"
    return [(n, rh) for n, rh in client.store.db.rows(query, (room,))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_nothing_that_a_killed_and_lost_server_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    w = ProcessWorld(tmp_path, Limits())
    admin.init(w.data, keys=w.keys, demo_ca=["localhost"])
    await w.start_server()
    try:
        clients = await w.hire("Handläggare", "Registrator", "Enhetschef")
        room, obj = await w.room(*clients), new_obj()
        said: list[bytes] = []
        stop = asyncio.Event()
        writing = asyncio.ensure_future(write(clients, room, obj, said, stop))
        await asyncio.sleep(rng.uniform(0.1, 0.5))
        made = await command("backup", "--data", str(w.data), str(tmp_path / "backup"))
        assert await command("verify", "--data", str(tmp_path / "backup"))
        await asyncio.sleep(rng.uniform(0.5, 1.5))
        await w.stop_server()  # in the middle of it
        stop.set()
        await writing
        await until(lambda: all(c.engine.status.state is not LinkState.ONLINE for c in clients))
        for client in clients:
            client.wire.cut = True
        acknowledged = {c.name: {r.n for r in c.store.receipts() if r.room == room} for c in clients}
        before = max((shown(c, room) for c in clients), key=len)
        assert isinstance(made["items"], int)
        assert len(before) > made["items"]

        keys = str(w.data)
        w.moved_to = tmp_path / "again"
        await command("restore", str(tmp_path / "backup"), "--data", str(w.data), "--keys", keys)
        await w.start_server()
        for client in rng.sample(clients, len(clients)):
            client.online()
            await asyncio.sleep(rng.uniform(0, 0.5))
        # those who stand where the server stands may still have more to give back
        await until(lambda: all(c.engine.room_state(room) is RoomState.SEALED for c in clients))
        await open_again(w)  # the last of them may still have to say that it has nothing more
        await w.settle(room)
        await until(lambda: all(shown(c, room) == shown(clients[0], room) for c in clients))
        after = shown(clients[0], room)
        assert after[: len(before)] == before
        assert max(n for ns in acknowledged.values() for n in ns) <= len(after)
        assert sorted(clients[0].texts(obj)) == sorted(said)
        assert all(c.texts(obj) == clients[0].texts(obj) for c in clients)
        assert (await command("status", "--data", str(w.data)))["rooms_closed"] == 0
        assert (await command("verify", "--data", str(w.data)))["problems"] == 0
    finally:
        await w.close()
