# SPDX-License-Identifier: EUPL-1.2
"""A real server and N real clients in one process, over TLS: `offline()`, `restart()`, `settle()`.

async with world(tmp_path) as w:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await a.engine.deeds.create_room()
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.core import clock
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.store.projection import Projector
from app.store.rows import StoredChange
from app.store.store import Store
from sync.client.account.account_recovery import Attempt, Recovery, Returned
from sync.client.account.enrolment import Enrolled, Enrolment
from sync.client.devices.device_pairing import Guest, Joined
from sync.client.engine import Engine
from sync.client.status import LinkState, RoomState
from sync.client.wire.egress import WebSocketDialer
from sync.client.wire.route import Route
from sync.client.wire.transport import ServerAddress, Transport
from sync.errors import Unreachable
from sync.server.config import Config, Limits
from sync.server.operator import admin
from sync.server.process.running import Running, start_server
from sync.trust.person.agency import encode_record
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.patience import PATIENCE_S

UNIT = "Enheten för tillsyn"
"""Of everybody, unless a test says otherwise: colleagues of one unit are in each other's rooms unasked."""


class Wire(WebSocketDialer):
    """A dialer that can be cut, and that can spoil what passes: `spoil` sees every frame both ways."""

    def __init__(self, address: ServerAddress, ca_file: Path) -> None:
        self.route = Route(ca_file=ca_file)
        super().__init__(address, lambda: self.route)
        self.cut = False
        self.spoil: Callable[[bytes, bool], Sequence[bytes]] | None = None
        self.open_lines: list[Transport] = []

    async def open(self) -> Transport:
        if self.cut:
            raise Unreachable("cut")
        line = await super().open()
        if self.cut:  # while it was being opened
            await line.close()
            raise Unreachable("cut")
        self.open_lines.append(line)
        return _Spoilt(line, self) if self.spoil else line

    async def hang_up(self) -> None:
        """Cuts every open line without a word."""
        lines, self.open_lines = self.open_lines, []
        for line in lines:
            await line.close()


class _Spoilt:
    """A line on which frames are dropped, doubled or put in another order."""

    def __init__(self, line: Transport, wire: Wire) -> None:
        self._line = line
        self._wire = wire
        self._waiting: list[bytes] = []

    async def send(self, data: bytes) -> None:
        spoil = self._wire.spoil
        for frame in spoil(data, True) if spoil else [data]:
            await self._line.send(frame)

    def send_at_once(self, data: bytes) -> bool:
        spoil = self._wire.spoil
        return all(self._line.send_at_once(frame) for frame in (spoil(data, True) if spoil else [data]))

    async def receive(self) -> bytes:
        while not self._waiting:
            data = await self._line.receive()
            spoil = self._wire.spoil
            self._waiting += spoil(data, False) if spoil else [data]
        return self._waiting.pop(0)

    async def close(self) -> None:
        await self._line.close()


