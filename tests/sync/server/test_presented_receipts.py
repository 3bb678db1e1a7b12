# SPDX-License-Identifier: EUPL-1.2
"""Receipts that devices present at sign-in, over real sockets: a server that was set back notices, and is crashed or
questioned by none of them."""

import logging
import shutil
from pathlib import Path

import msgspec
import pytest

from sync.crypto.signatures import SigningKey
from sync.ids import RoomId
from sync.protocol import messages as m
from sync.protocol.version import MAX_RECEIPTS
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.server.process.running import start_server
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Counts
from sync.trust.room import signed_receipts
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import Person, Refused, config


def signed(key: SigningKey, room: bytes, n: int, rh: bytes, t: int = 1) -> m.Receipt:
    return m.Receipt(room, n, rh, t, signed_receipts.sign(key, room, n, rh, t))


async def again(house: House, person: Person, brought: list[m.Receipt]) -> m.Authed:
    """Signs the person in again with these receipts."""
    await person.wire.close()
    return await person.connect(house.server.url, house.data, brought)


async def counts(data: Path) -> tuple[int, int]:
    found: Counts = await admin.status(data)
    return found.rooms_behind, found.rooms_forked


async def test_the_newest_receipt_of_an_honest_server_is_not_unmatched(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    old = (await anna.push(room, TEXT)).receipt
    await anna.sync(room)
    new = (await anna.push(room, "två")).receipt
    for brought in ([new], [old], [old, new], []):
        authed = await again(house, anna, brought)
        assert [h.receipt for h in authed.rooms] == [new]
    assert await counts(house.data) == (0, 0)


async def test_a_server_whose_database_was_set_back_sees_it_by_a_clients_receipt(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    anna, _, room = await house.two_in_a_room()
    copy = tmp_path / "copy"
    shutil.copytree(house.data, copy)
    receipt = (await anna.push(room, TEXT)).receipt
    await anna.wire.close()
    with caplog.at_level(logging.INFO, "sync.server"):
        async with start_server(config(copy)) as older:
            authed = await anna.connect(older.url, copy, [receipt])
            assert authed.rooms[0].receipt.n == receipt.n - 1
            assert await counts(copy) == (1, 0)
            await anna.wire.close()
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == ["a device holds our receipts for positions that are not here, rooms: 1"]
    assert room.hex() not in caplog.text


async def test_a_room_that_is_gone_is_seen_by_the_receipt_of_one_who_was_in_it(house: House, tmp_path: Path) -> None:
    anna = await house.person()
    copy = tmp_path / "copy"
    shutil.copytree(house.data, copy)
    room = await anna.create()
    head = (await anna.push(room, TEXT)).receipt
    await anna.wire.close()
    async with start_server(config(copy)) as older:
        assert (await anna.connect(older.url, copy, [head])).rooms == []
        assert await counts(copy) == (1, 0)
        await anna.wire.close()


async def test_a_receipt_for_another_history_is_counted_apart(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    key = read_identity(house.data, now_ms()).key
    at = await anna.push(room, TEXT)
    await again(house, anna, [signed(key, room, at.first, b"x" * 32)])
    assert await counts(house.data) == (0, 1)


async def test_what_a_restored_server_gets_back_is_counted_no_more(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    key = read_identity(house.data, now_ms()).key
    n = anna.rooms[room].n + 5
    await again(house, anna, [signed(key, room, n, b"x" * 32), signed(key, room, n - 1, b"y" * 32)])
    assert await counts(house.data) == (1, 0)
    for _ in range(5):
        await anna.push(room, TEXT)
        await anna.sync(room)
    assert await counts(house.data) == (0, 1)  # the position is there now, with another hash


async def test_attack_hostile_receipts_neither_crash_the_server_nor_reveal_rooms_of_others(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    carl = await house.person("Enhetschef")
    key, stranger = read_identity(house.data, now_ms()).key, SigningKey(bytes(32))
    true = (await anna.push(room, TEXT)).receipt
    change = msgspec.structs.replace
    hostile = [
        signed(stranger, room, true.n + 1, b"x" * 32),
        change(true, n=true.n + 7),
        change(true, room=b"q" * 16),
        change(true, n=-1),
        change(true, n=2**64 - 1),
        change(true, t=-1),
        change(true, rh=b""),
        change(true, sig=b""),
        change(true, room=b""),
        change(true, room=b"r" * 100_000),
    ]
    for brought in (hostile, hostile[::-1], *[[h] for h in hostile]):
        assert (await again(house, carl, brought)).rooms == []
        assert [h.receipt for h in (await again(house, anna, brought)).rooms] == [true]
    assert await counts(house.data) == (0, 0)
    plain = await again(house, carl, [])
    for known in (
        true,
        signed(key, RoomId(b"n" * 16), 4, b"x" * 32),
    ):  # of a room that is there, and of one that is not
        assert msgspec.structs.replace(await again(house, carl, [known]), rid=plain.rid) == plain
    assert bert.uid != carl.uid


async def test_attack_a_list_of_receipts_that_is_too_long_ends_the_connection(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    true = (await anna.push(room, TEXT)).receipt
    await anna.wire.close()
    with pytest.raises((Refused, ConnectionError)):
        await anna.connect(house.server.url, house.data, [true] * (MAX_RECEIPTS + 1))
    last = await anna.wire.end()
    assert last is not None
    assert last.code == "oversize"
    await anna.wire.close()
    authed = await anna.connect(house.server.url, house.data, [true] * MAX_RECEIPTS)
    assert [h.receipt for h in authed.rooms] == [true]
