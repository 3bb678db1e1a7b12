# SPDX-License-Identifier: EUPL-1.2
"""Rules of the client, one by one: large rooms at a start, and the room of a new object."""

import asyncio

import pytest

from sync.client import link as link_module
from sync.client.status import RoomState
from sync.trust.room import state_codec
from sync.trust.room.envelope import object_of
from tests.journeys.bad_input.checks import two
from tests.world import World, until


async def test_a_new_object_is_bound_to_its_room_at_every_client(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    obj = a.store.objects.new(room)
    a.say(room, obj, b"hej")
    await w.settle(room)
    share = b.store.share(room, obj)
    assert share is not None
    assert object_of(room, share) == obj
    assert b.texts(obj) == [b"hej"]


async def test_attack_a_large_rooms_state_is_read_in_pieces_at_a_start(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One member can make a state of 5.7 MB: 0.7 s of one turn of the loop at every start."""
    a, b, room, _ = await two(w)
    link = b.engine.parts.link
    before = link.rooms[room].stream.state
    monkeypatch.setattr(link_module, "LARGE_BYTES", 0)
    monkeypatch.setattr(state_codec, "_PIECE", 1)
    link.reload()
    assert room not in link.rooms
    assert room in link.large
    turns, ended = 0, False

    async def count() -> None:
        nonlocal turns
        while not ended:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    await link.open_large()
    ended = True
    await counting
    assert turns > len(before.members) + len(before.pins)
    assert link.rooms[room].stream.state == before
    link.reload()
    assert link.room(room).stream.state == before, "who needs it at once has it, and not a new one in its place"
    await link.open_large()
    assert link.large == {}
    await a.restart()
    await b.restart()
    await until(lambda: room in a.engine.parts.link.rooms and room in b.engine.parts.link.rooms)
    await w.settle(room)
    assert b.engine.parts.link.rooms[room].stream.n == a.engine.parts.link.rooms[room].stream.n


async def test_attack_a_large_room_that_cannot_be_read_stops_by_itself(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, b, room, _ = await two(w)
    link = b.engine.parts.link
    monkeypatch.setattr(link_module, "LARGE_BYTES", 0)
    link.reload()
    link.large[room] = link.large[room][:-1]
    await link.open_large()
    assert b.engine.room_state(room) is RoomState.UNREADABLE
