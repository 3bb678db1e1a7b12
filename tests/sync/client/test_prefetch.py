# SPDX-License-Identifier: EUPL-1.2
"""While one room is judged the next one is pulled; nothing is lost or pulled twice because of that."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange.slice_reader import SliceReader
from sync.client.room.room_sync import RoomSync
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, encode
from tests.world import Client, World, until


async def rooms_of_two(w: World, count: int) -> tuple[Client, Client, list[RoomId]]:
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    rooms = [await w.room(head, clerk) for _ in range(count)]
    for room in rooms:
        await w.settle(room, head, clerk)
    return head, clerk, rooms


def asked(client: Client) -> list[m.Frame]:
    """A list that fills with the frames that a client sends from now on."""
    frames = list[m.Frame]()

    def note(data: bytes, out: bool) -> Sequence[bytes]:
        if out:
            frames.append(decode_client(data))
        return [data]

    client.wire.spoil = note
    return frames


async def back(client: Client, rooms: Sequence[RoomId], others: Client) -> None:
    client.online()
    await until(lambda: all(client.engine.position(room) == others.engine.position(room) for room in rooms))
    await until(lambda: client.engine.parts.inbox.idle)


async def test_all_rooms_are_subscribed_to_in_one_request_before_each_is_pulled_once(w: World) -> None:
    head, clerk, rooms = await rooms_of_two(w, 4)
    await clerk.offline()
    for room in rooms:
        head.say(room, ObjId(room), "Nytt å 🙂".encode())
    await until(lambda: not head.store.waiting_count())
    frames = asked(clerk)
    await back(clerk, rooms, head)
    first, *pulls = [f for f in frames if isinstance(f, m.Subscribe | m.Pull)]
    assert isinstance(first, m.Subscribe)
    assert set(first.rooms) == set(rooms)
    assert Counter(f.room for f in pulls if isinstance(f, m.Pull)) == Counter(rooms)
    assert len(pulls) == len(rooms)


async def test_the_next_room_is_pulled_while_one_is_judged(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    head, clerk, rooms = await rooms_of_two(w, 2)
    await clerk.offline()
    for room in rooms:
        head.say(room, ObjId(room), b"Nytt")
    await until(lambda: not head.store.waiting_count())
    frames, go_on, take = asked(clerk), asyncio.Event(), SliceReader.read

    async def waits(self: SliceReader, room: RoomSync, *slice_: Any, **how: Any) -> bool:
        await go_on.wait()
        return await take(self, room, *slice_, **how)

    monkeypatch.setattr(SliceReader, "read", waits)
    clerk.online()
    await until(lambda: {f.room for f in frames if isinstance(f, m.Pull)} == set(rooms))
    go_on.set()
    await until(lambda: all(clerk.engine.position(room) == head.engine.position(room) for room in rooms))


async def test_items_placed_during_a_pull_are_pulled_too(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    head, clerk, rooms = await rooms_of_two(w, 2)
    await clerk.offline()
    for room in rooms:
        head.say(room, ObjId(room), b"Nytt")
    await until(lambda: not head.store.waiting_count())
    frames, go_on, take, first = asked(clerk), asyncio.Event(), SliceReader.read, list[RoomId]()

    async def waits(self: SliceReader, room: RoomSync, *slice_: Any, **how: Any) -> bool:
        first.append(room.room)
        await go_on.wait()
        return await take(self, room, *slice_, **how)

    monkeypatch.setattr(SliceReader, "read", waits)
    clerk.online()
    inbox = clerk.engine.parts.inbox
    await until(lambda: {f.room for f in frames if isinstance(f, m.Pull)} == set(rooms))
    (second,) = set(rooms) - {first[0]}
    await until(lambda: inbox._prefetch._task is not None and inbox._prefetch._task.done())
    head.say(second, ObjId(second), "Efter det som redan hämtas å".encode())
    await until(lambda: any(frame.room == second for frame in inbox._fresh))
    go_on.set()
    await until(lambda: clerk.engine.position(second) == head.engine.position(second))
    await until(lambda: clerk.engine.parts.link.rooms[second].caught_up)


async def test_a_pull_that_the_server_refuses_stops_only_its_room(w: World) -> None:
    head, clerk, rooms = await rooms_of_two(w, 3)
    await clerk.offline()
    for room in rooms:
        head.say(room, ObjId(room), b"Nytt")
    await until(lambda: not head.store.waiting_count())
    inbox, refused = clerk.engine.parts.inbox, rooms[1]
    answers = list[int]()

    def refuse(data: bytes, out: bool) -> Sequence[bytes]:
        frame = decode_client(data) if out else None
        if isinstance(frame, m.Pull) and frame.room == refused:
            answers.append(frame.rid)
            return [encode(m.Pull(rid=frame.rid, room=RoomId(b"?" * 16), after=0, limit_bytes=1000))]
        return [data]

    clerk.wire.spoil = refuse
    clerk.online()
    others = [room for room in rooms if room != refused]
    await until(lambda: all(clerk.engine.position(room) == head.engine.position(room) for room in others))
    await until(lambda: inbox.idle)
    assert len(answers) == 1
