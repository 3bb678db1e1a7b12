# SPDX-License-Identifier: EUPL-1.2
"""A room with a long change history at a real server, made once in each process. A test opens a copy of the server, and
of the people's stores.

Three people write in the room, and a fourth reads from when they were added. Of its objects two can be cleared, one is
too young, and one was not checked by two others.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from app.core.enums import LinkState, Role, RoomType
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.session import Session
from app.store.store import Store
from app.tasks.tool import TOOL as TASKS
from sync.client.exchange import snapshot_maker
from tests.ui.shell.moment import Moment, moment
from tests.ui.shell.sample import NOW, at
from tests.ui.shell.served import BY_ID, Served, Stores, made_in_folder, served, session_on
from tests.world import Client, World, until, world

OWNER, HEAD, LAWYER, NEWCOMER = "Handläggare", "Enhetschef", "Jurist", "Registrator"
ROOM_TITLE = "Tillsyn 2026-1184"
READY, BOARD, EARLY, UNSEEN = "Utkast till beslut", "Ärendets uppgifter", "Yttrande", "Minnesanteckningar"
"""The titles: of a document and a board that can be cleared, of what is too young, and of what was not checked."""
WORTH_IT = 3
"""From how many changes on an object is worth clearing here. Each of them has a few more."""
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is kept. `small` is a room of two people with one document. `served`: the server's folder. `stores`: by the
    person's name."""

    room: RoomId
    small: RoomId
    served: Path
    stores: Stores


@contextmanager
def _snapshots_at_once() -> Iterator[None]:
    """Three changes are worth a snapshot, which is made at once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(snapshot_maker, "EVERY_OPS", WORTH_IT)
        patched.setattr(snapshot_maker, "SPREAD_S", 0.02)
        patched.setattr(snapshot_maker, "AGAIN_S", 0.05)
        patched.setattr("sync.client.exchange.batch_maker.QUIET_FLUSH_S", 0.01)
        yield


@asynccontextmanager
async def served_case(folder: Path) -> AsyncIterator[Served]:
    """A copy of the case and its server, at the pictures' moment."""
    with _snapshots_at_once(), moment(int(NOW.timestamp() * 1000)) as now:
        async with served(folder, case().served, case().stores, now) as running:
            yield running


# -- how it is made ---------------------------------------------------------------------------------------------------


@cache
def case() -> Case:
    """The case; the first call makes it."""
    return made_in_folder(lambda folder: _make(folder / "server"))


async def _make(data: Path) -> Case:
    begun_ms = at(8, 0, 1) - 12 * _DAY_MS
    with tempfile.TemporaryDirectory() as folder, _snapshots_at_once(), moment(begun_ms) as now:
        async with world(Path(folder), kinds=BY_ID) as w:
            clients = await w.hire(OWNER, HEAD, LAWYER, NEWCOMER)
            sessions = {client.name: await _opened(w, client) for client in clients}
            try:
                making = _Making(sessions, now)
                room, small = await making.fill()
            finally:
                for session in sessions.values():
                    await session.close()
            await w.stop_server()
            shutil.copytree(w.data, data)
            stores = {client.name: (client.path.read_bytes(), client.key) for client in clients}
    return Case(room=room, small=small, served=data, stores=stores)


async def _opened(w: World, client: Client) -> Session:
    """The person's session, in the place of the client."""
    await client.stop()
    session = session_on(w.folder / f"of {client.name}", Store.open(client.path, client.key, BY_ID), w.dialer())
    session.start()
    await until(lambda: session.status.state is LinkState.ONLINE)
    return session


class _Making:
    """The case while it is made."""

    def __init__(self, sessions: Mapping[str, Session], now: Moment) -> None:
        self.all, self.now = sessions, now
        self.owner = sessions[OWNER]

    async def fill(self) -> tuple[RoomId, RoomId]:
        """Everything but the accounts. Returns the rooms."""
        room = await self.room(ROOM_TITLE, HEAD, LAWYER)
        await self.attested(room, await self.document(room, READY, WORTH_IT + 2))
        await self.attested(room, await self.board(room, WORTH_IT + 1))
        self.now.set(at(9, 0, 1) - 4 * _DAY_MS)  # thirty days before 27 November
        await self.attested(room, await self.document(room, EARLY, WORTH_IT + 1))
        self.now.set(at(9, 0, 23))
        with pytest.MonkeyPatch.context() as nobody_makes_another:
            nobody_makes_another.setattr(snapshot_maker, "EVERY_OPS", 10_000)
            small = await self.room("Litet rum", HEAD)
            for each in (room, small):
                await self.document(each, UNSEEN, WORTH_IT + 1)
            await self.add(room, NEWCOMER, history=False)
            newcomer = self.all[NEWCOMER]
            await until(lambda: {READY, BOARD, EARLY, UNSEEN} <= {o.title for o in newcomer.rooms.objects(room)})
            await self.settle(room, *self.all)
            await self.owner.rooms.rotate(room)  # what the newcomer was given is under the key of before
            await self.settle(room, *self.all)
        return room, small

    async def room(self, title: str, *others: str) -> RoomId:
        room = await self.owner.rooms.create(title, RoomType.CASE)
        for other in others:
            await self.add(room, other, history=True)
        await self.settle(room, OWNER, *others)
        return room

    async def add(self, room: RoomId, name: str, *, history: bool) -> None:
        (person,) = await self.owner.people.search(name)
        await self.owner.rooms.add(room, person.uid, Role.WRITER, history)

    async def settle(self, room: RoomId, *names: str) -> None:
        """Until these people have what anybody has written."""
        sessions = [self.all[name] for name in names]
        await until(
            lambda: (
                not any(each.store.waiting_count() for each in sessions)
                and len({each.engine.position(room) for each in sessions}) == 1
            )
        )

    async def document(self, room: RoomId, title: str, changes: int) -> ObjId:
        service = self.owner.service(DOCUMENTS)
        obj = service.create(room, title)
        document = service.open(obj)
        await self.each(changes, lambda n: document.splice(0, 0, f"ord {n} "))
        return obj

    async def board(self, room: RoomId, changes: int) -> ObjId:
        tasks = self.owner.service(TASKS)
        board = tasks.board(room)
        board.rename(BOARD)
        column = board.columns()[0].id
        await self.each(changes, lambda n: board.add_card(column, f"Kort {n} å"))
        obj = tasks.board_id(room)
        assert obj is not None
        return obj

    async def each(self, changes: int, write: Callable[[int], object]) -> None:
        """Each change at a position of its own."""
        for n in range(changes):
            write(n)
            await until(lambda: self.owner.store.waiting_count() == 0)

    async def attested(self, room: RoomId, obj: ObjId) -> None:
        """Until two others have checked how the object stands."""
        state = self.owner.engine.parts.link.rooms[room].stream.state
        await until(lambda: any(len(row.attests) >= 2 for row in state.snapshots.get(obj, ())))
        self.owner.store.note_seen(room, self.owner.engine.position(room), self.now())  # done once an hour
