# SPDX-License-Identifier: EUPL-1.2
"""A person is added to a room that has more history than one piece of a slice."""

from collections.abc import Sequence

import msgspec
import pytest

from app.core.ids import ObjId, RoomId, new_obj
from app.errors import DiskFull
from sync.client.exchange.slice_reader import PIECE
from sync.client.received import Received
from sync.client.room import bootstrap_buffer
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from tests.journeys.bad_input.checks import honest, lie
from tests.world import Client, World, until

TEXT = "Hej på er, åäö 😀".encode()


async def a_long_room(w: World) -> tuple[Client, Client, RoomId, list[ObjId]]:
    """Each object's first change is an envelope of its own: more positions than are judged at once."""
    a, c = await w.hire("Handläggare", "Enhetschef")
    room = await w.room(a)
    objs = [new_obj() for _ in range(2 * PIECE + 5)]
    for obj in objs:
        a.say(room, obj, TEXT)
    await w.settle(room, a)
    await a.engine.directory("Enhetschef")
    return a, c, room, objs


async def test_a_newcomer_with_history_reads_a_long_room_from_its_beginning(w: World) -> None:
    a, c, room, objs = await a_long_room(w)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    assert c.engine.room_state(room) is RoomState.SEALED


@pytest.mark.slow
async def test_a_newcomer_from_now_waits_for_nothing_of_a_long_room(w: World) -> None:
    a, c, room, objs = await a_long_room(w)
    await a.engine.operations.add(room, c.uid, 2, history=False)
    later = new_obj()
    a.say(room, later, TEXT)
    await w.settle(room)
    await until(lambda: c.texts(later) == [TEXT])
    assert not any(c.texts(obj) for obj in objs)
    assert c.engine.room_state(room) is RoomState.SEALED


def note_waiting(client: Client) -> list[int]:
    """The positions that are ever stored as waiting."""
    seen: list[int] = []
    receive = client.store.receive_apart

    async def take(received: Received) -> None:
        seen.extend(n for n, _ in getattr(received, "waiting", ()))
        await receive(received)

    client.store.receive_apart = take
    return seen


@pytest.mark.parametrize("history", [True, False])
async def test_what_a_newcomer_pulls_before_the_key_is_there_does_not_wait_in_the_store(
    w: World, history: bool
) -> None:
    a, c, room, objs = await a_long_room(w)
    waited = note_waiting(c)
    await a.engine.operations.add(room, c.uid, 2, history=history)
    await w.settle(room)
    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)
    assert [c.texts(obj) for obj in objs] == [[TEXT] if history else []] * len(objs)
    assert waited == []


async def test_a_room_with_more_behind_it_than_is_held_lets_the_rest_wait_and_reads_it_all(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.client.room.bootstrap_buffer.HELD_BYTES", 20_000)
    a, c, room, objs = await a_long_room(w)
    waited = note_waiting(c)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    assert waited
    assert c.store.waiting(room) == []
    assert c.engine.room_state(room) is RoomState.SEALED


@pytest.mark.parametrize("calls", [2, 4])
async def test_a_newcomer_whose_first_pull_ends_in_the_middle_begins_it_again_and_doubles_nothing(
    w: World, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    a, c, room, objs = await a_long_room(w)
    receive = c.store.receive_apart
    left = [calls]

    async def full(received: Received) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise DiskFull
        await receive(received)

    monkeypatch.setattr(c.store, "receive_apart", full)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await until(lambda: c.engine.status.code == "disk-full")
    await c.restart()
    await w.settle(room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    assert c.engine.room_state(room) is RoomState.SEALED


async def test_a_lie_in_a_newcomers_first_pull_stops_the_room_until_the_truth_is_shown(w: World) -> None:
    a, c, room, objs = await a_long_room(w)

    def flip(frame: m.ServerFrame) -> list[m.Frame]:
        if not isinstance(frame, m.Items) or len(frame.items) < PIECE:
            return [frame]
        last = frame.items[-1]
        false = msgspec.structs.replace(last, sig=bytes(64))
        return [msgspec.structs.replace(frame, items=[*frame.items[:-1], false])]

    await lie(c, flip)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await until(lambda: room in c.engine.parts.link.rooms)
    await until(lambda: c.engine.room_state(room) is RoomState.WITHHELD)
    await honest(c)
    await w.settle(room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    assert c.engine.room_state(room) is RoomState.SEALED


@pytest.mark.parametrize("shown", ["false", "nothing"])
async def test_attack_of_a_room_of_which_nothing_true_is_shown_nothing_is_stored(
    w: World, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    """A newcomer's store that contains such a room would not open again."""
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 1)
    a, c = await w.hire("Handläggare", "Enhetschef")
    room = await w.room(a)

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame | bytes]:
        if not isinstance(frame, m.Items):
            return [frame]
        if shown == "nothing":
            receipt = msgspec.structs.replace(frame.receipt, n=0, rh=bytes(32))
            return [msgspec.structs.replace(frame, items=[], receipt=receipt)]
        unsigned = [msgspec.structs.replace(i, sig=bytes(64)) for i in frame.items]
        return [msgspec.structs.replace(frame, items=unsigned)]

    await lie(c, rewrite)
    await until(lambda: c.engine.status.state is LinkState.ONLINE)
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    if shown == "nothing":
        await until(lambda: c.engine.status.code == "signature")
    else:
        await until(lambda: c.engine.room_state(room) is RoomState.WITHHELD)
    await c.restart()
    await honest(c)
    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)


async def test_a_from_now_member_added_again_with_the_history_reads_all_of_it(w: World) -> None:
    a, c, room, objs = await a_long_room(w)
    await a.engine.operations.add(room, c.uid, 2, history=False)
    later = new_obj()
    a.say(room, later, TEXT)
    await until(lambda: c.texts(later) == [TEXT])
    await a.engine.operations.remove(room, c.uid)
    await until(lambda: c.engine.room_state(room) is RoomState.LEFT)
    a.say(room, later, b"meanwhile")
    await w.settle(room, a)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await until(lambda: c.texts(later) == [TEXT, b"meanwhile"])
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    await until(lambda: c.engine.reread_progress(room) is None)
    assert c.engine.room_state(room) is RoomState.SEALED


async def test_a_member_added_again_while_away_reads_all_of_it_too(w: World) -> None:
    a, c, room, objs = await a_long_room(w)
    await a.engine.operations.add(room, c.uid, 2, history=False)
    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)
    await c.offline()
    await a.engine.operations.remove(room, c.uid)
    await a.engine.operations.add(room, c.uid, 2, history=True)
    c.online()
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    await until(lambda: c.engine.reread_progress(room) is None)
