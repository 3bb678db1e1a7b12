# SPDX-License-Identifier: EUPL-1.2
"""A share that the server's database has lost is uploaded again by a member who holds it, and the items that waited are
applied."""

import asyncio
import contextlib
import sqlite3

import pytest

from app.core.ids import ObjId, RoomId, new_obj
from sync.client.status import LinkState, RoomState
from tests.world import Client, World, until

TEXT = "Hej på er, åäö 😀".encode()


def lose(w: World, *objs: ObjId) -> None:
    """Deletes the rows, as a disk fault would."""
    with contextlib.closing(sqlite3.connect(w.data / "server.sqlite3")) as c, c:
        for obj in objs:
            assert c.execute("DELETE FROM shares WHERE obj = ?", (obj,)).rowcount == 1


async def begun(w: World) -> tuple[Client, Client, RoomId, list[ObjId]]:
    """Two members write in two objects; a third person is hired and not in the room yet."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, objs = await w.room(a, b), [new_obj(), new_obj()]
    for obj in objs:
        a.say(room, obj, TEXT)
    await w.settle(room)
    return a, b, room, objs


async def joined(w: World, a: Client, room: RoomId) -> Client:
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    return c


async def lacking(w: World, a: Client, b: Client, room: RoomId, objs: list[ObjId]) -> tuple[Client, ObjId]:
    """A member who is offline, and an object of which it has nothing and the server has lost the share."""
    c = await joined(w, a, room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    late = new_obj()
    await c.offline()
    a.say(room, late, TEXT)
    await w.settle(room, a, b)
    lose(w, late)
    return c, late


async def test_what_waits_for_a_lost_share_is_applied_when_a_holder_has_put_it_back(w: World) -> None:
    a, b, room, objs = await begun(w)
    lose(w, objs[0])
    c = await joined(w, a, room)
    await until(lambda: all(c.texts(obj) == [TEXT] for obj in objs))
    await w.settle(room)
    assert c.engine.room_state(room) is RoomState.SEALED
    assert c.store.waiting(room) == []
    c.say(room, objs[0], b"svar")
    await w.settle(room)
    assert a.texts(objs[0]) == b.texts(objs[0]) == [TEXT, b"svar"]


async def test_a_holder_who_connects_later_is_asked_then(w: World) -> None:
    a, b, room, objs = await begun(w)
    c, late = await lacking(w, a, b, room, objs)
    for holder in (a, b):
        await holder.offline()
    c.online()
    await until(lambda: c.engine.position(room) == a.engine.position(room))
    await until(lambda: c.engine.room_state(room) is RoomState.WAITING)
    assert c.texts(late) == []
    await c.restart()  # waiting items are read from the disk and asked for again
    await until(lambda: c.engine.status.state is LinkState.ONLINE)
    assert c.engine.room_state(room) is RoomState.WAITING
    b.online()
    await until(lambda: c.texts(late) == [TEXT])
    assert c.engine.room_state(room) is RoomState.SEALED


@pytest.mark.slow
async def test_a_server_that_restarts_in_between_asks_again(w: World) -> None:
    a, b, room, objs = await begun(w)
    c, late = await lacking(w, a, b, room, objs)
    for holder in (a, b):
        await holder.offline()
    c.online()
    await until(lambda: c.engine.room_state(room) is RoomState.WAITING)
    await w.stop_server()
    await w.start_server()
    for client in (c, b):
        client.online()
    await until(lambda: c.texts(late) == [TEXT])


async def test_a_member_removed_while_an_item_waits_for_a_share_stays_connected(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, objs = await begun(w)
    c, _late = await lacking(w, a, b, room, objs)
    for holder in (a, b):  # nobody holds it any more
        monkeypatch.setattr(holder.engine.parts.inbox._shares, "note", lambda frame: None)
    c.online()
    await until(lambda: c.engine.room_state(room) is RoomState.WAITING)
    await until(lambda: c.engine.status.state is LinkState.ONLINE)
    seen: list[LinkState] = []
    monkeypatch.setattr(c, "on_status", lambda: seen.append(c.engine.status.state))
    await a.engine.operations.remove(room, c.uid)
    await until(lambda: c.engine.room_state(room) is RoomState.LEFT)
    await until(lambda: c.engine.status.state is LinkState.ONLINE and c.engine.parts.inbox.idle)
    await asyncio.sleep(0.2)
    assert set(seen) <= {LinkState.ONLINE}
