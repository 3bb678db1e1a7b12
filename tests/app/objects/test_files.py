# SPDX-License-Identifier: EUPL-1.2
"""Files as sealed parts, in a real store's folder: what a cancelled task, a full disk or a damaged part leaves."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from app.core.files import Draft
from app.core.ids import ObjId, PartId, RoomId, new_id, new_obj
from app.errors import DiskFull, NotFound, StoreCorrupt, StoreUnwritable
from app.objects import files
from app.objects.files import Pasted, SealedFiles
from app.store import saved_files
from app.store.store import Store
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.protocol.version import PART_BYTES

DATA = "Beslut åäö 🙂".encode()


class Server:
    """The server's copies of parts, as the engine's transfers give them."""

    def __init__(self) -> None:
        self.parts: dict[bytes, bytes] = {}

    def wake(self) -> None:
        pass

    async def fetch(self, room: RoomId, obj: ObjId, part: PartId, digest: bytes) -> bytes:
        return self.parts[part]


class Case:
    """A store, its sealed files and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store.create(folder / "store.db", b"k" * 32, {})
        self.server = Server()
        self.sealed = SealedFiles(self.store.blobs, cast("Transfers", self.server))
        self.room, self.obj = RoomId(new_id()), new_obj()

    async def add(self, data: bytes = DATA) -> bytes:
        manifest, _ = await self.sealed.add(self.room, self.obj, Pasted("a.txt", data), ignore)
        return manifest

    async def fetch(self, manifest: bytes) -> Path:
        target = self.folder / "ut" / "beslut å.txt"
        target.parent.mkdir(exist_ok=True)
        await self.sealed.fetch(self.room, self.obj, manifest, target, ignore)
        return target

    def stored(self) -> list[Path]:
        """The files of the parts that are on the disk."""
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file()]

    def saved(self) -> list[Path]:
        return list((self.folder / "ut").iterdir())


def ignore(done: int, size: int) -> None:
    pass


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.store.close()


class Gate:
    """Holds a step that runs in a thread until the task that waits for it was cancelled."""

    def __init__(self, step: Callable[..., object]) -> None:
        self.begun, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()
        self._step = step

    def __call__(self, *args: object) -> object:
        self.begun.set()
        self.may_end.wait(30)
        try:
            return self._step(*args)
        finally:
            self.ended.set()

    async def cancel(self, task: "asyncio.Task[object]") -> None:
        await asyncio.to_thread(self.begun.wait, 30)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        self.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(self.ended.wait, 30)


async def test_a_part_that_is_being_written_when_the_task_is_cancelled_is_removed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(case.store.blobs.write)
    monkeypatch.setattr(case.store.blobs, "write", gate)
    await gate.cancel(asyncio.create_task(case.add()))
    assert case.stored() == []


async def test_bad_input_a_file_that_grows_while_it_is_read_is_sent_as_it_was(case: Case, tmp_path: Path) -> None:
    source, data = tmp_path / "växer å.bin", b"\xe5" * (PART_BYTES + 100)
    source.write_bytes(data)

    def grow(done: int, total: int) -> None:
        with source.open("ab") as file:
            file.write(DATA * 1000)

    manifest, parts = await case.sealed.add(case.room, case.obj, source, grow)
    assert source.stat().st_size > len(data)
    assert len(parts) == 2
    assert (await case.fetch(manifest)).read_bytes() == data


async def test_a_file_that_is_being_opened_when_the_task_is_cancelled_is_removed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = await case.add()
    gate = Gate(Draft)
    monkeypatch.setattr(saved_files, "Draft", gate)
    await gate.cancel(asyncio.create_task(case.fetch(manifest)))
    assert case.saved() == []


async def test_a_part_that_cannot_be_dropped_hides_neither_the_error_nor_the_other_parts(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PART_BYTES", 4)
    write, unlink = case.store.blobs.write, Path.unlink
    written: list[PartId] = []

    def full_at_third(part: PartId, sealed: bytes) -> None:
        if len(written) == 2:
            raise DiskFull
        written.append(part)
        write(part, sealed)

    def refused_first(path: Path, missing_ok: bool = False) -> None:
        if path == case.store.blobs.path(written[0]):
            raise PermissionError
        unlink(path, missing_ok)

    monkeypatch.setattr(case.store.blobs, "write", full_at_third)
    monkeypatch.setattr(Path, "unlink", refused_first)
    with pytest.raises(DiskFull):
        await case.add()
    assert case.stored() == [case.store.blobs.path(written[0])]


async def test_a_saved_file_is_on_the_disk_before_it_gets_its_name(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, flushed = await case.add(), list[bytes]()
    fsync = os.fsync

    def look(fd: int) -> None:
        fsync(fd)
        flushed.extend(path.read_bytes() for path in case.saved())

    monkeypatch.setattr(os, "fsync", look)
    assert (await case.fetch(manifest)).read_bytes() == DATA
    assert flushed == [DATA]


@pytest.mark.parametrize(("code", "fault"), [(28, DiskFull), (5, StoreUnwritable)])
async def test_a_disk_that_refuses_the_saved_file_leaves_nothing_and_says_whether_it_is_full(
    case: Case, monkeypatch: pytest.MonkeyPatch, code: int, fault: type[Exception]
) -> None:
    manifest = await case.add()

    def refuse(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(fault):
        await case.fetch(manifest)
    assert case.saved() == []


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x")])
async def test_a_part_that_is_lost_or_damaged_here_is_fetched_from_the_server(
    case: Case, damage: Callable[[Path], object]
) -> None:
    manifest = await case.add()
    (path,) = case.stored()
    case.server.parts[bytes.fromhex(path.name)] = path.read_bytes()
    case.store.blobs.set_uploaded(PartId(bytes.fromhex(path.name)))
    damage(path)
    assert (await case.fetch(manifest)).read_bytes() == DATA


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), NotFound),
        (lambda path: path.write_bytes(b"x"), StoreCorrupt),
        (lambda path: (path.unlink(), path.mkdir()), StoreUnwritable),
    ],
)
async def test_a_part_that_is_not_uploaded_is_not_asked_of_the_server(
    case: Case, damage: Callable[[Path], object], fault: type[Exception]
) -> None:
    """The server answered that it has no such part, and nothing told of the disk."""
    manifest = await case.add()
    (path,) = case.stored()
    damage(path)
    with pytest.raises(fault):
        await case.fetch(manifest)
    assert case.saved() == []
