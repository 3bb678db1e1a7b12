# SPDX-License-Identifier: EUPL-1.2
"""Who is added to a room with more behind it than one piece of a slice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.ids import ObjId, RoomId, new_obj
from sync.client.inbox import PIECE
from sync.client.status import RoomState
from tests.world import Client, World, until, world

TEXT = "Hej på er, åäö 😀".encode()


@pytest_asyncio.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as running:
        yield running


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
    await a.engine.deeds.add(room, c.uid, 2, history=True)
    await w.settle(room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    assert c.engine.room_state(room) is RoomState.SEALED


@pytest.mark.slow
async def test_a_newcomer_from_now_waits_for_nothing_of_a_long_room(w: World) -> None:
    a, c, room, objs = await a_long_room(w)
    await a.engine.deeds.add(room, c.uid, 2, history=False)
    later = new_obj()
    a.say(room, later, TEXT)
    await w.settle(room)
    await until(lambda: c.texts(later) == [TEXT])
    assert not any(c.texts(obj) for obj in objs)
    assert c.engine.room_state(room) is RoomState.SEALED
