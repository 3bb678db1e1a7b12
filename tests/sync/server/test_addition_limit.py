# SPDX-License-Identifier: EUPL-1.2
"""How many rooms a person may be put into, over real sockets (audit: 16,000 room heads end every later sign-in)."""

from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.version import MAX_FRAME_BYTES
from sync.server.config import Limits
from sync.server.process.running import start_server
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import Refused, config


async def test_attack_one_adder_cannot_fill_a_person_with_rooms_that_they_never_answered(data: Path) -> None:
    async with start_server(config(data, limits=Limits(unanswered_adds=2))) as server:
        house = House(server, data)
        anna, bert = await house.person(), await house.person()
        rooms = [await anna.create() for _ in range(3)]
        await anna.add(rooms[0], bert)
        await anna.add(rooms[1], bert)
        with pytest.raises(Refused, match="unanswered"):
            await anna.add(rooms[2], bert)
        carl = await house.person()
        await anna.add(rooms[2], carl)  # it is about one person
        await bert.sync(rooms[0])
        bert.rings[rooms[0]] = anna.rings[rooms[0]]
        await bert.push(rooms[0], TEXT)
        await anna.add(rooms[2], bert)  # one of them has an item of theirs
        await house.close()


async def test_attack_nobody_is_added_to_more_rooms_than_a_sign_in_can_name(data: Path) -> None:
    async with start_server(config(data, limits=Limits(rooms_a_person=2))) as server:
        house = House(server, data)
        anna, bert = await house.person(), await house.person()
        await bert.create()
        first, second = await anna.create(), await anna.create()
        await anna.add(first, bert)
        with pytest.raises(Refused, match="too-many-rooms"):
            await anna.add(second, bert)
        await anna.sync(first)
        await anna.submit(anna.drafter(first).remove(bert.uid))
        await anna.add(second, bert)  # a room that the person has left is not counted
        await house.close()


def test_the_heads_of_as_many_rooms_as_a_person_may_be_in_fit_into_a_frame() -> None:
    head = m.RoomHead(m.Receipt(b"r" * 16, 2**53, b"h" * 32, 2**53, b"s" * 64), 2**53, b"d" * 32)
    most = Limits().rooms_a_person
    frame = m.Authed(2**31, 2**53, b"u" * 32, [head] * most, closed=[b"r" * 16] * most)
    assert len(encode(frame)) < MAX_FRAME_BYTES
