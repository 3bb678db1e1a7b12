# SPDX-License-Identifier: EUPL-1.2
"""Unfinished uploads: counted, few, swept, and never removed while a client writes them."""

import asyncio
import itertools
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.protocol import messages as m
from sync.server.config import Config, Limits
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.process.running import start_server
from sync.server.rules import uploads as uploads_module
from sync.server.rules.handshake import now_ms
from sync.server.rules.uploads import Uploads
from sync.server.store.base import Full, Tally
from tests.sync.server.hostile import Line, line
from tests.sync.server.house import House
from tests.sync.server.test_blob_parts import digest, http, url
from tests.sync.server.wire import Person, config
from tests.world import until

MIB = 1024 * 1024
TOTAL = MIB + 1


async def begun(on: httpx.AsyncClient, at: str, held: int = MIB, total: int = TOTAL) -> httpx.Response:
    """Begins an upload whose last bytes are never sent."""
    headers = {"repr-digest": digest(bytes(total)), "content-range": f"bytes 0-{held - 1}/{total}"}
    return await on.put(at, content=bytes(held), headers=headers)


def on_disk(house: House) -> int:
    return sum(path.stat().st_size for path in (house.data / "blobs").rglob("*.part"))


@pytest.fixture
async def small(data: Path) -> AsyncIterator[House]:
    """A server where a room has 12 MiB, a device 10 MiB a day, and a test can end an upload's day at once."""
    limits = Limits(room_bytes=12 * MIB, device_bytes_a_day=10 * MIB)
    async with start_server(config(data, limits)) as server:
        made = House(server, data)
        yield made
        await made.close()


async def test_attack_unfinished_uploads_fill_no_disk(small: House) -> None:
    """The audit's attack: sixty parts of 1 MiB, each without its last byte."""
    anna, _, room = await small.two_in_a_room()
    async with http(small, anna) as a:
        codes = [(await begun(a, url(room))).status_code for _ in range(20)]
        refused = await begun(a, url(room))
        assert (refused.status_code, refused.json()) == (507, {"code": "quota"})
    assert codes == [202] * 9 + [507] * 11  # the tenth is more than is left of its device's day
    assert on_disk(small) == Limits().device_uploads * MIB


async def test_attack_what_is_unfinished_counts_in_the_room(small: House) -> None:
    anna, bert, room = await small.two_in_a_room()
    async with http(small, anna) as a, http(small, bert) as b:
        for _ in range(7):
            assert (await begun(a, url(room))).status_code == 202
        at = url(room)
        for _ in range(4):
            assert (await begun(b, url(room))).status_code == 202
        refused = await begun(b, at, held=3 * MIB // 2, total=2 * MIB)
        assert (refused.status_code, refused.json()) == (507, {"code": "quota"})
        service = small.server.service
        assert service.uploads.held(room, (b"", b"", b"")) == 11 * MIB


async def test_a_part_that_becomes_whole_is_counted_once(small: House) -> None:
    anna, _, room = await small.two_in_a_room()
    at, data, service = url(room), os.urandom(3 * MIB), small.server.service
    live = service.live.at_hand(room)
    assert live is not None
    before = live.size_bytes
    async with http(small, anna) as a:
        for start in range(0, 3 * MIB, MIB):
            span = f"bytes {start}-{start + MIB - 1}/{3 * MIB}"
            headers = {"repr-digest": digest(data), "content-range": span}
            put = await a.put(at, content=data[start : start + MIB], headers=headers)
        assert put.status_code == 201
        assert live.size_bytes - before == 3 * MIB
        assert await small.server.store.uploads() == []
        assert service.uploads.held(room, (b"", b"", b"")) == 0
        day = now_ms() // 86_400_000
        assert 3 * MIB <= await small.server.store.counted(Tally("device", anna.author.dev), day) < 3 * MIB + 10_000
        big = os.urandom(3 * MIB)
        for code in (201, 201, 507):  # in all 9 MiB of its 10; what is in memory counts too
            put = await a.put(url(room), content=big, headers={"repr-digest": digest(big)})
            assert put.status_code == code


async def test_attack_files_and_texts_are_of_one_day(small: House) -> None:
    """A device that has sent its day's files sends no more texts."""
    anna, _, room = await small.two_in_a_room()
    data = os.urandom(10 * MIB - 100_000)
    limits = small.server.service.limits
    async with http(small, anna) as a:
        for start in range(0, len(data), 4 * MIB):
            part = data[start : start + 4 * MIB]
            assert (await a.put(url(room), content=part, headers={"repr-digest": digest(part)})).status_code == 201
    with pytest.raises(Exception, match="quota device"):  # noqa: PT012 - at some text its day is full
        while True:
            await anna.push(room, "å" * 9000)
            await anna.sync(room)
    assert limits.device_bytes_a_day == 10 * MIB


async def test_attack_a_device_leaves_few_parts_unfinished_and_pushes_out_nobody_elses(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    kept = url(room)
    async with http(house, anna) as a, http(house, bert) as b:
        await begun(a, kept, held=1000)
        ours = [url(room) for _ in range(Limits().device_uploads + 3)]
        for at in ours:
            assert (await begun(b, at, held=1000)).status_code == 202
        offsets = [int((await b.head(at)).headers["upload-offset"]) for at in ours]
        assert offsets == [0] * 3 + [1000] * Limits().device_uploads
        assert (await a.head(kept)).headers["upload-offset"] == "1000"
        # … and one that is continued counts once
        whole = bytes(TOTAL)
        headers = {"repr-digest": digest(whole), "content-range": f"bytes 1000-{TOTAL - 1}/{TOTAL}"}
        assert (await b.put(ours[-1], content=whole[1000:], headers=headers)).status_code == 201


async def test_an_upload_is_swept_after_its_day_and_not_before(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Uploads) -> None: ...

    monkeypatch.setattr(Uploads, "tidy", never)  # only the test sweeps
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        async with http(house, anna) as a:
            await begun(a, url(room), held=1000)
        await server.service.uploads.sweep()
        assert on_disk(house) == 1000
        await house.close()
    async with start_server(config(data)) as server:  # the restarted server knows it
        uploads = server.service.uploads
        assert uploads.held(room, (b"", b"", b"")) == 1000
        later = now_ms() + 86_400_000 + 1000
        monkeypatch.setattr("sync.server.rules.uploads.now_ms", lambda: later)
        await uploads.sweep()
        assert on_disk(house) == 0
        assert await server.store.uploads() == []
        assert uploads.held(room, (b"", b"", b"")) == 0


async def test_what_a_killed_server_left_half_written_is_swept_too(data: Path) -> None:
    objects = FilesystemObjects(Config(data=data).blobs)
    for age_s, part in ((90_000, b"1" * 16), (80_000, b"2" * 16)):
        await objects.append(b"r" * 16, b"o" * 16, part, 0, b"half")
        path = next((data / "blobs").rglob(part.hex() + ".part"))
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age_s))
    (data / "blobs" / "72" / "notes.part").write_text("none of ours")
    async with start_server(config(data)):
        await until(lambda: len(list((data / "blobs").rglob("3*.part"))) == 1)
    assert (data / "blobs" / "72" / "notes.part").exists()


