# SPDX-License-Identifier: EUPL-1.2
"""A server process that is started again under people at work: they are told, come back by themselves, and nothing that
anybody wrote is lost."""

import asyncio
import socket
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId, new_obj
from sync.client.status import LinkState
from sync.server.config import Limits
from sync.server.operator import admin
from tests.sync.server.process import Served, serve
from tests.world import Client, World, until


class ProcessWorld(World):
    """A world whose server is a process; `kept` is a socket that outlives it, as systemd's does."""

    served: Served | None = None
    kept: socket.socket | None = None

    async def start_server(self) -> None:
        if self.kept is not None:
            self.served = await serve(self.data, socket=self.kept.fileno())
        else:
            self.served = await serve(self.data, "--port", str(self._port))
        self._port = self.served.ready["port"]

    async def stop_server(self) -> None:
        if self.served is not None:
            assert await self.served.stop() == 0
            lines = self.served.log().splitlines()
            assert [line for line in lines if " sync.server.admin INFO " not in line] == []
            self.served = None


async def write(client: Client, room: RoomId, obj: ObjId, said: list[bytes], stop: asyncio.Event) -> None:
    while not stop.is_set():
        said.append(f"{client.name} {len(said)} åäö 😀".encode())
        client.say(room, obj, said[-1])
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("socket_kept", [False, True], ids=["own-socket", "systemds-socket"])
async def test_two_people_write_on_while_the_server_is_started_again_and_nothing_is_lost(
    tmp_path: Path, socket_kept: bool
) -> None:
    w = ProcessWorld(tmp_path, Limits())
    admin.init(w.data, keys=w.keys, demo_ca=["localhost"])
    if socket_kept:
        w.kept = socket.create_server(("127.0.0.1", 0))
    try:
        await w.start_server()
        a, b = await w.hire("Handläggare", "Registrator")
        room, obj = await w.room(a, b), new_obj()
        said: tuple[list[bytes], list[bytes]] = [], []
        stop = asyncio.Event()
        writing = [asyncio.create_task(write(c, room, obj, s, stop)) for c, s in zip((a, b), said, strict=True)]
        for _ in range(3):
            await asyncio.sleep(0.3)
            before = [len(s) for s in said]
            for c in (a, b):
                c.engine.retry_now()  # the waits begin short again, as after a connection that had lasted 5 s
            await w.stop_server()
            await w.start_server()
            await until(lambda: all(c.engine.status.state is LinkState.ONLINE for c in (a, b)))
            assert all(len(s) > n for s, n in zip(said, before, strict=True))  # nobody stopped writing
        stop.set()
        await asyncio.gather(*writing)
        await w.settle(room)
        everything = sorted([*said[0], *said[1]])
        assert sorted(a.texts(obj)) == sorted(b.texts(obj)) == everything
        assert a.texts(obj) == b.texts(obj)
    finally:
        await w.close()
        if w.kept is not None:
            w.kept.close()
