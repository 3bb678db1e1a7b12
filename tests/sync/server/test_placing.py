# SPDX-License-Identifier: EUPL-1.2
"""Placements that are refused or cut short leave the room as it is on the disk."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server.config import Limits
from sync.server.process.running import start_server
from sync.server.store.base import Full, Placement
from sync.server.store.sql import SqlStore
from tests.sync.server.house import House
from tests.sync.server.wire import Refused, config
from tests.world import until

OBJ = b"o" * 16


class Held(SqlStore):
    """A store whose disk is slow: while `holds`, placements wait until `release`."""

    holds = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.waiting: list[tuple[Placement, asyncio.Future[None]]] = []

    def place(self, placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        if not self.holds:
            return super().place(placement, ahead)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((placement, written))
        return written

    async def release(self) -> None:
        self.holds = False
        for placement, written in self.waiting:
            await super().place(placement)
            written.set_result(None)


async def test_a_refused_batch_whose_sender_leaves_does_not_break_the_room(data: Path) -> None:
    """The refusal waits for the disk, and the sender's departure ends that wait."""
    store = Held(config(data).database)
    async with start_server(config(data), store=store) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        bert.rings[room] = anna.rings[room]  # as if bert had opened the seal
        live = server.service.live.at_hand(room)
        assert live is not None
        begun = live.stream.n
        batch = anna.sealed(room, "ett")
        wrong = msgspec.structs.replace(bert.sealed(room, "nytt objekt", obj=OBJ), shares=[])
        first = anna.wire.send(batch)
        store.holds = True
        try:
            await anna.wire.socket.send(encode(batch))
            await until(lambda: len(store.waiting) == 1)
            await bert.wire.socket.send(encode(wrong))
            await until(lambda: live.stream.n == begun + 2)
            await bert.wire.close()
            await until(lambda: not live.lock.locked())
        finally:
            await store.release()
        assert isinstance(await first, m.Placed)
        await anna.sync(room)
        assert (await anna.push(room, "två")).first == begun + 2
        await house.close()


class FullDisk(SqlStore):
    """A store whose disk takes no placement while it is `full`."""

    full = False

    def place(self, placement: Placement, ahead: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        if not self.full:
            return super().place(placement, ahead)
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(Full("disk"))
        return refused


async def test_what_a_full_disk_refused_does_not_count_as_sent(data: Path) -> None:
    store = FullDisk(config(data).database)
    async with start_server(config(data, Limits(device_bytes_a_day=40_000)), store=store) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        batch = anna.sealed(room, "å" * 5_000)
        store.full = True
        for _ in range(8):
            with pytest.raises(Refused, match="full disk"):
                await anna.wire.ask(msgspec.structs.replace(batch, rid=anna.wire.rid()), m.Placed)
        store.full = False
        await anna.wire.ask(msgspec.structs.replace(batch, rid=anna.wire.rid()), m.Placed)
        await house.close()