@dataclass
class Client:
    """One person's desktop without windows: an encrypted store and an engine."""

    world: "World"
    name: str
    wire: Wire
    path: Path
    key: bytes
    store: Store
    engine: Engine = field(init=False)
    ephemerals: list[bytes] = field(default_factory=list)
    received: list[StoredChange] = field(default_factory=list)
    moved_logs: list[Uid] = field(default_factory=list)
    was_cut: bool = False
    running: "asyncio.Task[None] | None" = None
    _trying: "asyncio.Task[None] | None" = None

    @property
    def uid(self) -> Uid:
        return self.engine.uid

    def start(self) -> None:
        """Begins to sync."""
        self.engine = Engine(self.store, self.wire, self, clock.now_ms)
        self.store.changes.appended.connect(lambda change: self.engine.wake())
        self.store.changes.received.connect(self.received.extend)
        self.store.waiting_changed.connect(self.engine.wake)
        self.running = asyncio.ensure_future(self.engine.run())
        self._trying = asyncio.ensure_future(self.store.trials.run())

    async def stop(self) -> None:
        """Stops syncing and closes the store."""
        tasks = [task for task in (self.running, self._trying) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.running = self._trying = None
        await self.engine.blobs.close()
        self.store.close()

    async def restart(self) -> None:
        """Another process, as it were: everything anew from the disk."""
        await self.stop()
        self.store = Store.open(self.path, self.key, self.world.kinds)
        self.start()

    async def offline(self) -> None:
        self.wire.cut = True
        await self.wire.hang_up()
        await until(lambda: self.engine.status.state is LinkState.OFFLINE)

    def online(self) -> None:
        self.wire.cut = False
        self.engine.retry_now()

    def say(self, room: RoomId, obj: ObjId, data: bytes) -> None:
        self.store.changes.append(room, obj, data)

    def texts(self, obj: ObjId) -> list[bytes]:
        """The object's changes in the order of the room, those without a position last."""
        rows = self.store.changes.of(obj)
        return [c.data for c in sorted(rows, key=lambda c: (c.n is None, c.n or 0, c.rowid))]

    # -- Listener
    def on_status(self) -> None: ...

    def on_room(self, room: RoomId) -> None: ...

    def on_log(self, uid: Uid) -> None:
        self.moved_logs.append(uid)

    def on_ephemeral(
        self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int, *, addressed: bool = False
    ) -> None:
        self.ephemerals.append(payload)


@dataclass
class World:
    """An agency with its server, and the clients of those hired."""

    folder: Path
    limits: Limits
    clients: list[Client] = field(default_factory=list)
    running: Running | None = None
    _server: AsyncExitStack = field(default_factory=AsyncExitStack)
    moved_to: Path | None = None
    kinds: Mapping[str, Projector] = field(default_factory=dict)
    _port: int = 0

    @property
    def data(self) -> Path:
        return self.moved_to or self.folder / "server"

    @property
    def keys(self) -> Path:
        """Where the agency's own keys lie."""
        return self.folder / "keys"

    async def start_server(self) -> None:
        config = Config(
            data=self.data,
            cert=self.data / "tls.pem",
            key=self.data / "tls.key",
            port=self._port,
            limits=self.limits,
        )
        self.running = await self._server.enter_async_context(start_server(config))
        self._port = self.running.port

    async def stop_server(self) -> None:
        await self._server.aclose()
        self._server = AsyncExitStack()
        self.running = None

    async def invite(self, name: str, unit: str = UNIT) -> str:
        return await admin.invite(self.data, name=name, title=name, unit=unit)

    async def invite_back(self, uid: Uid, code: str = "") -> str:
        """What a person who has lost every device is given: an activation code (`code` instead, if it is given), and
        the share of their sheet."""
        lines = (await admin.invite_back(self.data, uid=uid)).splitlines()
        return "\n".join([code or lines[0], *lines[1:]])

    def dialer(self) -> Wire:
        return Wire(ServerAddress.parse(f"localhost:{self._port}"), self.data / "ca.pem")

    async def hire(self, *names: str, unit: str = UNIT) -> list[Client]:
        """People with an enrolled, connected desktop each."""
        found = [await self._hire(name, unit) for name in names]
        await until(lambda: all(c.engine.status.state is LinkState.ONLINE for c in found))
        return found

    async def _hire(self, name: str, unit: str) -> Client:
        wire = self.dialer()
        path, key = self.folder / f"{len(self.clients)}-{name}.db", os.urandom(32)
        store = Store.create(path, key, self.kinds)

        def keep(enrolled: Enrolled) -> None:
            account = enrolled.account
            store.set_me(account.uid)
            store.save_account(account.encode())
            store.append_user_log(account.uid, 0, enrolled.entries)
            store.put_person(account.uid, enrolled.record, enrolled.salt)

        await Enrolment(wire, await self.invite(name, unit), clock.now_ms).accept(keep)
        client = Client(world=self, name=name, wire=wire, path=path, key=key, store=store)
        client.start()
        self.clients.append(client)
        return client

    async def second(self, old: Client, *, by_code: bool = True) -> Client:
        """A second desktop of the same person, let in by the first."""
        host = old.engine.invite_device(encode_record({"name": old.name}))
        offer = await host.open(by_code=by_code)
        guest = Guest(dialer=self.dialer(), name="Bärbar dator", system="Debian 13", now_ms=clock.now_ms)
        arriving = asyncio.ensure_future(host.wait_for_guest())
        await guest.join(code=offer.code, number=offer.number)
        await arriving
        assert guest.digits == host.digits
        await host.admit()
        path, key = self.folder / f"{len(self.clients)}-{old.name}.db", os.urandom(32)
        store = Store.create(path, key, self.kinds)

        def keep(joined: Joined) -> None:
            store.set_me(joined.account.uid)
            store.save_account(joined.account.encode())
            store.append_user_log(joined.account.uid, 0, joined.entries)
            store.put_person(joined.account.uid, joined.record, joined.salt)

        await guest.finish(keep)
        client = Client(world=self, name=old.name, wire=self.dialer(), path=path, key=key, store=store)
        client.start()
        self.clients.append(client)
        await until(lambda: client.engine.status.state is LinkState.ONLINE)
        return client

    async def make_sheet(self, client: Client) -> str:
        """A recovery sheet in force; gives its code."""
        code = RecoveryCode.fresh().format()
        await client.engine.recovery_sheet.publish(code)
        return code

    async def come_back(self, name: str, attempt: Attempt, *, waits: bool = True) -> Client:
        """A new desktop of a person who has lost every other, by an activation code and the sheet."""
        wire = self.dialer()
        returned = await Recovery(wire, attempt, clock.now_ms).ask()
        assert isinstance(returned, Returned)
        path, key = self.folder / f"{len(self.clients)}-{name}.db", os.urandom(32)
        store = Store.create(path, key, self.kinds)
        store.set_me(returned.account.uid)
        store.save_account(returned.account.encode())
        store.append_user_log(returned.account.uid, 0, returned.entries)
        store.put_person(returned.account.uid, returned.record, returned.salt)
        client = Client(world=self, name=name, wire=wire, path=path, key=key, store=store)
        client.start()
        self.clients.append(client)
        if waits:
            await until(lambda: client.engine.status.state is LinkState.ONLINE)
        return client

    async def room(self, owner: Client, *others: Client) -> RoomId:
        """A room with its members, all of them able to read."""
        room = await owner.engine.operations.create_room()
        for other in others:
            await owner.engine.directory(other.name)
            await owner.engine.operations.add(room, other.uid, 2, history=True)
        await until(lambda: all(o.engine.room_state(room) is RoomState.SEALED for o in others))
        return room

    async def settle(self, room: RoomId, *clients: Client) -> None:
        """Until nothing waits and all of them stand at the same position."""
        everyone = clients or tuple(self.clients)
        await until(lambda: self._settled(room, everyone))

    def _settled(self, room: RoomId, clients: Sequence[Client]) -> bool:
        heads = {(c.engine.position(room), c.store.waiting_count()) for c in clients}
        if len(heads) > 1 or next(iter(heads))[1]:
            return False
        # what was acknowledged a moment ago may not have been shown to anybody yet, its author included
        return all(at is None or at.caught_up for at in (c.engine.parts.link.rooms.get(room) for c in clients))

    async def close(self) -> None:
        for client in self.clients:
            await client.stop()
        await self.stop_server()


@asynccontextmanager
async def world(
    folder: Path, limits: Limits | None = None, kinds: Mapping[str, Projector] | None = None
) -> AsyncIterator[World]:
    """A running server in a temporary folder; everything is stopped at the end."""
    w = World(folder, limits or Limits(), kinds=kinds or {})
    admin.init(w.data, keys=w.keys, demo_ca=["localhost"])
    await w.start_server()
    try:
        yield w
    finally:
        await w.close()


async def until(look: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Waits for something to be so."""
    deadline = time.monotonic() + patience_s
    while not look():
        assert time.monotonic() < deadline, "not so in time"
        await asyncio.sleep(0.005)


async def until_asked(ask: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Waits for something to be so that has to be asked for, such as what a server has stored."""
    deadline = time.monotonic() + patience_s
    while not await ask():
        assert time.monotonic() < deadline, "not so in time"
        await asyncio.sleep(0.005)
