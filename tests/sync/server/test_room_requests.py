# SPDX-License-Identifier: EUPL-1.2
"""Rooms over real TLS sockets: create, add, push, pull, fresh, and everything the server must refuse."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.process.running import start_server
from sync.server.store.sql import SqlStore
from sync.trust.formats.items import Item, Role
from sync.trust.room import entry_drafts
from tests.patience import PATIENCE_S
from tests.sync.server.house import TEXT, House
from tests.sync.server.passed_on import ephemeral, send
from tests.sync.server.wire import Person, Refused, as_items, config


async def test_a_message_goes_from_one_to_the_other(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    placed = await anna.push(room, TEXT)
    fresh = await bert.wire.next(m.Fresh)
    bert.rooms[room].accept(as_items(fresh), bert.book)
    assert (fresh.receipt, bert.rooms[room].n) == (placed.receipt, placed.first)
    assert bert.rooms[room].rh == placed.receipt.rh


async def test_an_added_person_is_notified_and_gets_its_seal(house: House) -> None:
    anna, bert = await house.person(), await house.person()
    room = await anna.create()
    await anna.add(room, bert)
    joined = await bert.wire.next(m.Joined)
    assert joined.head.receipt.room == room
    reply = await bert.wire.ask(m.SealRequest(bert.wire.rid(), room, 1), m.SealReply)
    assert len(reply.seals) == 1


async def test_a_from_now_add_rotates_and_seals_to_everyone(house: House) -> None:
    anna, bert = await house.person(), await house.person()
    room = await anna.create()
    await anna.add(room, bert, history=False)
    for who in (anna, bert):
        reply = await who.wire.ask(m.SealRequest(who.wire.rid(), room, 2), m.SealReply)
        assert len(reply.seals) == 1
    reply = await bert.wire.ask(m.SealRequest(bert.wire.rid(), room, 1), m.SealReply)
    assert reply.seals == []


async def test_the_same_batch_again_gets_the_same_answer(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT, "två", "tre")
    first = await anna.wire.ask(push, m.Placed)
    again = await anna.wire.ask(msgspec.structs.replace(push, rid=anna.wire.rid()), m.Placed)
    assert (again.first, again.count, again.receipt) == (first.first, 3, first.receipt)
    await bert.wire.next(m.Fresh)
    assert bert.wire.unasked.empty()


async def test_the_same_batch_twice_at_once_is_placed_once(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT)
    same_push = msgspec.structs.replace(push, rid=anna.wire.rid())
    first, second = await asyncio.gather(anna.wire.ask(push, m.Placed), anna.wire.ask(same_push, m.Placed))
    assert (first.first, first.receipt) == (second.first, second.receipt)


async def test_known_comes_before_forbidden_for_one_who_was_removed(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    bert.rings[room] = anna.rings[room]
    push = bert.sealed(room, TEXT)
    first = await bert.wire.ask(push, m.Placed)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).remove(bert.uid))
    again = await bert.wire.ask(msgspec.structs.replace(push, rid=bert.wire.rid()), m.Placed)
    assert again.receipt == first.receipt


async def test_an_envelope_of_an_old_epoch_is_stale(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    late = anna.sealed(room, TEXT)
    await anna.submit(anna.drafter(room).rotate())
    with pytest.raises(Refused, match="stale"):
        await anna.wire.ask(late, m.Placed)


async def test_an_envelope_is_refused_while_the_room_owes_a_rotation_after_somebody_left(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await bert.submit(entry_drafts.Drafter(bert.rooms[room], bert.author, bert.book, anna.rings[room], 1).leave())
    with pytest.raises(Refused, match="rotation-owed"):
        await anna.push(room, TEXT)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).rotate())
    await anna.sync(room)
    await anna.push(room, TEXT)


async def test_the_second_of_two_entries_on_one_head_is_a_conflict(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    one, other = anna.drafter(room).rotate(), anna.drafter(room).rotate()
    await anna.submit(one)
    with pytest.raises(Refused, match="conflict"):
        await anna.submit(other)
    again = await anna.append(one)
    assert again.count == 1


async def test_attack_an_epoch_without_its_seals_is_refused(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    draft = anna.drafter(room).rotate()
    with pytest.raises(Refused, match="seals"):
        await anna.append(draft)
    assert draft.root is not None
    short = m.PutSeals(anna.wire.rid(), room, draft.root, 0, draft.seals[:1])
    await anna.wire.ask(short, m.Ok)
    with pytest.raises(Refused, match="seals"):
        await anna.append(draft)
    await anna.wire.ask(m.PutSeals(anna.wire.rid(), room, draft.root, 1, draft.seals[1:]), m.Ok)
    await anna.append(draft)


async def test_attack_seals_in_another_order_are_refused(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    draft = anna.drafter(room).rotate()
    assert draft.root is not None
    await anna.wire.ask(m.PutSeals(anna.wire.rid(), room, draft.root, 0, draft.seals[::-1]), m.Ok)
    with pytest.raises(Refused, match="seals"):
        await anna.append(draft)


async def test_forged_and_altered_batches_are_refused(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    push = anna.sealed(room, TEXT)
    ct = bytearray(push.cts[0])
    ct[-1] ^= 1
    altered = [
        msgspec.structs.replace(push, rid=anna.wire.rid(), sig=os.urandom(64)),
        msgspec.structs.replace(push, rid=anna.wire.rid(), cts=[bytes(ct)]),
        msgspec.structs.replace(push, rid=anna.wire.rid(), bodies=[push.bodies[0] + b"\0"]),
        msgspec.structs.replace(push, rid=anna.wire.rid(), cts=[]),
        msgspec.structs.replace(push, rid=anna.wire.rid(), shares=[m.WireShare(b"o" * 16, b"s" * 32)]),
    ]
    for frame in altered:
        with pytest.raises(Refused) as e:
            await anna.wire.ask(frame, m.Placed)
        assert e.value.code == "invalid"
    with pytest.raises(Refused) as e:
        await bert.wire.ask(msgspec.structs.replace(push, rid=bert.wire.rid()), m.Placed)
    assert e.value.code == "forbidden"
    await anna.wire.ask(push, m.Placed)
    assert (await bert.wire.next(m.Fresh)).items[0].body == push.bodies[0]


async def test_an_objects_share_must_come_and_match(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    obj = os.urandom(16)
    push = anna.sealed(room, TEXT, obj=obj)
    for shares in ([], [m.WireShare(obj, os.urandom(32))]):
        with pytest.raises(Refused, match="shares"):
            await anna.wire.ask(msgspec.structs.replace(push, rid=anna.wire.rid(), shares=shares), m.Placed)
    await anna.wire.ask(push, m.Placed)
    assert (await bert.wire.next(m.Fresh)).shares == push.shares
    pulled = await bert.wire.ask(m.Pull(bert.wire.rid(), room, 0, 1 << 20), m.Items)
    assert pulled.shares == push.shares
    asked = await bert.wire.ask(m.ShareRequest(bert.wire.rid(), room, [obj]), m.ShareReply)
    assert asked.shares == push.shares
    with pytest.raises(Refused):
        await bert.wire.ask(m.PutShare(bert.wire.rid(), room, m.WireShare(obj, os.urandom(32))), m.Ok)


async def test_a_removed_person_pulls_up_to_the_removal_and_no_further(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    placed = await anna.submit(anna.drafter(room).remove(bert.uid))
    assert (await bert.wire.next(m.Removed)).n == placed.first
    await anna.sync(room)
    await anna.push(room, TEXT)
    pulled = await bert.wire.ask(m.Pull(bert.wire.rid(), room, 0, 1 << 20), m.Items)
    assert pulled.items[-1].n == pulled.receipt.n == placed.first
    assert bert.wire.unasked.empty()
    assert await bert.subscribe(room) == [0]
    seals = await bert.wire.ask(m.SealRequest(bert.wire.rid(), room, 2), m.SealReply)
    assert seals.seals == []


async def test_a_room_does_not_exist_for_strangers(house: House) -> None:
    anna, eve = await house.person(), await house.person()
    room = await anna.create()
    for asked in (room, os.urandom(16)):
        for frame in (
            m.Pull(eve.wire.rid(), asked, 0, 1000),
            m.Contents(eve.wire.rid(), asked, [1]),
            m.SealRequest(eve.wire.rid(), asked, 1),
            m.ShareRequest(eve.wire.rid(), asked, [b"o" * 16]),
            msgspec.structs.replace(anna.sealed(room, TEXT), rid=eve.wire.rid(), room=asked),
        ):
            with pytest.raises(Refused, match="unknown-room"):
                await eve.wire.ask(frame, m.Ok)
    assert await eve.subscribe(room, os.urandom(16)) == [0, 0]


async def test_a_reader_may_not_write(house: House) -> None:
    anna, carl = await house.person(), await house.person()
    room = await anna.create()
    await anna.add(room, carl, int(Role.READER))
    await carl.sync(room)
    carl.rings[room] = anna.rings[room]
    with pytest.raises(Refused, match="forbidden"):
        await carl.push(room, TEXT)


async def test_an_ephemeral_reaches_other_listeners_only(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await anna.subscribe(room)
    frame = ephemeral(anna, room)
    await send(anna, frame)
    assert await bert.wire.next(m.Ephemeral) == frame
    assert anna.wire.unasked.empty()


async def test_times_never_go_back(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    times = []
    for _ in range(5):
        await anna.push(room, TEXT)
        await anna.sync(room)
        times.append(anna.rooms[room].t)
    assert times == sorted(times)


async def test_a_restart_keeps_everything_and_old_batches_are_known(data: Path) -> None:
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        for k in range(30):
            push = anna.sealed(room, f"{TEXT} {k}")
            placed = await anna.wire.ask(push, m.Placed)
            await anna.sync(room)
        await house.close()
    async with start_server(config(data)) as server:
        authed = await anna.connect(server.url, data)
        assert [h.receipt.rh for h in authed.rooms] == [placed.receipt.rh]
        assert authed.rooms[0].dev_seq == 30
        again = await anna.wire.ask(msgspec.structs.replace(push, rid=anna.wire.rid()), m.Placed)
        assert again.first == placed.first
        await anna.push(room, TEXT)
        await bert.connect(server.url, data)
        await bert.sync(room)
        assert bert.rooms[room].n == placed.first + 1
        await anna.wire.close()
        await bert.wire.close()


async def test_quotas_refuse_with_their_own_code(data: Path) -> None:
    async with start_server(config(data, replace(Limits(), room_bytes=20_000))) as server:
        house = House(server, data)
        anna = await house.person()
        room = await anna.create()
        for _ in range(10):
            await anna.push(room, TEXT)
            await anna.sync(room)
        full = anna.sealed(room, "å" * 9000)
        with pytest.raises(Refused, match="quota"):
            await anna.wire.ask(full, m.Placed)
        await anna.wire.ask(msgspec.structs.replace(anna.sealed(room, TEXT), rid=anna.wire.rid()), m.Placed)
        await house.close()


async def test_a_slow_reader_costs_its_queue_and_is_sent_behind(data: Path) -> None:
    limits = replace(Limits(), send_queue_bytes=512 * 1024)
    async with start_server(config(data, limits)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        assert bert.wire.reader is not None
        transport = bert.wire.socket.transport
        transport.pause_reading()
        big = "å" * 30_000
        listener = next(iter(server.service.hub._by_room[room]))
        most = 0
        for _ in range(120):
            await anna.push(room, big, big)
            await anna.sync(room)
            most = max(most, listener.outbox.size_bytes)
        assert most <= limits.send_queue_bytes
        transport.resume_reading()
        seen = 0
        frame: m.Frame = await asyncio.wait_for(bert.wire.unasked.get(), PATIENCE_S)
        while not isinstance(frame, m.Behind):
            assert isinstance(frame, m.Fresh)
            seen += len(frame.items)
            frame = await asyncio.wait_for(bert.wire.unasked.get(), PATIENCE_S)
        assert frame.n == anna.rooms[room].n
        assert seen < 240
        await bert.sync(room)
        assert bert.rooms[room].n == anna.rooms[room].n
        await house.close()


async def test_a_reader_that_takes_nothing_is_cut_off(data: Path) -> None:
    limits = replace(Limits(), send_queue_bytes=512 * 1024, stall_s=0.3)
    async with start_server(config(data, limits)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        bert.wire.socket.transport.pause_reading()
        big = "å" * 60_000
        async with asyncio.timeout(PATIENCE_S):
            while server.service.hub.connections == 2:
                await anna.push(room, big, big, big)
                await anna.sync(room)
        bert.wire.socket.transport.resume_reading()
        await bert.wire.end()
        await house.close()


async def test_the_oldest_rooms_leave_memory_and_come_back(data: Path) -> None:
    async with start_server(config(data, replace(Limits(), rooms_in_memory=2))) as server:
        house = House(server, data)
        anna = await house.person()
        rooms = [await anna.create() for _ in range(5)]
        for _ in range(2):
            for room in rooms:
                await anna.push(room, TEXT)
                await anna.sync(room)
        assert [anna.rooms[r].n for r in rooms] == [4] * 5
        await house.close()


async def test_two_people_write_at_once_and_agree(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    bert.rings[room] = anna.rings[room]

    async def write(person: Person) -> None:
        for k in range(40):
            await person.push(room, f"{TEXT} {k}")
            await person.sync(room)

    await asyncio.gather(write(anna), write(bert))
    await anna.sync(room)
    await bert.sync(room)
    assert anna.rooms[room].n == bert.rooms[room].n == 3 + 80
    assert anna.rooms[room].rh == bert.rooms[room].rh


async def test_a_full_disk_is_reported_and_what_was_acknowledged_stays(data: Path) -> None:
    text = "å" * 20_000
    acked: m.Placed | None = None
    async with start_server(config(data), store=SqlStore(data / "server.sqlite3", max_pages=400)) as server:
        house = House(server, data)
        anna = await house.person()
        room = await anna.create()
        with pytest.raises(Refused) as e:  # noqa: PT012 - the disk fills up at some push
            for _ in range(100):
                acked = await anna.push(room, text)
                await anna.sync(room)
        assert e.value.code == "full"
        await anna.sync(room)
        await house.close()
    assert acked is not None
    async with start_server(config(data)) as server:
        authed = await anna.connect(server.url, data)
        assert authed.rooms[0].receipt == acked.receipt
        await anna.push(room, text)
        await anna.wire.close()


async def test_a_writer_rotates_once_an_hour_and_always_when_the_room_owes_it(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.add(room, carl)
    await bert.sync(room)
    bert.rings[room] = anna.rings[room]
    await bert.submit(bert.drafter(room).rotate())
    await bert.sync(room)
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(bert.drafter(room).rotate())
    await carl.sync(room)
    carl.rings[room] = anna.rings[room]
    await carl.submit(carl.drafter(room).leave())
    await bert.sync(room)
    await bert.submit(bert.drafter(room).rotate())


async def test_a_room_is_pulled_bare_and_single_contents_are_fetched(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await anna.push(room, *[TEXT] * 20)
    whole = await bert.wire.ask(m.Pull(bert.wire.rid(), room, 0, 1 << 20), m.Items)
    bare = await bert.wire.ask(m.Pull(bert.wire.rid(), room, 0, 1 << 20, True), m.Items)
    assert bare.items == [msgspec.structs.replace(i, ct=None) for i in whole.items]
    ns = [i.n for i in whole.items if i.ct is not None][::2]
    got = await bert.wire.ask(m.Contents(bert.wire.rid(), room, ns), m.ContentsReply)
    assert got.items == [i for i in whole.items if i.n in ns]
    last = whole.receipt.n
    for asked in ([], [0], [last + 1], [3, 3], [4, 3], list(range(1, 4098))):
        with pytest.raises(Refused, match="malformed"):
            await bert.wire.ask(m.Contents(bert.wire.rid(), room, asked), m.ContentsReply)


async def test_attack_who_was_removed_fetches_no_content_of_later(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await anna.sync(room)
    await anna.submit(anna.drafter(room).remove(bert.uid))
    await anna.sync(room)
    placed = await anna.push(room, TEXT)
    with pytest.raises(Refused, match="malformed"):
        await bert.wire.ask(m.Contents(bert.wire.rid(), room, [placed.first]), m.ContentsReply)
    got = await bert.wire.ask(m.Contents(bert.wire.rid(), room, [placed.first - 1]), m.ContentsReply)
    assert len(got.items) == 1


@pytest.mark.parametrize("limit", [1, 5_000, 40_000])
async def test_a_pull_never_cuts_a_batch(house: House, limit: int) -> None:
    anna, bert, room = await house.two_in_a_room()
    for _ in range(3):
        await anna.push(room, *[TEXT] * 20)
        await anna.sync(room)
    stream = bert.rooms[room]
    while True:
        got = await bert.wire.ask(m.Pull(bert.wire.rid(), room, stream.n, limit), m.Items)
        if not got.items:
            break
        assert got.items[-1].sig
        stream.accept([Item.of(i) for i in got.items], bert.book)
    assert stream.n == got.receipt.n
