# SPDX-License-Identifier: EUPL-1.2
"""A server that was restored from an older backup, and the frames by which it is given back what it lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.process.running import Running, start_server
from sync.trust.formats.items import STUB, Item, item_id
from tests.sync.server.house import TEXT, House
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, Refused, config, open_wire


def wire(items: Sequence[Item]) -> list[m.WireItem]:
    return [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]


def stubs(items: Sequence[Item]) -> bytes:
    return b"".join(STUB.pack(i.t, i.kind, item_id(i.kind, i.body)) for i in items)


async def promise(who: Person, room: bytes, items: Sequence[Item], receipt: m.Receipt | None) -> m.Wanted:
    """Proves items that follow each other."""
    frame = m.Promise(who.wire.rid(), room, items[0].n - 1, stubs(items), receipt)
    return await who.wire.ask(frame, m.Wanted)


async def reupload(who: Person, room: bytes, items: Sequence[Item], shares: Sequence[m.WireShare] = ()) -> m.Wanted:
    return await who.wire.ask(m.Reupload(who.wire.rid(), room, wire(items), list(shares)), m.Wanted)


async def done(who: Person) -> None:
    await who.wire.ask(m.ReuploadDone(who.wire.rid()), m.Ok)


async def code_of(asking: Awaitable[object]) -> str:
    with pytest.raises(Refused) as e:
        await asking
    return e.value.code


@dataclass
class Before:
    """What was there before the server was lost, and a restored folder from an older backup."""

    house: House
    data: Path
    room: bytes
    anna: Person
    bert: Person
    carl: Person
    """Added after the backup."""
    items: list[Item]
    receipt: m.Receipt
    at: int
    """The head in the backup."""
    shares: list[m.WireShare] = field(default_factory=list)

    @property
    def lost(self) -> list[Item]:
        return self.items[self.at :]

    @asynccontextmanager
    async def older(self) -> AsyncIterator[Running]:
        """The restored server, with Anna signed in."""
        async with start_server(config(self.data)) as server:
            self.house.server = server
            await self.anna.connect(server.url, self.data)
            yield server
            for who in (self.anna, self.bert, self.carl):
                await who.wire.close()


async def everything(who: Person, room: bytes) -> list[Item]:
    who.rooms.pop(room, None)
    return await who.sync(room)


@pytest.fixture
async def before(house: House, tmp_path: Path) -> Before:
    """A room of two; the backup has its beginning, and after it came messages, an object, a member and a rotation."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person("Enhetschef")
    await anna.push(room, TEXT)
    made = await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    await anna.sync(room)
    await anna.push(room, "två", "tre")
    await anna.sync(room)
    sealed = anna.sealed(room, "objekt", obj=b"o" * 16)
    await anna.wire.ask(sealed, m.Placed)
    await anna.add(room, carl, history=False)
    receipt = (await anna.push(room, "sist")).receipt
    items = await everything(anna, room)
    await house.close()
    back = tmp_path / "restored"
    assert await asyncio.to_thread(put_back, tmp_path / "backup", back) == []
    at = 4
    assert (made.items, items[at - 1].n, receipt.n) == (at, at, items[-1].n)
    return Before(house, back, room, anna, bert, carl, items, receipt, at, sealed.shares)


async def signed_out(who: Person, server: Running, data: Path) -> None:
    who.wire = await open_wire(server.url, data)
    await who.wire.greet()
