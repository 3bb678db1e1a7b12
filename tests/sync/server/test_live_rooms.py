# SPDX-License-Identifier: EUPL-1.2
"""Rooms in memory, and what the store has of them."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.server.process.running import start_server
from sync.server.store.base import RoomRow
from sync.trust.keys.epochs import KeyRing
from sync.trust.room.entry_drafts import new_room
from sync.trust.room.stream import RoomStream
from tests.patience import PATIENCE_S
from tests.sync.server.house import House
from tests.sync.server.wire import Refused, config, now


@contextlib.contextmanager
def database(data: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as c, c:
        yield c


async def test_a_room_whose_items_are_not_all_there_is_an_error_and_not_an_endless_search(data: Path) -> None:
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna = await house.person()
        room = await anna.create()
        with database(data) as c:
            early = c.execute("SELECT state, state_n FROM rooms WHERE room = ?", (room,)).fetchone()
        await anna.push(room, "ett", "två")
        await house.close()
    with database(data) as c:
        c.execute("UPDATE rooms SET state = ?, state_n = ? WHERE room = ?", (*early, room))
        c.execute("DELETE FROM items WHERE room = ? AND n > 2", (room,))
    async with start_server(config(data)) as server:
        await anna.connect(server.url, data)
        with pytest.raises(Refused, match="internal"):
            await anna.push(room, "tre")
        await anna.wire.close()


async def test_a_state_that_is_kept_while_the_room_moves_on_is_not_taken_for_the_newest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await house.person()
    room = await anna.create()
    await anna.push(room, "ett")
    await anna.sync(room)
    live, store = house.server.service.live.at_hand(room), house.server.store
    assert live is not None
    put, kept = store.put_state, live.head.n

    async def meanwhile(of: bytes, n: int, state: bytes) -> None:
        monkeypatch.setattr(store, "put_state", put)
        await anna.push(room, "två")
        await put(of, n, state)

    monkeypatch.setattr(store, "put_state", meanwhile)
    await house.server.service.live.keep(live)
    assert (live.state_n, live.head.n) == (kept, kept + 1)
    await house.server.service.live.keep(live)
    row = await store.room(room)
    assert row is not None
    assert row.state_n == row.n == kept + 1


async def test_a_room_that_is_made_while_it_is_read_is_in_memory_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read finds what was placed meanwhile. Of two rooms in memory, one would miss what follows."""
    anna = await house.person()
    store, live = house.server.store, house.server.service.live
    draft = new_room(anna.author, anna.book, now())
    begun, placed, real = asyncio.Event(), asyncio.Event(), store.room

    async def held(room: bytes) -> RoomRow | None:
        monkeypatch.setattr(store, "room", real)
        begun.set()
        await placed.wait()
        return await real(room)

    monkeypatch.setattr(store, "room", held)
    read = asyncio.create_task(live.get(draft.room))
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        made = live.new(draft.room)
        anna.rooms[draft.room], anna.rings[draft.room] = RoomStream(draft.room), KeyRing(draft.room)
        await anna.submit(draft)
        placed.set()
        assert await read is made
    assert live.at_hand(draft.room) is made
    await anna.sync(draft.room)
    await anna.push(draft.room, "ett")
    assert made.head.n == len(draft.entries) + 1