async def test_attack_a_sweep_takes_no_upload_that_is_being_written(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go = asyncio.Event(), asyncio.Event()

    class Slow(FilesystemObjects):
        async def finish(self, room: bytes, obj: bytes, part: bytes, sha256: bytes) -> int:
            writing.set()
            await go.wait()
            return await super().finish(room, obj, part, sha256)

    async with start_server(config(data), objects=Slow(Config(data=data).blobs)) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        content, at = os.urandom(2000), url(room)

        def piece(start: int, end: int) -> dict[str, str]:
            return {"repr-digest": digest(content), "content-range": f"bytes {start}-{end - 1}/2000"}

        async with http(house, anna) as a:
            await a.put(at, content=content[:1000], headers=piece(0, 1000))
            last = asyncio.ensure_future(a.put(at, content=content[1000:], headers=piece(1000, 2000)))
            await writing.wait()
            later = now_ms() + 10 * 86_400_000
            monkeypatch.setattr("sync.server.rules.uploads.now_ms", lambda: later)
            await server.service.uploads.sweep()
            for other in [url(room) for _ in range(Limits().device_uploads + 1)]:
                await begun(a, other, held=10)
            go.set()
            assert (await last).status_code == 201
            assert (await a.get(at)).content == content
        await house.close()


async def test_what_was_counted_and_not_written_is_taken_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, _, room = await house.two_in_a_room()
    uploads = house.server.service.uploads

    async def busy(*_: Any) -> None:
        raise Full("disk")

    async with http(house, anna) as a:
        with monkeypatch.context() as failing:
            failing.setattr(house.server.store, "put_upload", busy)
            at = url(room)
            assert (await begun(a, at, held=1000)).json() == {"code": "full"}
        assert uploads.held(room, (b"", b"", b"")) == 0
        assert on_disk(house) == 0
        assert (await begun(a, at, held=1000)).status_code == 202


async def test_a_part_that_does_not_match_its_digest_leaves_nothing(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    at, content = url(room), os.urandom(2000)
    async with http(house, anna) as a:
        for start, end in ((0, 1000), (1000, 2000)):
            headers = {"repr-digest": digest(b"other"), "content-range": f"bytes {start}-{end - 1}/2000"}
            put = await a.put(at, content=content[start:end], headers=headers)
        assert (put.status_code, put.json()) == (422, {"code": "invalid"})
        assert on_disk(house) == 0
        assert await house.server.store.uploads() == []


# -- requests for files


async def test_attack_a_device_has_few_requests_for_files_at_a_time(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a part in memory. A few more wait, the rest is refused."""
    monkeypatch.setattr("sync.server.rules.blob_parts._MOST_WAITING", 2)
    go, at_work = asyncio.Event(), [0]

    class Slow(FilesystemObjects):
        async def append(self, room: bytes, obj: bytes, part: bytes, offset: int, piece: bytes) -> int:
            at_work[0] += 1
            await go.wait()
            return await super().append(room, obj, part, offset, piece)

    limits = replace(Limits(), device_files=3)
    async with start_server(config(data, limits), objects=Slow(Config(data=data).blobs)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        async with http(house, anna) as a, http(house, bert) as b:
            body = os.urandom(100)
            put = {"content": body, "headers": {"repr-digest": digest(body)}}
            first = [asyncio.ensure_future(a.put(url(room), **put)) for _ in range(5)]  # type: ignore[arg-type]
            await until(lambda: at_work[0] == 3)
            slots = server.service.blobs._slots[anna.uid]
            await until(lambda: slots.users.total() == 5)
            refused = await a.put(url(room), **put)  # type: ignore[arg-type]
            assert (refused.status_code, refused.json()) == (429, {"code": "busy"})
            theirs = asyncio.ensure_future(b.put(url(room), **put))  # type: ignore[arg-type]
            await until(lambda: at_work[0] == 4)
            go.set()
            assert [(await each).status_code for each in (*first, theirs)] == [201] * 6
        assert server.service.blobs._slots == {}
        await house.close()


async def test_attack_a_device_that_asks_for_many_permits_takes_nobody_elses(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.rules.blob_parts._MAX_BEARERS", 20)
    anna, eve, room = await house.two_in_a_room()

    async def permit(of: Person) -> str:
        return (await of.wire.ask(m.BlobToken(of.wire.rid()), m.BlobTokenReply)).bearer

    hers = await permit(anna)
    theirs = [await permit(eve) for _ in range(30)]
    async with http(house) as anybody:
        for bearer, status in ((hers, 404), (theirs[0], 401), (theirs[-1], 404)):
            asked = await anybody.get(url(room), headers={"authorization": f"Bearer {bearer}"})
            assert asked.status_code == status
    blobs = house.server.service.blobs
    blobs.revoke(eve.author.dev)
    assert list(blobs._bearers) == [hers]


async def asked(house: House, person: Person, method: str, at: str, *headers: str) -> Line:
    """A raw request with a bearer; its body, if any, is not sent yet."""
    token = await person.wire.ask(m.BlobToken(person.wire.rid()), m.BlobTokenReply)
    made = await line(house.server.url, house.data)
    made.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    head = [f"{method} {at} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token.bearer}", *headers]
    made.writer.write("\r\n".join([*head, "", ""]).encode())
    return made


async def test_attack_a_body_that_stops_coming_is_cut_off(data: Path) -> None:
    async with start_server(config(data, Limits(stall_s=0.3))) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        request_headers = (f"Repr-Digest: {digest(bytes(8))}", "Content-Length: 8")
        half = await asked(house, anna, "PUT", url(room), *request_headers)
        half.writer.write(b"half")
        await until(lambda: bool(server.service.blobs._slots))
        assert await half.ended() == b""
        assert not server.service.blobs._slots
        await house.close()


async def test_attack_a_part_that_nobody_takes_does_not_lie_in_memory(data: Path, small_buffers: None) -> None:
    async with start_server(config(data, Limits(stall_s=2))) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        content, at = os.urandom(4 * MIB), url(room)
        async with http(house, anna) as a:
            await a.put(at, content=content, headers={"repr-digest": digest(content)})
            assert (await a.get(at)).content == content
        greedy = await asked(house, anna, "GET", at)
        greedy.writer.transport.pause_reading()  # type: ignore[attr-defined]
        slots = server.service.blobs._slots
        await until(lambda: bool(slots))
        await until(lambda: not slots)
        greedy.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await greedy.ended()) < len(content)
        await house.close()


async def test_uploads_are_kept_by_the_store_in_the_order_of_their_beginning(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    uploads: Uploads = house.server.service.uploads
    async with http(house, anna) as a:
        for _ in range(3):
            await begun(a, url(room), held=10)
    assert [row.name for row in await house.server.store.uploads()] == list(uploads._rows)


async def test_an_upload_that_begins_again_is_the_newest_and_one_that_does_not_keeps_its_place(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, _, room = await house.two_in_a_room()
    clock = itertools.count(now_ms())
    monkeypatch.setattr(uploads_module, "now_ms", lambda: next(clock))

    async def full(*_: Any) -> None:
        raise Full("disk")

    ats = [url(room) for _ in range(Limits().device_uploads)]
    async with http(house, anna) as a:
        for at in ats:
            assert (await begun(a, at, held=10)).status_code == 202
        assert (await begun(a, ats[0], held=10)).status_code == 202
        with monkeypatch.context() as failing:
            failing.setattr(house.server.store, "put_upload", full)
            assert (await begun(a, ats[1], held=10)).json() == {"code": "full"}
        assert (await begun(a, url(room), held=10)).status_code == 202  # the oldest of all goes
    left = {row.part.hex() for row in await house.server.store.uploads()}
    assert [k for k, at in enumerate(ats) if at.rpartition("/")[2] not in left] == [1]
