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
from tests.journeys.bad_input.checks import lie, reconnect
from tests.world import Client, World, until


async def lose_answers(a: Client, *, cut: bool, count: int = 1) -> list[RoomId]:
    """The next `count` answers to new rooms do not come, and then the connection ends too (`cut`). Returns the rooms
    whose answers were lost."""
    lost: list[RoomId] = []

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not isinstance(frame, m.Placed) or len(lost) == count:
            return [frame]
        lost.append(RoomId(frame.receipt.room))
        if cut and len(lost) == count:
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


async def lose_one_and_read_it(a: Client) -> RoomId:
    """As `lose_one_and_stop_waiting`; the room is read here on the next connection."""
    [lost] = await lose_one_and_stop_waiting(a)
    await reconnect(a)
    rooms = a.engine.parts.link.rooms
    await until(lambda: a.engine.status.state is LinkState.ONLINE and lost in rooms and rooms[lost].is_settled)
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


def anything(room: RoomId) -> bool:
    """The caller has nothing in any room."""
    return True


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_rooms_that_were_made_at_once_and_whose_answers_were_lost_are_those_of_the_next_tries(
    w: World, is_restarted: bool
) -> None:
    (a,) = await w.hire("Handläggare")
    lost, link = await lose_answers(a, cut=True, count=2), a.engine.parts.link
    before = link.connection
    create = a.engine.operations.create_room
    tried = await asyncio.gather(*(create(is_free=anything) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in tried] == [Unreachable] * 2
    await until(lambda: link.connection not in (before, None))
    if is_restarted:
        assert await rooms_at_the_server(a) == set(lost)
        await until(lambda: all(a.engine.room_state(room) is RoomState.SEALED for room in lost))
    rooms = a.engine.parts.link.rooms
    await until(lambda: all(room in rooms and rooms[room].is_settled for room in lost))
    used: list[RoomId] = []

    async def make() -> None:
        used.append(await a.engine.operations.create_room(is_free=lambda room: room not in used))

    await asyncio.gather(make(), make())
    assert sorted(used) == sorted(lost)
    await make()
    assert len(set(used)) == 3
    assert await rooms_at_the_server(a) == set(used)


async def test_a_room_whose_answer_was_lost_and_that_was_used_since_is_not_taken(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await lose_one_and_read_it(a)
    room = await a.engine.operations.create_room(is_free=lambda room: room != lost)
    assert room != lost
    assert await a.engine.operations.create_room(is_free=lambda room: False) not in (room, lost)


async def test_a_room_into_which_somebody_was_added_is_not_that_of_a_new_creation(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    lost = await lose_one_and_read_it(a)
    await a.engine.directory(b.name)
    await a.engine.operations.add(lost, b.uid, 2, history=True)
    await a.engine.operations.remove(lost, b.uid)
    assert await a.engine.operations.create_room(is_free=anything) != lost


async def test_attack_a_room_that_another_device_of_the_person_has_made_is_not_taken(w: World) -> None:
    """Both devices would give it a name, and each would invite other people into it."""
    (a,) = await w.hire("Handläggare")
    b = await w.second(a)
    [lost] = await lose_one_and_stop_waiting(a)
    await until(lambda: b.engine.room_state(lost) is RoomState.SEALED)
    assert await b.engine.operations.create_room(is_free=anything) != lost


async def test_attack_a_room_of_which_the_server_withholds_the_rest_is_not_taken(w: World) -> None:
    """So is one on a disk that was set back: this device knows the room as unused, and it has a name by now."""
    (a,) = await w.hire("Handläggare")
    b = await w.second(a)
    lost = await lose_one_and_read_it(a)
    await until(lambda: b.engine.room_state(lost) is RoomState.SEALED)
    await a.offline()
    await b.engine.operations.rotate(lost)

    def withhold(frame: m.ServerFrame) -> Sequence[m.Frame]:
        return [] if isinstance(frame, m.Items | m.Fresh) and frame.room == lost else [frame]

    a.wire.cut = False
    await lie(a, withhold)
    rooms, before = a.engine.parts.link.rooms, set(a.engine.parts.link.rooms)
    asked = asyncio.ensure_future(a.engine.operations.create_room(is_free=anything))
    await until(lambda: asked.done() or rooms.keys() != before)
    assert not asked.done(), "it has asked for another room, and waits until that is read"
    asked.cancel()
    await asyncio.wait([asked])


async def test_no_room_is_taken_while_offline(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await lose_one_and_read_it(a)
    await a.offline()
    with pytest.raises(Unreachable):
        await a.engine.operations.create_room(is_free=anything)


async def test_a_room_for_whose_answer_another_creation_waits_is_not_taken(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await lose_answers(a, cut=False)
    asked = asyncio.ensure_future(a.engine.operations.create_room(is_free=anything))
    await until(lambda: bool(lost) and lost[0] in a.engine.parts.link.rooms)
    await until(lambda: a.engine.parts.link.rooms[lost[0]].is_settled)
    assert await a.engine.operations.create_room(is_free=anything) not in lost
    asked.cancel()
    await asyncio.wait([asked])


async def test_a_room_of_ones_own_and_another_room_are_not_taken_for_each_other(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    own = await a.engine.operations.create_room(own=True)
    await until(lambda: a.engine.parts.link.rooms[own].is_settled)
    room = await a.engine.operations.create_room(is_free=anything)
    await until(lambda: a.engine.parts.link.rooms[room].is_settled)
    assert room != own
    assert await a.engine.operations.create_room(own=True, is_free=lambda ident: ident != own) != room
    assert await a.engine.operations.create_room(own=True, is_free=anything) == own
