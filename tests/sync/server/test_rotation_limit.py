# SPDX-License-Identifier: EUPL-1.2
"""Ways around the hour between two rotations by writers, and ways to hold a room by reserved slots."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sync.crypto.encoding import dec, enc
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.process.running import start_server
from sync.server.rules import entry_limits, rotation_limit
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Full, Placement
from sync.trust.formats.items import ENTRY, Role, item_id
from sync.trust.room import entry_drafts
from sync.trust.room.entries import DOMAIN
from sync.trust.room.entry_drafts import Draft, Drafter
from sync.trust.room.stream import RoomStream
from tests.sync.server.house import TEXT, House
from tests.sync.server.test_rules_of_the_server import entry_by, refused
from tests.sync.server.wire import Person, Refused, config, now

Later = Callable[[int], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves the clock of the limits on."""
    began = [now_ms()]

    def move(ms: int) -> None:
        began[0] += ms

    monkeypatch.setattr(rotation_limit, "now_ms", lambda: began[0])
    return move


async def a_writer(house: House) -> tuple[Person, Person, bytes]:
    """An owner, and a writer who has the room's keys."""
    anna, bert, room = await house.two_in_a_room()
    await bert.sync(room)
    bert.rings[room] = anna.rings[room]
    return anna, bert, room


def drop(house: House, room: bytes) -> None:
    """Drops a room from memory, as a request that is refused late does."""
    live = house.server.service.live.at_hand(room)
    assert live is not None
    house.server.service.live.forget(live)


def behind(by: Person, room: bytes, first: Draft) -> Draft:
    """A rotation that is sent together with an entry before it."""
    stream = RoomStream.from_bytes(by.rooms[room].to_bytes())
    stream.place(ENTRY, [(*first.entries[0], None)], now(), by.book, lambda n: None)
    draft = Drafter(stream, by.author, by.book, by.rings[room], now()).rotate()
    parts = dec(draft.entries[0][0], limit=1 << 20)
    assert isinstance(parts, list)
    parts[6] = [by.rooms[room].n, by.rooms[room].rh]  # the server gives the entry before it another time
    body = enc(parts)
    entry = body, by.author.signing.sign(DOMAIN, item_id(ENTRY, body))
    return replace(draft, entries=[*first.entries, entry])


@pytest.mark.parametrize("kind", ["note", "cannot_open"])
async def test_attack_a_rotation_behind_another_entry_begins_the_hour_too(house: House, kind: str) -> None:
    _, bert, room = await a_writer(house)

    def first() -> Draft:
        return entry_by(bert, room, "note", [b"x"]) if kind == "note" else bert.drafter(room).cannot_open(1)

    await bert.submit(behind(bert, room, first()))
    await bert.sync(room)
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(behind(bert, room, first()))
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(bert.drafter(room).rotate())


async def test_attack_a_room_that_is_dropped_from_memory_forgets_no_rotation(house: House) -> None:
    """A batch with a share of no object is refused so late that the room is read again."""
    _, bert, room = await a_writer(house)
    await bert.submit(bert.drafter(room).rotate())
    await bert.sync(room)
    before = house.server.service.live.at_hand(room)
    wrong = bert.sealed(room, TEXT)
    wrong.shares.append(m.WireShare(b"o" * 16, bytes(32)))
    with pytest.raises(Refused, match="invalid shares"):
        await bert.wire.ask(wrong, m.Placed)
    assert house.server.service.live.at_hand(room) is not before
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(bert.drafter(room).rotate())


async def test_attack_a_room_that_others_push_out_of_memory_forgets_no_rotation(data: Path) -> None:
    async with start_server(config(data, Limits(rooms_in_memory=1))) as server:
        house = House(server, data)
        _, bert, room = await a_writer(house)
        await bert.submit(bert.drafter(room).rotate())
        await bert.create()
        assert server.service.live.at_hand(room) is None
        await bert.sync(room)
        with pytest.raises(Refused, match="busy rotation"):
            await bert.submit(bert.drafter(room).rotate())
        await house.close()


async def test_attack_rooms_whose_beginning_is_refused_let_no_rotation_be_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is in memory for a moment. Nobody must be able to forget every room's limits with ten thousand of them."""
    monkeypatch.setattr(entry_limits, "_MOST", 3)
    _, bert, room = await a_writer(house)
    await bert.submit(bert.drafter(room).rotate())
    await bert.sync(room)
    for _ in range(4):
        with pytest.raises(Refused, match="seals"):
            await bert.append(entry_drafts.new_room(bert.author, bert.book, now()))
    drop(house, room)
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(bert.drafter(room).rotate())


