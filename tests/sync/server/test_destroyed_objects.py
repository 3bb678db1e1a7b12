# SPDX-License-Identifier: EUPL-1.2
"""What the server has of a destroyed object is gone from its disk: the share, the content and the parts of files."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.crypto.kdf import H
from sync.protocol import messages as m
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import start_server
from sync.server.store.base import BlobRow, ShareRow, Store
from tests.sync.server.house import TEXT, House
from tests.sync.server.store_rows import OTHER, ROOM, placement, store
from tests.sync.server.test_blob_parts import digest, http
from tests.sync.server.wire import Person, Refused, config
from tests.world import until

__all__ = ["store"]  # a fixture

OBJ = b"o" * 16


def url(room: bytes, part: bytes, obj: bytes = OBJ) -> str:
    return f"/v1/blobs/{room.hex()}/{obj.hex()}/{part.hex()}"


def on_disk(data: Path, needle: bytes) -> list[str]:
    """The files below `data` that have these bytes."""
    return [path.name for path in data.rglob("*") if path.is_file() and needle in path.read_bytes()]


async def destroy(who: Person, room: bytes, obj: bytes = OBJ) -> m.Placed:
    await who.sync(room)
    return await who.submit(who.drafter(room).destroy(obj, H(b"rule"), H(b"decision")))


async def is_gone(house: House) -> None:
    """Waits until the server has deleted everything that entries allow to be deleted."""
    service = house.server.service
    await until(lambda: not service.pruning.is_busy)


async def written(house: House, anna: Person, room: bytes) -> tuple[m.Push, bytes, bytes]:
    """Writes a message and a part of a file in the object. Returns the message, its ciphertext, and the part's
    bytes."""
    push, part = anna.sealed(room, TEXT, obj=OBJ), os.urandom(9000)
    await anna.wire.ask(push, m.Placed)
    async with http(house, anna) as a:
        put = await a.put(url(room, b"p" * 16), content=part, headers={"repr-digest": digest(part)})
        assert put.status_code == 201
    (ct,) = push.cts
    return push, ct, part


async def test_what_is_destroyed_is_on_the_servers_disk_no_more(data: Path) -> None:
    """Neither the share, without which no epoch's key opens anything, nor the content."""
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        push, ct, part = await written(house, anna, room)
        await anna.sync(room)
        kept = anna.sealed(room, "det här står kvar", obj=b"k" * 16)
        await anna.wire.ask(kept, m.Placed)
        before = await server.service.rooms.room_bytes(room)
        await destroy(anna, room)
        await is_gone(house)
        assert await server.service.rooms.room_bytes(room) < before - 9000 + 500  # the entry itself
        assert await shares(bert, room) == []
        async with http(house, bert) as b:
            assert (await b.get(url(room, b"p" * 16))).status_code == 404
        await house.close()
    for needle in (push.shares[0].share, ct, part):
        assert on_disk(data, needle) == []
    assert on_disk(data, kept.cts[0]) != []
    faults: list[Any] = []
    verify(data, faults.append, lambda _: None)
    assert faults == []


