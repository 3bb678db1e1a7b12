# SPDX-License-Identifier: EUPL-1.2
"""A full disk: it has its own code, reading continues, nothing acknowledged is lost, and writing goes
on when there is room. On a small file system where one may be mounted, and under a limit that needs no right.
"""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.server.process.running import start_server
from tests.patience import PATIENCE_S
from tests.sync.server.house import TEXT, House
from tests.sync.server.parts import files_of
from tests.sync.server.process import serve
from tests.sync.server.wire import Person, Refused, config, new_data

BIG = "å" * 20_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB with an agency on it."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)], capture_output=True, check=False
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("nothing can be mounted here")
    try:
        yield new_data(where / "server")
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(folder: Path) -> Path:
    """Fills the disk."""
    path = folder.parent / "ballast"
    with path.open("wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            return path


async def until_refused(anna: Person, room: bytes) -> tuple[m.Placed | None, Refused]:
    """Writes until the server refuses a batch. Returns the last one that it took."""
    taken: m.Placed | None = None
    for _ in range(1000):
        try:
            taken = await anna.push(room, BIG)
        except Refused as e:
            return taken, e
        await anna.sync(room)
    raise AssertionError("it takes everything")


async def test_a_full_disk_is_reported_while_reading_continues_and_writing_resumes_with_room(small_disk: Path) -> None:
    data = small_disk
    async with start_server(replace(config(data), disk_reserve_bytes=200_000, metrics="127.0.0.1:0")) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        async with files_of(anna, server.url, data) as files, httpx.AsyncClient(timeout=PATIENCE_S) as monitor:
            assert (await files.put(room, b"1" * 16, bytes(100_000))).status_code == HTTPStatus.CREATED
            ballast = fill(data)
            taken, why = await until_refused(anna, room)
            assert (why.code, why.detail) == ("full", "disk")
            refused = await files.put(room, b"2" * 16, bytes(100_000))
            assert (refused.status_code, refused.json()) == (507, {"code": "full"})
            assert (await monitor.get(f"{server.monitor}/readyz")).json() == {"ok": False, "code": "full"}
            # reading and signing in continue
            await bert.sync(room)
            assert (await files.get(room, b"1" * 16)).content == bytes(100_000)
            await bert.wire.close()
            authed = await bert.connect(server.url, data)
            if taken is not None:
                assert authed.rooms[0].receipt == taken.receipt
            # and when there is room, so does writing, without a new start
            ballast.unlink()
            await anna.sync(room)
            anna.seqs.clear()  # the batch was not taken: its place in the device's order is free
            assert await anna.push(room, TEXT)
            assert (await files.put(room, b"2" * 16, bytes(100_000))).status_code == HTTPStatus.CREATED
        await anna.sync(room)
        await bert.sync(room)
        assert anna.rooms[room].rh == bert.rooms[room].rh
        await house.close()


async def test_it_stops_and_starts_on_a_full_disk(small_disk: Path) -> None:
    """A new start needs no room but for the database's own 32 KiB of shared memory."""
    data = small_disk
    async with start_server(replace(config(data), disk_reserve_bytes=0)) as server:
        anna = await Person("Handläggare").enrol(server.url, data)
        room = await anna.create()
        taken = await anna.push(room, TEXT)
        await anna.sync(room)
        ballast = fill(data)
        assert (await until_refused(anna, room))[1].code == "full"
        await anna.wire.close()
    with ballast.open("r+b") as f:
        f.truncate(ballast.stat().st_size - 128 * 1024)
    async with start_server(replace(config(data), disk_reserve_bytes=0)) as server:
        authed = await anna.connect(server.url, data)
        assert authed.rooms[0].receipt.n >= taken.receipt.n
        await anna.sync(room)
        await anna.wire.close()


async def test_the_reserve_is_for_texts_and_no_room_for_files(data: Path) -> None:
    free = shutil.disk_usage(data).free
    async with start_server(replace(config(data), disk_reserve_bytes=free * 2)) as server:
        anna = await Person("Handläggare").enrol(server.url, data)
        room = await anna.create()
        async with files_of(anna, server.url, data) as files:
            refused = await files.put(room, b"1" * 16, bytes(1000))
        assert (refused.status_code, refused.json()) == (507, {"code": "full"})
        assert not list((data / "blobs").rglob("*.part"))
        await anna.push(room, TEXT)
        await anna.wire.close()


async def test_files_that_may_grow_no_more_are_a_full_disk_too(data: Path) -> None:
    """A real limit of the system (RLIMIT_FSIZE, as a quota would be), for which nothing need be mounted."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    served = await serve(data, before=bounded)
    anna = await Person("Handläggare").enrol(served.url, data)
    room = await anna.create()
    _, why = await until_refused(anna, room)
    assert why.code == "full"
    async with files_of(anna, served.url, data) as files:
        refused = await files.put(room, b"1" * 16, bytes(700_000))
        assert (refused.status_code, refused.json()) == (507, {"code": "full"})
    await anna.sync(room)
    await anna.wire.close()
    assert await served.stop() == 0
    served = await serve(data)
    await anna.connect(served.url, data)
    await anna.sync(room)
    anna.seqs.clear()
    await anna.push(room, TEXT)
    await anna.wire.close()
    assert await served.stop() == 0


def test_a_command_reports_a_full_disk_too(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(small_disk)]
    assert main(["invite", *data, "--name", "Handläggare"]) == 0
    ballast = fill(small_disk)
    with ballast.open("r+b") as f:
        f.truncate(ballast.stat().st_size - 40 * 1024)  # what SQLite itself needs to begin
    capsys.readouterr()
    longest = "Å" * 120
    of = ["--name", longest, "--title", longest, "--unit", longest]
    statuses = {main(["invite", *data, *of]) for _ in range(100)}
    assert 1 in statuses
    assert "python -m sync.server: the disk is full or failing" in capsys.readouterr().err


def test_a_backup_reports_that_its_disk_is_full(
    copied: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = small_disk.parent / "backup"
    ballast = fill(small_disk)
    with ballast.open("r+b") as f:
        f.truncate(ballast.stat().st_size - 40 * 1024)
    assert main(["backup", "--data", str(copied), str(target)]) == 1
    assert f"{target}: the disk is full or failing" in capsys.readouterr().err
    assert [path.name for path in target.iterdir()] == ["begun"]
    ballast.unlink()
    assert main(["backup", "--data", str(copied), str(target)]) == 0
