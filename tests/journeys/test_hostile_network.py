# SPDX-License-Identifier: EUPL-1.2
"""Three clients, a server and a hostile network: frames dropped, doubled and put in another order, lines cut, clients
and server dropped without close. Afterwards all agree, nothing acknowledged is lost, nothing shows twice, and the
server's disk holds no plaintext.

A crash copies the files as they lie on the disk at that moment (every commit is synced before it is acknowledged)
and goes on from the copy; what was only in memory or in an open transaction is gone.
"""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.core.ids import ObjId, RoomId, new_obj
from app.store.store import Store
from sync.client.status import LinkState, RoomState
from sync.client.wire import connection
from tests.world import Client, World, until, world

T = TypeVar("T")
SECRET = "Sekretessbelagt åäö 😀 nummer"
THREE = st.integers(0, 2)


class HostileNetwork(RuleBasedStateMachine):
    """Each rule is one thing that happens; `teardown` mends everything and looks at the result."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.patience_s = connection.REQUEST_TIMEOUT_S
        self.said: list[bytes] = []
        self.crashes = 0
        self.w: World
        self.clients: list[Client]
        self.room: RoomId
        self.obj: ObjId = new_obj()

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    @initialize()
    def found(self) -> None:
        self.w = self.do(self.stack.enter_async_context(world(self.folder)))
        self.clients = self.do(self.w.hire("Handläggare", "Registrator", "Enhetschef"))
        a, b, c = self.clients
        self.room = self.do(self.w.room(a, b, c))
        connection.REQUEST_TIMEOUT_S = 0.3  # a frame that was dropped is given up soon; the set-up above is not hurried

    @rule(who=THREE, many=st.integers(1, 5))
    def write(self, who: int, many: int) -> None:
        for _ in range(many):
            text = f"{SECRET} {len(self.said)}".encode()
            self.said.append(text)
            self.clients[who].say(self.room, self.obj, text)
        self.do(asyncio.sleep(0.01))

    @rule(who=THREE)
    def cut(self, who: int) -> None:
        self.clients[who].wire.cut = True
        self.do(self.clients[who].wire.hang_up())

    @rule(who=THREE)
    def mend(self, who: int) -> None:
        self.clients[who].online()
        self.do(asyncio.sleep(0.05))

    @rule(who=THREE, seed=st.integers(0, 2**16))
    def spoil(self, who: int, seed: int) -> None:
        """From the next connection on, some of this client's frames are dropped, doubled or swapped."""
        dice = random.Random(seed)
        held: dict[bool, list[bytes]] = {True: [], False: []}

        def pass_on(frame: bytes, out: bool) -> list[bytes]:
            late, held[out] = held[out], []
            chance = dice.random()
            if chance < 0.05:
                return late
            if chance < 0.10:
                return [frame, frame, *late]
            if chance < 0.15:
                held[out] = [frame]
                return late
            return [frame, *late]

        self.clients[who].wire.spoil = pass_on
        self.do(self.clients[who].wire.hang_up())
        self.do(asyncio.sleep(0.05))

    @rule(who=THREE)
    def crash_a_client(self, who: int) -> None:
        client = self.clients[who]
        assert client.running is not None
        self.crashes += 1
        copy = client.path.with_name(f"{self.crashes}-{client.path.name}")
        for suffix in ("", "-wal"):
            source = client.path.with_name(client.path.name + suffix)
            if source.exists():
                shutil.copy(source, copy.with_name(copy.name + suffix))
        self.do(client.stop())
        client.path = copy
        client.store = Store.open(copy, client.key, {})
        self.do(_begin(client))

    @rule()
    def crash_the_server(self) -> None:
        self.crashes += 1
        copy = self.folder / f"server-{self.crashes}"
        self.do(_crash_server(self.w, copy))

    @invariant()
    def nothing_shows_twice(self) -> None:
        for client in getattr(self, "clients", []):
            texts = client.texts(self.obj)
            assert len(texts) == len(set(texts))

    def teardown(self) -> None:
        connection.REQUEST_TIMEOUT_S = self.patience_s
        try:
            if hasattr(self, "room"):
                self.do(self._mend_and_look())
        finally:
            self.do(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _mend_and_look(self) -> None:
        for client in self.clients:
            client.wire.spoil = None
            await _dial_again(client)
        await self.w.settle(self.room)
        await until(lambda: all(len(c.texts(self.obj)) == len(self.said) for c in self.clients))
        first, *others = [client.texts(self.obj) for client in self.clients]
        assert sorted(first) == sorted(self.said)
        assert all(other == first for other in others)
        assert all(c.engine.room_state(self.room) is RoomState.SEALED for c in self.clients)
        for file in self.folder.glob("server*/**/*"):
            assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file.name


async def _begin(client: Client) -> None:
    client.start()


async def _dial_again(client: Client) -> None:
    """Has it connect at once. A client that has not noticed yet that its line is gone would wait some seconds first."""
    client.wire.cut = True
    await client.wire.hang_up()
    client.engine.retry_now()
    await until(lambda: client.engine.status.state is LinkState.OFFLINE)
    client.online()


async def _crash_server(w: World, copy: Path) -> None:
    """The lines go first, so that nothing is acknowledged after the copy; what was under way may be in it or not."""
    for client in w.clients:
        client.wire.cut, client.was_cut = True, client.wire.cut
        await client.wire.hang_up()
    assert w.running is not None
    hub = w.running.service.hub
    await until(lambda: hub.connections == 0)
    shutil.copytree(w.data, copy)
    await w.stop_server()
    w.moved_to = copy
    await w.start_server()
    for client in w.clients:
        client.wire.cut = client.was_cut
        client.engine.retry_now()


HostileNetwork.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
test_clients_converge_over_a_hostile_network = pytest.mark.slow(HostileNetwork.TestCase)
