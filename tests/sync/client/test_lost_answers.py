# SPDX-License-Identifier: EUPL-1.2
"""A new room whose answer is lost: the next try ends in the same room, and leaves none without a name."""

import asyncio
from collections.abc import Sequence

import pytest

from sync.client.status import LinkState, RoomState
from sync.client.wire import connection
from sync.errors import Unreachable
from sync.ids import RoomId
from sync.protocol import messages as m
from tests.journeys.bad_input.checks import lie
from tests.world import Client, World, until


async def lose_answers(a: Client, *, cut: bool) -> list[RoomId]:
    """The next answer to a new room does not come, and the connection ends too (`cut`). Returns the rooms whose
    answers were lost."""
    lost: list[RoomId] = []

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not isinstance(frame, m.Placed) or lost:
            return [frame]
        lost.append(RoomId(frame.receipt.room))
        if cut:
            hanging_up.append(asyncio.ensure_future(a.wire.hang_up()))
        return []

    hanging_up: list[asyncio.Future[None]] = []
    await lie(a, rewrite)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    return lost


async def rooms_at_the_server(a: Client) -> set[RoomId]:
    """What a new start of the program finds there."""
    await a.restart()
    a.online()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    return set(a.engine.parts.link.rooms)


@pytest.mark.parametrize("is_read", [False, True])
async def test_a_room_whose_answer_was_lost_with_the_connection_is_the_one_of_the_next_try(
    w: World, is_read: bool
) -> None:
    (a,) = await w.hire("Handläggare")
    lost, link = await lose_answers(a, cut=True), a.engine.parts.link
    before = link.connection
    with pytest.raises(Unreachable):
        await a.engine.operations.create_room()
    await until(lambda: link.connection not in (before, None))
    if is_read:
        await until(lambda: a.engine.room_state(lost[0]) is RoomState.SEALED)
    room = await a.engine.operations.create_room()
    assert [room] == lost
    assert await a.engine.operations.create_room() != room, "each later call creates a room of its own"
    assert len(await rooms_at_the_server(a)) == 2


async def test_a_room_whose_answer_did_not_come_in_time_is_the_one_of_the_next_try(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await lose_answers(a, cut=False)
    with monkeypatch.context() as hurried:
        hurried.setattr(connection, "REQUEST_TIMEOUT_S", 0.3)
        with pytest.raises(Unreachable):
            await a.engine.operations.create_room()
    assert [await a.engine.operations.create_room()] == lost
    assert await rooms_at_the_server(a) == set(lost)


async def lose_one_and_stop_waiting(a: Client) -> list[RoomId]:
    """A new room that the server has, for whose answer nobody waits any more."""
    lost = await lose_answers(a, cut=False)
    asked = asyncio.ensure_future(a.engine.operations.create_room())
    await until(lambda: bool(lost))
    asked.cancel()
    await asyncio.wait([asked])
    return lost


async def test_a_room_for_which_nobody_waits_any_more_is_the_one_of_the_next_try(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await lose_one_and_stop_waiting(a)
    assert [await a.engine.operations.create_room()] == lost
    assert await rooms_at_the_server(a) == set(lost)


async def test_a_room_of_ones_own_is_not_the_room_whose_answer_was_lost(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await lose_one_and_stop_waiting(a)
    own = await a.engine.operations.create_room(own=True)
    assert [own] != lost
    assert await rooms_at_the_server(a) == {own, *lost}


async def test_a_room_that_was_read_before_its_answer_was_given_up_is_still_there(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost, link = await lose_answers(a, cut=False), a.engine.parts.link
    asked = asyncio.ensure_future(a.engine.operations.create_room())
    await until(lambda: bool(lost) and link.rooms[lost[0]].stream.n == 2)
    asked.cancel()
    await asyncio.wait([asked])
    assert lost[0] in link.rooms
    await until(lambda: a.engine.room_state(lost[0]) is RoomState.SEALED)
    assert [await a.engine.operations.create_room()] == lost


async def test_a_room_that_the_server_was_never_asked_for_is_not_followed(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await a.offline()
    with pytest.raises(Unreachable):
        await a.engine.operations.create_room()
    assert not a.engine.parts.link.rooms
    a.online()
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    assert await rooms_at_the_server(a) == set()
    assert await a.engine.operations.create_room() in a.engine.parts.link.rooms


async def test_a_new_room_that_the_server_refuses_is_drafted_again(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    refused: list[RoomId] = []

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not isinstance(frame, m.Placed) or refused:
            return [frame]
        refused.append(RoomId(frame.receipt.room))
        return [m.Error(rid=frame.rid, code="seals")]

    await lie(a, rewrite)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    assert await a.engine.operations.create_room() not in refused
    assert refused
