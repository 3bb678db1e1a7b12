# SPDX-License-Identifier: EUPL-1.2
"""A message with files is checked as a whole before a file is encrypted, and leaves no parts if it is not sent."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from app.chat import room_files
from app.chat.errors import EmptyMessage, MessageTooLong, TooManyFiles
from app.chat.files import MAX_FILE_BYTES, Picture
from app.chat.records import MAX_ATTACHMENTS, MAX_TEXT, MessageSent, decode
from app.chat.room_files import RoomFiles
from app.core.ids import ObjId, RoomId
from app.errors import DiskFull, FileUnreadable, NotFound
from app.objects.files import Pasted, Progress, SealedFiles, Source
from app.store.origins import MAX_HOPS
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.errors import Refused
from sync.protocol.version import PART_BYTES
from tests.app.chat.destroys import Destroys
from tests.office import CHANNEL, HL, ROOM, Desk, desk


class Offline:
    """Uploads nothing."""

    def wake(self) -> None:
        """Does nothing: there is no server."""


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "hl", HL)
    sealed = SealedFiles(made.store.blobs, cast("Transfers", Offline()))
    made.chat.files._blobs = RoomFiles(sealed, made.store.objects, lambda room: None)
    yield made
    made.close()


def left(at: Desk, folder: Path) -> list[object]:
    """The parts that are left, as rows and as files, and the messages."""
    files = [path for path in (folder / "hl/blobs").rglob("*") if path.is_file()]
    return [*at.store.blobs.to_upload(), *files, *at.store.changes.of(CHANNEL)]


def pasted(count: int) -> list[Source]:
    return [Pasted(f"Bilaga å {n}.txt", b"x") for n in range(count)]


def large(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


async def test_as_many_files_as_a_message_may_have_are_sent_and_one_more_is_refused(hl: Desk, tmp_path: Path) -> None:
    with pytest.raises(TooManyFiles):
        await hl.chat.send_file(ROOM, pasted(MAX_ATTACHMENTS + 1), "Bilagorna")
    with pytest.raises(EmptyMessage):
        await hl.chat.send_file(ROOM, [], "Bilagorna")
    assert left(hl, tmp_path) == []
    await hl.chat.send_file(ROOM, pasted(MAX_ATTACHMENTS), "Bilagorna")
    assert len(hl.chat.timeline(ROOM).message(0).attachments) == MAX_ATTACHMENTS
    assert len(hl.store.blobs.to_upload()) == MAX_ATTACHMENTS


async def test_a_text_that_is_too_long_is_refused_before_a_file_is_encrypted(hl: Desk, tmp_path: Path) -> None:
    begun: list[RoomId] = []
    hl.chat.transfers.changed.connect(begun.append)
    with pytest.raises(MessageTooLong):
        await hl.chat.send_file(ROOM, pasted(1), "å" * (MAX_TEXT + 1))
    many = [large(tmp_path / f"{n}.bin", MAX_FILE_BYTES) for n in range(MAX_ATTACHMENTS)]
    with pytest.raises(MessageTooLong):  # their manifests and the text together are more than a record holds
        await hl.chat.send_file(ROOM, many, "🙂" * MAX_TEXT)
    assert begun == []
    assert left(hl, tmp_path) == []


async def test_previews_are_left_out_where_text_and_files_leave_no_room_for_them(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 100_000  # instead of 192 KiB, which takes files of gigabytes
    monkeypatch.setattr("app.chat.files.MAX_DATA_BYTES", most)
    files: list[Source] = [*pasted(MAX_ATTACHMENTS - 1), large(tmp_path / "stor.bin", 3 * PART_BYTES)]
    picture = Picture(width=10, height=10, preview=b"x" * 2_000)
    await hl.chat.send_file(ROOM, files, "🙂" * MAX_TEXT, pictures=dict.fromkeys(files, picture))
    (sent,) = hl.store.changes.of(CHANNEL)
    assert most - 10_000 < len(sent.data) <= most
    record = decode(sent.data)
    assert isinstance(record, MessageSent)
    assert 0 < sum(1 for file in record.attachments if file.width) < MAX_ATTACHMENTS


async def test_a_file_that_fails_leaves_no_part_of_those_before_it(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = large(tmp_path / "borta.bin", 3)
    begun = hl.chat.files._seal_one

    async def seal(blobs: RoomFiles, obj: ObjId, source: Source, *more: object) -> object:
        if source == gone:
            await asyncio.to_thread(gone.unlink)  # by another program, since it was checked
        return await begun(blobs, obj, source, *more)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(hl.chat.files, "_seal_one", seal)
    with pytest.raises(FileUnreadable):
        await hl.chat.send_file(ROOM, [*pasted(2), gone], "Bilagorna")
    assert left(hl, tmp_path) == []


async def test_a_message_that_is_cancelled_or_refused_leaves_no_part(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = asyncio.Event()
    add = SealedFiles.add

    async def stop(
        files: SealedFiles, room: RoomId, obj: ObjId, source: Source, progress: Progress
    ) -> tuple[bytes, object]:
        if source.name.endswith("1.txt"):
            second.set()
            await asyncio.Event().wait()
        return await add(files, room, obj, source, progress)

    with monkeypatch.context() as waiting:
        waiting.setattr(SealedFiles, "add", stop)
        task = asyncio.create_task(hl.chat.send_file(ROOM, pasted(2)))
        await second.wait()
        assert left(hl, tmp_path) != []
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert left(hl, tmp_path) == []

    def refuse(*_args: object, **_more: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        full.setattr(hl.chat._changes, "append", refuse)
        with pytest.raises(DiskFull):
            await hl.chat.send_file(ROOM, pasted(2))
    assert left(hl, tmp_path) == []


@pytest.mark.parametrize(
    ("cancelled", "sent"), [((1,), [0, 2]), ((2,), [0, 1]), ((1, 2), [0])], ids=["running", "waiting", "both"]
)
async def test_one_file_of_a_message_is_cancelled_and_the_others_are_sent(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancelled: tuple[int, ...], sent: list[int]
) -> None:
    second, go_on = asyncio.Event(), asyncio.Event()
    add = SealedFiles.add

    async def stop(
        files: SealedFiles, room: RoomId, obj: ObjId, source: Source, progress: Progress
    ) -> tuple[bytes, object]:
        if source.name.endswith("1.txt"):
            second.set()
            await go_on.wait()
        return await add(files, room, obj, source, progress)

    monkeypatch.setattr(SealedFiles, "add", stop)
    task = asyncio.create_task(hl.chat.send_file(ROOM, pasted(3), "Bilagorna"))
    await second.wait()
    shown = {transfer.name: transfer for transfer in hl.chat.transfers.of(ROOM)}
    assert list(shown) == ["Bilaga å 1.txt", "Bilaga å 2.txt"]
    for number in cancelled:
        hl.chat.transfers.cancel(shown[f"Bilaga å {number}.txt"].key)
    go_on.set()
    await task
    files = hl.chat.timeline(ROOM).message(0).attachments
    assert [file.name for file in files] == [f"Bilaga å {number}.txt" for number in sent]
    assert len(hl.store.blobs.to_upload()) == len(sent)
    assert hl.chat.transfers.of(ROOM) == []


async def test_a_message_of_which_every_file_is_cancelled_is_not_sent(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def wait(*_args: object) -> tuple[bytes, object]:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(SealedFiles, "add", wait)
    task = asyncio.create_task(hl.chat.send_file(ROOM, pasted(2), "Bilagorna"))
    await begun.wait()
    for transfer in reversed(hl.chat.transfers.of(ROOM)):
        hl.chat.transfers.cancel(transfer.key)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(hl, tmp_path) == []
    assert hl.chat.transfers.of(ROOM) == []


async def test_parts_stay_where_a_listener_fails_after_the_message_was_stored(hl: Desk, tmp_path: Path) -> None:
    def fail(_room: RoomId) -> None:
        raise NotFound

    end = hl.chat.changed.connect(fail)
    with pytest.raises(NotFound):
        await hl.chat.send_file(ROOM, pasted(2))
    end()
    assert len(hl.store.blobs.to_upload()) == 2
    assert len(hl.chat.timeline(ROOM).message(0).attachments) == 2


def test_the_disk_that_refuses_to_delete_a_part_hides_no_other_error(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_args: object, **_more: object) -> None:
        raise PermissionError

    sealed = SealedFiles(hl.store.blobs, cast("Transfers", Offline()))
    _, parts = asyncio.run(sealed.add(ROOM, CHANNEL, Pasted("å.txt", b"x"), lambda done, total: None))
    monkeypatch.setattr(Path, "unlink", locked)
    sealed.drop(parts)
    assert hl.store.blobs.to_upload() == []


async def test_attack_a_long_row_of_rooms_that_continue_each_other_ends_the_search_for_a_file(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RoomId] = []

    async def refuse(_files: object, room: RoomId, *_more: object) -> None:
        asked.append(room)
        raise Refused("blob-missing")

    monkeypatch.setattr(SealedFiles, "fetch", refuse)
    monkeypatch.setattr(room_files, "object_in", lambda *_: CHANNEL)
    sealed = SealedFiles(hl.store.blobs, cast("Transfers", Offline()))
    files = RoomFiles(sealed, hl.store.objects, lambda room: room)  # as if the row had no end
    with pytest.raises(Refused):
        await files.fetch(ROOM, CHANNEL, b"m", tmp_path / "å.txt", lambda done, total: None)
    assert len(asked) == MAX_HOPS + 1


async def test_files_that_are_encrypted_while_their_month_is_destroyed_are_sent_in_another_object(
    hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What belongs to the destroyed object is deleted, and the message would come without its files."""
    begun, destroyed = hl.chat.files._seal_one, False

    async def seal(blobs: RoomFiles, obj: ObjId, *more: Any) -> object:
        nonlocal destroyed
        attachment = await begun(blobs, obj, *more)
        if not destroyed:
            destroyed = True
            await Destroys(hl.store).destroy(ROOM, obj)
            await hl.store.destroyed.complete()
        return attachment

    monkeypatch.setattr(hl.chat.files, "_seal_one", seal)
    await hl.chat.send_file(ROOM, pasted(2), "Bilagorna å")
    message = hl.chat.timeline(ROOM).message(0)
    assert message.obj != CHANNEL
    assert {part.obj for part in hl.store.blobs.to_upload()} == {message.obj}
    assert len(hl.store.blobs.to_upload()) == len(message.attachments) == 2
    assert hl.chat.stranded(ROOM).destroyed == 0