async def test_of_the_rooms_whose_rotations_are_remembered_the_one_that_was_used_last_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_limits, "_MOST", 2)
    _, bert, room = await a_writer(house)
    await bert.submit(bert.drafter(room).rotate())
    for _ in range(3):
        await bert.create()
        await bert.sync(room)
    drop(house, room)
    with pytest.raises(Refused, match="busy rotation"):
        await bert.submit(bert.drafter(room).rotate())


async def test_a_rotation_that_could_not_be_stored_is_not_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bert, room = await a_writer(house)

    def full(placement: Placement, ahead: object = None) -> asyncio.Future[None]:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(Full("the disk is full or failing"))
        return failed

    with monkeypatch.context() as disk:
        disk.setattr(house.server.store, "place", full)
        with pytest.raises(Refused, match="full"):
            await bert.submit(bert.drafter(room).rotate())
    await bert.submit(bert.drafter(room).rotate())


# -- reserved slots -----


async def administrators(house: House, count: int) -> tuple[Person, list[Person], Person, bytes]:
    """An owner, administrators and a writer."""
    anna, carl, room = await a_writer(house)
    out = [await house.person() for _ in range(count)]
    for person in out:
        await anna.add(room, person)
        await anna.submit(anna.drafter(room).set_role(person.uid, Role.ADMIN))
        await anna.sync(room)
    for person in (*out, carl):
        await person.sync(room)
        person.rings[room] = anna.rings[room]
    return anna, out, carl, room


async def reserve(late: Person, room: bytes, stale: Draft) -> None:
    """Sends a removal that was drafted before the room's newest entry."""
    with pytest.raises(Refused, match="conflict"):
        await late.submit(stale)


async def stale_removals(anna: Person, by: Sequence[Person], gone: Person, room: bytes) -> list[Draft]:
    drafts = [person.drafter(room).remove(gone.uid) for person in by]
    await anna.append(entry_by(anna, room, "note", [b"x"]))
    return drafts


async def test_attack_two_administrators_in_turn_do_not_hold_the_room(house: House, later: Later) -> None:
    anna, two, carl, room = await administrators(house, 2)
    stale = await stale_removals(anna, two, carl, room)
    minute = rotation_limit._SLOT_MS
    for person, draft in zip(two, stale, strict=True):
        await reserve(person, room, draft)
        await carl.sync(room)
        await refused(carl, entry_by(carl, room, "note", [b"y"]), "busy")
        later(minute)
    for person, draft in zip(two, stale, strict=True):
        await reserve(person, room, draft)
        await carl.sync(room)
        await carl.append(entry_by(carl, room, "note", [b"y"]))
    later(minute)
    await reserve(two[0], room, stale[0])
    await carl.sync(room)
    await refused(carl, entry_by(carl, room, "note", [b"y"]), "busy")


async def test_a_slot_that_one_administrator_let_pass_keeps_no_other_from_the_next(house: House, later: Later) -> None:
    anna, (bert, dora), carl, room = await administrators(house, 2)
    stale = await stale_removals(anna, (bert, dora), carl, room)
    await reserve(bert, room, stale[0])
    later(rotation_limit._SLOT_MS)
    await reserve(dora, room, stale[1])
    await carl.sync(room)
    await refused(carl, entry_by(carl, room, "note", [b"y"]), "busy")
    await dora.sync(room)
    await dora.submit(dora.drafter(room).remove(carl.uid))


async def test_attack_an_administrator_uses_a_slot_by_the_removal_alone(house: House, later: Later) -> None:
    """Otherwise an entry of any kind just before the minute is over would make the next slot theirs at once."""
    anna, (bert,), carl, room = await administrators(house, 1)
    (stale,) = await stale_removals(anna, (bert,), carl, room)
    await reserve(bert, room, stale)
    await bert.sync(room)
    await bert.append(entry_by(bert, room, "note", [b"z"]))
    await carl.sync(room)
    await refused(carl, entry_by(carl, room, "note", [b"y"]), "busy")
    later(rotation_limit._SLOT_MS)
    await reserve(bert, room, stale)
    await carl.append(entry_by(carl, room, "note", [b"y"]))