async def test_an_interrupted_destroy_is_continued_at_the_next_start(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        push, ct, part = await written(house, anna, room)
        with monkeypatch.context() as cut:
            cut.setattr("sync.server.rules.pruned_content.Pruning.begin", lambda *_: None)
            await destroy(anna, room)
        await house.close()
    assert on_disk(data, ct) != []
    async with start_server(config(data)) as server:
        await until(lambda: not server.service.pruning.is_busy)
    for needle in (push.shares[0].share, ct, part):
        assert on_disk(data, needle) == []


async def test_attack_a_destroyed_object_takes_no_part_of_a_file(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    await written(house, anna, room)
    part = os.urandom(9000)

    def piece(start: int, end: int) -> dict[str, str]:
        return {"repr-digest": digest(part), "content-range": f"bytes {start}-{end - 1}/{len(part)}"}

    async with http(house, bert) as b:
        begun = await b.put(url(room, b"q" * 16), content=part[:4000], headers=piece(0, 4000))
        assert begun.status_code == 202
        await destroy(anna, room)
        await is_gone(house)
        for start, end in ((4000, 9000), (0, 9000)):
            more = await b.put(url(room, b"q" * 16), content=part[start:end], headers=piece(start, end))
            assert more.status_code == 403
        elsewhere = await b.put(url(room, b"q" * 16, b"e" * 16), content=part, headers=piece(0, 9000))
        assert elsewhere.status_code == 201
    assert on_disk(house.data, part[:4000]) == [(b"q" * 16).hex()]


@pytest.mark.parametrize("is_lost", [False, True], ids=["new", "lost-in-a-restore"])
async def test_a_part_that_is_finished_while_its_object_is_destroyed_is_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch, *, is_lost: bool
) -> None:
    """Also one whose row the server has: a client uploads its bytes again, since a backup had only the row."""
    anna, bert, room = await house.two_in_a_room()
    _, _, part = await written(house, anna, room)
    if is_lost:
        (path,) = [path for path in house.data.rglob("*") if path.is_file() and part in path.read_bytes()]
        path.unlink()
    name, part = (b"p" * 16, part) if is_lost else (b"q" * 16, os.urandom(9000))
    go_on, reached = asyncio.Event(), asyncio.Event()
    finish = FilesystemObjects.finish

    async def slow(*args: Any) -> int:
        size = await finish(*args)
        reached.set()
        await go_on.wait()
        return size

    monkeypatch.setattr(FilesystemObjects, "finish", slow)
    async with http(house, bert) as b:
        sending = asyncio.ensure_future(b.put(url(room, name), content=part, headers={"repr-digest": digest(part)}))
        await reached.wait()
        await destroy(anna, room)
        await is_gone(house)
        go_on.set()
        assert (await sending).status_code == 403
    assert on_disk(house.data, part) == []


async def test_attack_a_member_who_is_no_administrator_destroys_nothing(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    push, _, _ = await written(house, anna, room)
    bert.rings[room] = anna.rings[room]
    with pytest.raises(Refused, match="forbidden"):
        await destroy(bert, room)
    with pytest.raises(Refused, match="invalid object"):
        await destroy(anna, room, b"x" * 16)
    with pytest.raises(Refused, match="forbidden"):
        await destroy(anna, room, room)
    assert await shares(bert, room) == [push.shares[0]]


async def shares(who: Person, room: bytes) -> list[m.WireShare]:
    return (await who.wire.ask(m.ShareRequest(who.wire.rid(), room, [OBJ]), m.ShareReply)).shares


async def test_what_is_stored_of_an_object_is_forgotten_and_no_other(store: Store) -> None:
    row = ShareRow(obj=OBJ, n=1, share_c=b"c" * 32, share=b"s" * 32)
    await store.place(placement(0, shares=[row, replace(row, obj=b"k" * 16)]))
    await store.place(placement(0, room=OTHER, shares=[row]))
    blob = BlobRow(room=ROOM, obj=OBJ, part=b"p" * 16, size_bytes=70, sha256=b"h" * 32)
    for each in (blob, replace(blob, part=b"q" * 16), replace(blob, obj=b"k" * 16), replace(blob, room=OTHER)):
        await store.add_blob(each, (), 3, 0)
    before = await store.room(ROOM)
    assert before is not None
    await store.forget_share(ROOM, OBJ)
    await store.forget_share(ROOM, b"n" * 16)
    kept = await store.shares(ROOM, [OBJ, b"k" * 16])
    assert {h.obj: h.share for h in kept} == {OBJ: None, b"k" * 16: b"s" * 32}
    assert [h.share for h in await store.shares(OTHER, [OBJ])] == [b"s" * 32]
    assert {b.part for b in await store.blobs_of(ROOM, OBJ)} == {b"p" * 16, b"q" * 16}
    assert [await store.forget_blobs(ROOM, OBJ) for _ in range(2)] == [140, 0]
    after = await store.room(ROOM)
    assert after is not None
    assert after.size_bytes == before.size_bytes - 140
    assert await store.blobs_of(ROOM, OBJ) == []
    assert await store.blob(ROOM, b"k" * 16, b"p" * 16) is not None
    assert await store.blob(OTHER, OBJ, b"p" * 16) is not None
