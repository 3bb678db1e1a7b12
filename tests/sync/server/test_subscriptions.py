# SPDX-License-Identifier: EUPL-1.2
"""What a client asks for many rooms at once: their new items, and whose key logs have moved."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import MAX_KNOWN_LOGS, MAX_SUBSCRIBED
from sync.server.config import Limits
from sync.server.process.running import start_server
from tests.sync.server.house import TEXT, House
from tests.sync.server.passed_on import ephemeral
from tests.sync.server.wire import Refused, config


async def test_many_rooms_are_subscribed_to_by_one_request_and_none_is_read_into_memory(data: Path) -> None:
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna = await house.person()
        rooms = [await anna.create() for _ in range(5)]
        await house.close()
    async with start_server(config(data)) as server:
        await anna.connect(server.url, data)
        assert await anna.subscribe(*rooms, os.urandom(16), rooms[0]) == [2] * 5 + [0, 2]
        assert [server.service.live.at_hand(room) for room in rooms] == [None] * 5
        await anna.push(rooms[3], TEXT)
        assert (await anna.wire.next(m.Fresh)).room == rooms[3]
        await anna.wire.close()


async def test_an_item_that_is_placed_while_a_subscription_begins_is_sent_or_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positions are read when the subscription has begun: nothing falls between the two."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.add(room, carl)
    store = house.server.store
    read, begun, go_on = store.last_positions, asyncio.Event(), asyncio.Event()

    async def slow(*asked: Any) -> dict[bytes, int]:
        found = await read(*asked)
        begun.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(store, "last_positions", slow)
    asking = asyncio.create_task(carl.subscribe(room))
    await begun.wait()
    await anna.push(room, TEXT)
    await bert.wire.next(m.Fresh)
    go_on.set()
    (n,) = await asking
    await carl.wire.next(m.Joined)
    assert (await carl.wire.next(m.Fresh)).items[0].n == n + 1


async def test_attack_too_many_rooms_or_people_in_one_request_are_refused(house: House) -> None:
    anna = await house.person()
    room = await anna.create()
    with pytest.raises(Refused, match="invalid"):
        await anna.subscribe(room, *[os.urandom(16)] * MAX_SUBSCRIBED)
    known = [m.KnownLog(os.urandom(16), 0)] * (MAX_KNOWN_LOGS + 1)
    with pytest.raises(Refused, match="invalid"):
        await anna.wire.ask(m.MovedLogs(anna.wire.rid(), known), m.MovedLogsReply)
    await anna.push(room, TEXT)
    await anna.wire.next(m.Joined)
    assert anna.wire.unasked.empty(), "nothing of it is subscribed to"


async def test_a_request_beyond_the_connections_subscriptions_begins_none(data: Path) -> None:
    async with start_server(config(data, replace(Limits(), subscriptions=2))) as server:
        house = House(server, data)
        anna = await house.person()
        rooms = [await anna.create() for _ in range(3)]
        with pytest.raises(Refused, match="quota"):
            await anna.subscribe(*rooms)
        assert await anna.subscribe(*rooms[:2], os.urandom(16)) == [2, 2, 0], "others' rooms do not count"
        assert await anna.subscribe(rooms[1]) == [2]
        with pytest.raises(Refused, match="quota"):
            await anna.subscribe(rooms[2])
        await house.close()


async def test_attack_a_removed_member_subscribes_no_more_and_receives_nothing(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await anna.submit(anna.drafter(room).remove(bert.uid))
    await bert.wire.next(m.Removed)
    assert await bert.subscribe(room) == [0]
    await anna.sync(room)
    await anna.push(room, TEXT)
    assert await bert.subscribe(room) == [0]
    assert bert.wire.unasked.empty()
    await anna.add(room, bert)
    await bert.wire.next(m.Joined)
    assert await bert.subscribe(room) == [anna.rooms[room].n]


async def test_attack_a_removal_during_a_sign_in_counts_though_the_rooms_were_read_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert, room = await house.two_in_a_room()
    await bert.wire.close()
    store = house.server.store
    read, begun, go_on = store.memberships, asyncio.Event(), asyncio.Event()

    async def slow(uid: bytes, dev: bytes) -> Any:
        found = await read(uid, dev)
        if uid == bert.uid:
            begun.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(store, "memberships", slow)
    asking = asyncio.create_task(bert.connect(house.server.url, house.data))
    await begun.wait()
    await anna.submit(anna.drafter(room).remove(bert.uid))
    go_on.set()
    assert [head.receipt.room for head in (await asking).rooms] == [room]
    await bert.wire.next(m.Removed)
    assert await bert.subscribe(room) == [0]
    await anna.sync(room)
    await anna.push(room, TEXT)
    assert await bert.subscribe(room) == [0]
    assert bert.wire.unasked.empty()


async def test_an_ephemeral_message_passes_in_a_room_that_is_not_in_memory(data: Path) -> None:
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        await house.close()
    async with start_server(config(data)) as server:
        for who in (anna, bert):
            await who.connect(server.url, data)
            await who.subscribe(room)
        frame = ephemeral(anna, room)
        await anna.wire.socket.send(encode(frame))
        assert await bert.wire.next(m.Ephemeral) == frame
        for who in (anna, bert):
            await who.wire.close()


async def test_only_logs_that_go_further_are_named(house: House) -> None:
    anna, bert = await house.person(), await house.person()
    log = bert.book.logs[bert.uid]
    stranger = os.urandom(16)

    async def moved(seq: int) -> list[m.LogHead]:
        known = [m.KnownLog(bert.uid, seq), m.KnownLog(stranger, 0), m.KnownLog(anna.uid, 2**62)]
        return (await anna.wire.ask(m.MovedLogs(anna.wire.rid(), known), m.MovedLogsReply)).heads

    assert await moved(log.seq - 1) == [m.LogHead(bert.uid, log.seq, log.head)]
    assert await moved(log.seq) == []
