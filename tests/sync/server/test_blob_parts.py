# SPDX-License-Identifier: EUPL-1.2
"""Blob parts over HTTPS: whole, in pieces, in ranges, and every refusal."""

import asyncio
import base64
import errno
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from sync.protocol import messages as m
from sync.server.objects import filesystem
from sync.server.objects.base import NoSpace, WrongDigest, WrongOffset
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.store.base import Full
from tests.patience import PATIENCE_S
from tests.sync.server.house import House
from tests.sync.server.wire import Person, trust

PART = 4 * 1024 * 1024 + 64


def digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


@asynccontextmanager
async def http(house: House, person: Person | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {}
    if person is not None:
        token = await person.wire.ask(m.BlobToken(person.wire.rid()), m.BlobTokenReply)
        headers["authorization"] = f"Bearer {token.bearer}"
    client = httpx.AsyncClient(
        timeout=PATIENCE_S, verify=trust(house.data), base_url=house.server.url, headers=headers, trust_env=False
    )
    async with client:
        yield client


def url(room: bytes, part: bytes | None = None) -> str:
    return f"/v1/blobs/{room.hex()}/{'0b' * 16}/{(part or os.urandom(16)).hex()}"


async def test_a_part_comes_back_as_it_was_sent_whole_and_in_ranges(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    data, at = os.urandom(PART), url(room)
    async with http(house, anna) as a, http(house, bert) as b:
        for _ in range(2):
            put = await a.put(at, content=data, headers={"repr-digest": digest(data)})
            assert put.status_code == 201
        got = await b.get(at)
        assert got.content == data
        assert got.headers["repr-digest"] == digest(data)
        head = await b.head(at)
        assert (head.status_code, head.headers["content-length"]) == (200, str(PART))
        spans = (("bytes=5-9", 5, 10), ("bytes=4000000-", 4_000_000, PART), ("bytes=0-99999999", 0, PART))
        for text, start, end in spans:
            got = await b.get(at, headers={"range": text})
            assert (got.status_code, got.content) == (206, data[start:end])
            assert got.headers["content-range"] == f"bytes {start}-{end - 1}/{PART}"
        for text in (f"bytes={PART}-", "bytes=9-5", "bytes=-5", "lines=1-2"):
            assert (await b.get(at, headers={"range": text})).status_code == 416


async def test_an_upload_goes_on_where_it_was_cut(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    data, at = os.urandom(300_000), url(room)
    async with http(house, anna) as a:

        def piece(start: int, end: int) -> dict[str, str]:
            return {"repr-digest": digest(data), "content-range": f"bytes {start}-{end - 1}/{len(data)}"}

        missing = await a.head(at)
        assert (missing.status_code, missing.headers["upload-offset"]) == (404, "0")
        put = await a.put(at, content=data[:100_000], headers=piece(0, 100_000))
        assert (put.status_code, put.headers["upload-offset"]) == (202, "100000")
        assert (await a.head(at)).headers["upload-offset"] == "100000"
        wrong = await a.put(at, content=data[200_000:], headers=piece(200_000, 300_000))
        assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, "100000")
        put = await a.put(at, content=data[100_000:], headers=piece(100_000, 300_000))
        assert put.status_code == 201
        assert (await a.get(at)).content == data


async def test_wrong_hash_size_and_name_are_refused(house: House) -> None:
    anna, _, room = await house.two_in_a_room()
    data = os.urandom(1000)
    async with http(house, anna) as a:
        at = url(room)
        assert (await a.put(at, content=data, headers={"repr-digest": digest(b"other")})).status_code == 422
        assert (await a.head(at)).headers["upload-offset"] == "0"
        assert (await a.put(at, content=data)).status_code == 400
        big = bytes(PART + 70_000)
        assert (await a.put(at, content=big, headers={"repr-digest": digest(big)})).status_code == 413
        odd = {"repr-digest": digest(data), "content-range": "bytes 0-98/1000"}
        assert (await a.put(at, content=data, headers=odd)).status_code == 400
        for path in ("/v1/blobs/../../etc", f"/v1/blobs/{room.hex()}/xx/yy", f"{at}0"):
            assert (await a.get(path)).status_code == 404
        assert (await a.put(at, content=data, headers={"repr-digest": digest(data)})).status_code == 201
        assert (await a.put(at, content=b"other", headers={"repr-digest": digest(b"other")})).status_code == 409


async def test_a_wrong_bearer_a_stranger_and_a_removed_member_get_nothing(house: House) -> None:
    anna, bert, room = await house.two_in_a_room()
    eve = await house.person()
    data, at = b"sealed", url(room)
    async with http(house, anna) as a:
        assert (await a.put(at, content=data, headers={"repr-digest": digest(data)})).status_code == 201
        assert (await a.get("/healthz")).json() == {"ok": True}
    async with http(house) as nobody, http(house, eve) as e, http(house, bert) as b:
        assert (await nobody.get(at)).status_code == 401
        assert (await nobody.get(at, headers={"authorization": "Bearer wrong"})).status_code == 401
        assert (await e.get(at)).status_code == 403
        assert (await e.put(at, content=data, headers={"repr-digest": digest(data)})).status_code == 403
        assert (await b.get(at)).content == data
        await anna.submit(anna.drafter(room).remove(bert.uid))
        assert (await b.get(at)).status_code == 403


async def test_parts_on_disk_are_whole_or_not_there(tmp_path: Path) -> None:
    objects = FilesystemObjects(tmp_path)
    name = (b"r" * 16, b"o" * 16, b"p" * 16)
    assert await objects.append(*name, 0, b"abc") == 3
    with pytest.raises(WrongOffset):
        await objects.append(*name, 1, b"x")
    with pytest.raises(FileNotFoundError):
        await objects.read(*name, 0, 3)
    with pytest.raises(WrongDigest):
        await objects.finish(*name, b"h" * 32)
    assert await objects.held(*name) == 0
    await objects.append(*name, 0, b"abcd")
    await objects.append(*name, 0, b"abc")
    assert await objects.finish(*name, hashlib.sha256(b"abc").digest()) == 3
    assert await objects.read(*name, 1, 9) == b"bc"
    await objects.delete(*name)
    await objects.delete(*name)
    with pytest.raises(FileNotFoundError):
        await objects.read(*name, 0, 1)


async def test_a_new_part_with_all_its_folders_is_on_the_disk_before_it_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(filesystem, "sync_folder", synced.append)
    objects, name = FilesystemObjects(tmp_path), (b"r" * 16, b"o" * 16, b"p" * 16)
    await objects.append(*name, 0, b"abc")
    await objects.finish(*name, hashlib.sha256(b"abc").digest())
    part = filesystem.part_path(tmp_path, *name)
    assert synced == [p for p in part.parents if p == tmp_path or tmp_path in p.parents]


async def test_a_disk_that_fails_to_read_is_answered_with_a_code(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, _, room = await house.two_in_a_room()
    data, at = b"sealed" * 100, url(room)

    def fail(path: Path, *args: Any, **more: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error", str(path))

    async with http(house, anna) as a:
        assert (await a.put(at, content=data, headers={"repr-digest": digest(data)})).status_code == 201
        with monkeypatch.context() as disk:
            disk.setattr(Path, "open", fail)
            answers = [await a.get(at), await a.put(at, content=data, headers={"repr-digest": digest(data)})]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(503, {"code": "busy"})] * 2
        assert (await a.get(at)).content == data


async def test_a_part_whose_folder_cannot_be_flushed_is_not_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, name = FilesystemObjects(tmp_path), (b"r" * 16, b"o" * 16, b"p" * 16)

    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    await objects.append(*name, 0, b"abc")
    with monkeypatch.context() as disk:
        disk.setattr(filesystem, "sync_folder", fail)
        with pytest.raises(NoSpace):
            await objects.finish(*name, hashlib.sha256(b"abc").digest())
    with pytest.raises(FileNotFoundError):
        await objects.read(*name, 0, 3)
    assert await objects.held(*name) == 3
    assert await objects.finish(*name, hashlib.sha256(b"abc").digest()) == 3


async def test_an_upload_that_somebody_removed_begins_again(tmp_path: Path) -> None:
    objects, name = FilesystemObjects(tmp_path), (b"r" * 16, b"o" * 16, b"p" * 16)
    with pytest.raises(WrongOffset) as e:
        await objects.finish(*name, b"h" * 32)
    assert e.value.have == 0


async def test_a_disk_that_fails_while_it_is_cut_back_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects, name = FilesystemObjects(tmp_path), (b"r" * 16, b"o" * 16, b"p" * 16)
    await objects.append(*name, 0, b"abc")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    monkeypatch.setattr(os, "truncate", fail)
    with pytest.raises(NoSpace):
        await objects.append(*name, 3, b"d")


async def test_a_part_whose_row_cannot_be_written_leaves_no_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a row no sweep would find it."""
    anna, _, room = await house.two_in_a_room()
    data, at = os.urandom(1000), url(room)

    async def full(*_: object) -> None:
        raise Full("the disk is full")

    async with http(house, anna) as a:
        with monkeypatch.context() as disk:
            disk.setattr(house.server.store, "add_blob", full)
            put = await a.put(at, content=data, headers={"repr-digest": digest(data)})
            assert (put.status_code, put.json()) == (507, {"code": "full"})
        assert [p for p in (house.data / "blobs").rglob("*") if p.is_file()] == []
        put = await a.put(at, content=data, headers={"repr-digest": digest(data)})
        assert put.status_code == 201
        assert (await a.get(at)).content == data


async def test_a_part_that_was_cut_short_on_the_disk_is_missing_and_comes_back(house: House) -> None:
    """Otherwise an answer would announce bytes that it does not have, and nobody could send the part again."""
    anna, _, room = await house.two_in_a_room()
    data, at = os.urandom(1000), url(room)
    async with http(house, anna) as a:
        headers = {"repr-digest": digest(data)}
        assert (await a.put(at, content=data, headers=headers)).status_code == 201
        (path,) = [p for p in (house.data / "blobs").rglob("*") if p.is_file()]
        os.truncate(path, 600)
        for asked in ({}, {"range": "bytes=500-699"}):
            got = await a.get(at, headers=asked)
            assert (got.status_code, got.json()) == (404, {"code": "blob-missing"})
        assert (await a.put(at, content=data, headers=headers)).status_code == 201
        assert (await a.get(at)).content == data


async def test_attack_of_two_contents_sent_at_once_under_one_name_the_confirmed_one_lies_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert, room = await house.two_in_a_room()
    blobs, at = house.server.service.blobs, url(room)
    first, second = b"den ena" * 1000, b"den andra" * 1000
    real, waits, go = blobs._check_quota, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any, **more: Any) -> None:
        await real(*args, **more)
        if not waits.is_set():
            waits.set()
            await go.wait()

    monkeypatch.setattr(blobs, "_check_quota", slow)
    async with http(house, anna) as a, http(house, bert) as b:
        put = asyncio.ensure_future(a.put(at, content=first, headers={"repr-digest": digest(first)}))
        await waits.wait()
        other = await b.put(at, content=second, headers={"repr-digest": digest(second)})
        go.set()
        assert ((await put).status_code, other.status_code, other.json()) == (201, 409, {"code": "busy"})
        got = await a.get(at)
        assert got.content == first
        assert got.headers["repr-digest"] == digest(got.content)


async def test_attack_a_body_that_is_longer_than_announced_is_not_read_into_memory(house: House) -> None:
    """In chunks: a sender need not keep to the length in the headers."""
    anna, _, room = await house.two_in_a_room()
    token = await anna.wire.ask(m.BlobToken(anna.wire.rid()), m.BlobTokenReply)
    address = urlsplit(house.server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=trust(house.data))
    head = (
        f"PUT {url(room)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token.bearer}\r\n"
        f"Repr-Digest: {digest(b'abc')}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode() + b"3\r\nabc\r\n1\r\nd\r\n")
    async with asyncio.timeout(PATIENCE_S):  # it does not wait for the end
        answer = await reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "oversize"
    writer.close()
