# SPDX-License-Identifier: EUPL-1.2
"""Attacks on the server by a member or a colleague: to fill it, or to keep out the entry that would remove them."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sync.crypto.kdf import H
from sync.ids import DevId, Uid
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.objects.base import Objects
from sync.server.process.running import start_server
from sync.server.rules import room_requests as rooms_module
from sync.server.rules import rotation_limit, staging
from sync.server.rules.blob_parts import _Slots
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.quotas import Quotas, senders, today
from sync.server.rules.refusal import Refusal
from sync.server.rules.staging import Staging
from sync.server.rules.uploads import Uploads
from sync.server.store.base import Tally, UploadRow
from sync.server.store.memory import MemoryStore
from sync.trust.formats.items import Role
from sync.trust.keys.merkle import root
from tests.sync.server.house import House
from tests.sync.server.test_rules_of_the_server import entry_by, refused
from tests.sync.server.wire import Person, Refused, config
from tests.world import until

ROOM = bytes(16)


def who(name: bytes) -> Who:
    return Who(Uid(name * 16), DevId(name * 16))


def put(into: Staging, by: Who, *seals: bytes, at: bytes | None = None, start: int = 0) -> bytes:
    name = at or root(seals)
    into.put(by, m.PutSeals(1, ROOM, name, start, list(seals)))
    return name


def test_attack_many_uploads_push_out_nobody_elses_seals() -> None:
    into, mine, other = Staging(Limits()), who(b"a"), who(b"b")
    put(into, mine, b"seal")
    for _ in range(10_000):
        put(into, other, at=os.urandom(32))
    assert len(into._uploads) == 1 + staging._MAX_OF_A_DEVICE
    assert into.one(mine, ROOM, H(b"seal")) == b"seal"


def devices(count: int) -> list[Who]:
    """So many devices of one person."""
    return [Who(Uid(b"a" * 16), DevId(bytes((n,)) * 16)) for n in range(count)]


def fill(into: Staging, by: Who) -> int:
    """Uploads seals of 64 KiB each until the server refuses one. Returns the bytes of those that were taken."""
    taken, name = 0, os.urandom(32)
    while True:
        try:
            put(into, by, *[bytes(4032)] * 16, at=name, start=taken // 4032)
        except Refusal:
            return taken
        taken += 16 * 4032


def test_attack_ten_devices_of_one_person_stage_no_more_seals_than_three_and_keep_none_from_the_others() -> None:
    limit = 1024 * 1024
    into, theirs = Staging(Limits(staged_seals_bytes=limit)), devices(11)
    assert sum(fill(into, by) for by in theirs[:10]) <= 3 * limit + 7 * limit // 16
    own = put(into, theirs[10], b"seal")
    assert into.one(theirs[10], ROOM, H(b"seal")) == b"seal"
    assert own
    for stolen in theirs[:3]:
        into.forget(stolen.dev)
    assert fill(into, theirs[10]) > limit // 2


async def test_attack_ten_devices_of_one_person_send_no_more_in_a_day_than_three() -> None:
    store, limits = MemoryStore(), Limits(device_bytes_a_day=1600)
    theirs = devices(11)

    async def send_all(by: Who) -> int:
        sent, quotas = 0, Quotas(store, limits)  # made again each time: a restart changes nothing
        while True:
            try:
                await quotas.check_device(by, 50)
            except Refusal:
                return sent
            await store.count(dict.fromkeys(senders(by), 50), today())
            quotas.note(by, 50)
            sent += 50

    assert sum([await send_all(by) for by in theirs[:10]]) == 3 * 1600 + 7 * 100
    assert await send_all(theirs[10]) == 100, "a part is its own, whatever the others use"
    assert await send_all(who(b"b")) == 1600


async def test_attack_a_day_that_stolen_devices_used_up_holds_up_no_removal() -> None:
    store, by = MemoryStore(), who(b"a")
    quotas = Quotas(store, Limits(device_bytes_a_day=1000))
    await store.count(dict.fromkeys(senders(by), 3000), today())
    with pytest.raises(Refusal, match="quota"):
        await quotas.check_device(by, 1)
    await quotas.check(cast("LiveRoom", None), by, 1, ends=True)


def test_attack_ten_devices_of_one_person_have_no_more_unfinished_parts_than_three() -> None:
    uploads = Uploads(MemoryStore(), cast("Objects", None), Limits(device_uploads=8))
    kept: dict[bytes, int] = {}
    for by in devices(10):
        for n in range(12):
            name = (ROOM, by.dev, bytes((n,)) * 16)
            for gone in uploads._surplus(by, name):
                assert uploads._rows.pop(gone).dev == by.dev, "another device could not send"
            uploads._rows[name] = UploadRow(
                room=ROOM, obj=by.dev, part=name[2], uid=by.uid, dev=by.dev, held_bytes=1, since=n
            )
        kept[by.dev] = sum(row.dev == by.dev for row in uploads._rows.values())
    assert list(kept.values()) == [8, 8, 8, 1, 1, 1, 1, 1, 1, 1]


async def test_attack_ten_devices_of_one_person_have_no_more_requests_for_parts_at_work_than_three() -> None:
    slots, at_work, go = _Slots(8), list[bytes](), asyncio.Event()

    async def ask(by: Who) -> None:
        async with slots.one(by.dev):
            at_work.append(by.dev)
            await go.wait()

    theirs = [asyncio.ensure_future(ask(by)) for by in devices(10) for _ in range(8)]
    await until(lambda: len(at_work) == 3 * 8 + 7)
    theirs[-1].cancel()
    await asyncio.gather(theirs[-1], return_exceptions=True)
    assert len(at_work) == 3 * 8 + 7
    go.set()
    await asyncio.gather(*theirs[:-1])
    assert len(at_work) == 79
    assert not slots._waiting
    assert not slots._at_work.total()


def test_attack_empty_seals_cost_too() -> None:
    into, by, name = Staging(Limits(staged_seals_bytes=1024 * 1024)), who(b"a"), os.urandom(32)
    for start in range(0, 16_000, 1000):
        put(into, by, *[b""] * 1000, at=name, start=start)
    with pytest.raises(Refusal, match="quota"):
        put(into, by, *[b""] * 1000, at=name, start=16_000)
    assert sum(len(u.seals) for u in into._uploads.values()) * staging._SEAL_BYTES <= 1024 * 1024


def test_attack_names_of_uploads_are_names() -> None:
    into = Staging(Limits())
    for room, name in ((bytes(1024), bytes(32)), (ROOM, bytes(1024))):
        with pytest.raises(Refusal, match="seals"):
            into.put(who(b"a"), m.PutSeals(1, room, name, 0, []))
    assert not into._uploads


def test_attack_each_seal_is_hashed_once_however_often_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    into, by, name, hashed = Staging(Limits()), who(b"a"), os.urandom(32), [0]

    def counted(*parts: bytes) -> bytes:
        hashed[0] += 1
        return H(*parts)

    monkeypatch.setattr(staging, "H", counted)
    seals = [b"%d" % k for k in range(1000)]
    put(into, by, *seals, *[b"same"] * 1000, at=name)
    for _ in range(64):
        assert into.one(by, ROOM, H(seals[-1])) == seals[-1]
    put(into, by, b"more", at=name, start=2000)
    assert into.one(by, ROOM, H(b"more")) == b"more"
    assert hashed[0] == 2001


def test_attack_more_seals_than_a_room_has_recipients_are_not_even_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    into, by, seals = Staging(Limits()), who(b"a"), [b"x"] * 100
    name = put(into, by, *seals)
    epoch = SimpleNamespace(root=name, count=100, e=2)
    assert into.of_epoch(by, ROOM, epoch, 100) == seals  # type: ignore[arg-type]  # of an epoch these are read
    monkeypatch.setattr("sync.trust.keys.merkle.root", None)
    with pytest.raises(Refusal, match="seals"):
        into.of_epoch(by, ROOM, epoch, 99)  # type: ignore[arg-type]


def test_what_was_used_or_dropped_is_not_counted_any_more() -> None:
    into, by = Staging(Limits()), who(b"a")
    put(into, by, b"seal")
    put(into, by, b"other")
    into.done(by, ROOM)
    assert not into._uploads
    assert not into._by_dev


async def test_attack_rotations_do_not_flood_a_room(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can a writer who asks again and again for a key that they have: once an hour, and others may still rotate."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.add(room, carl)
    for person in (bert, carl):
        person.rings[room] = anna.rings[room]

    async def rotate(by: Person) -> None:
        await by.sync(room)
        await by.submit(by.drafter(room).rotate())
        await by.sync(room)
        bert.rings[room] = carl.rings[room] = by.rings[room]

    async def ask_and_wait(by: Person) -> None:
        await by.sync(room)
        await by.append(by.drafter(room).cannot_open(by.rooms[room].epoch))
        later[0] += rotation_limit._HEAL_MS

    later, began = [0], now_ms()
    monkeypatch.setattr(rotation_limit, "now_ms", lambda: began + later[0])
    await rotate(bert)
    with pytest.raises(Refused, match="busy rotation"):
        await rotate(bert)
    await ask_and_wait(bert)
    await rotate(bert)
    await ask_and_wait(bert)
    with pytest.raises(Refused, match="busy rotation"):
        await rotate(bert)
    await rotate(carl)
    later[0] += rotation_limit._ROTATION_MS
    await rotate(bert)


async def race(house: House, late: Person, early: Person, gone: Person, room: bytes) -> None:
    """`late` tries to remove `gone`, but `early` was faster with a small entry."""
    for person in (late, early):
        await person.sync(room)
    draft = late.drafter(room).remove(gone.uid)
    await early.append(entry_by(early, room, "note", [b"x"]))
    with pytest.raises(Refused, match="conflict"):
        await late.submit(draft)


async def three(house: House) -> tuple[Person, Person, Person, bytes]:
    """An owner, an administrator and a writer."""
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person()
    await anna.add(room, carl)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).set_role(bert.uid, Role.ADMIN))
    for person in (bert, carl):
        await person.sync(room)
        person.rings[room] = anna.rings[room]
    return anna, bert, carl, room


async def test_attack_an_administrator_reserves_no_slot_against_an_owner(house: House) -> None:
    anna, bert, carl, room = await three(house)
    await race(house, bert, anna, carl, room)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).remove(bert.uid))


async def test_attack_an_unused_reserved_slot_is_not_given_again_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert, carl, room = await three(house)
    dora = await house.person()
    await anna.add(room, dora)
    await anna.sync(room)
    await anna.submit(anna.drafter(room).set_role(dora.uid, Role.ADMIN))
    for person in (bert, carl, dora):
        await person.sync(room)
    dora.rings[room] = anna.rings[room]
    await race(house, bert, anna, carl, room)
    await dora.sync(room)
    await refused(dora, entry_by(dora, room, "note", [b"y"]), "busy")
    began = now_ms()
    monkeypatch.setattr(rotation_limit, "now_ms", lambda: began + rotation_limit._SLOT_MS + 1)
    await race(house, bert, anna, carl, room)  # bert again, a minute later
    await dora.sync(room)
    await dora.submit(dora.drafter(room).remove(bert.uid))


async def test_attack_one_member_pushes_out_nobodys_seals(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, bert, carl, room = await three(house)
    good = os.urandom(1200)
    await anna.wire.ask(m.Reseal(anna.wire.rid(), room, 1, carl.uid, good), m.Ok)
    for i in range(20):
        bad = m.Reseal(bert.wire.rid(), room, 1, carl.uid, os.urandom(1200))
        if i == 0:
            await bert.wire.ask(bad, m.Ok)
            continue
        with pytest.raises(Refused, match="busy reseal"):
            await bert.wire.ask(bad, m.Ok)
    held = (await carl.wire.ask(m.SealRequest(carl.wire.rid(), room, 1), m.SealReply)).seals
    assert good in held
    monkeypatch.setattr(rooms_module, "_RESEAL_S", 0.0)
    await bert.wire.ask(m.Reseal(bert.wire.rid(), room, 1, carl.uid, good), m.Ok)


async def test_attack_seals_count_as_what_a_room_and_a_device_use(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    live = house.server.service.live.at_hand(room)
    assert live is not None
    before = live.size_bytes
    draft = anna.drafter(room).rotate()
    await anna.submit(draft)
    assert live.size_bytes - before >= sum(map(len, draft.seals))


async def test_attack_a_member_who_filled_the_room_can_still_be_removed(data: Path) -> None:
    async with start_server(config(data, replace(Limits(), room_bytes=20_000))) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        live = server.service.live.at_hand(room)
        assert live is not None
        while live.size_bytes < 18_500:
            await bert.append(entry_by(bert, room, "note", [bytes(1000)]))
            await bert.sync(room)
        await anna.sync(room)
        await refused(anna, entry_by(anna, room, "note", [bytes(1000)]), "quota")
        await anna.submit(anna.drafter(room).remove(bert.uid))
        await house.close()


async def test_attack_seals_that_are_given_again_count_in_the_devices_day(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's own room has thousands of epochs, and each can be sealed again for each member."""
    monkeypatch.setattr(rooms_module, "_RESEAL_S", 0.0)
    async with start_server(config(data, Limits(device_bytes_a_day=60_000))) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        with pytest.raises(Refused, match="quota device"):  # noqa: PT012 - as many as are taken
            for _ in range(20):
                await anna.wire.ask(m.Reseal(anna.wire.rid(), room, 1, bert.uid, os.urandom(4096)), m.Ok)
        store = server.store
        for tally in (Tally("device", anna.author.dev), Tally("person", anna.uid)):  # a restart keeps the counts
            assert await store.counted(tally, today()) > 50_000
        await house.close()
