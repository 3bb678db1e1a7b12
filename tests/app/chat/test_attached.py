# SPDX-License-Identifier: EUPL-1.2
"""The files of a conversation as a list: in order, without deleted ones, and cheap in a long conversation."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.chat.attached import AT_ONCE
from app.chat.room_files import RoomFiles
from app.errors import FileTooLarge, NotFound
from app.objects.files import Pasted, SealedFiles
from sync.client.exchange.blob_transfer import Blobs as Transfers
from tests.office import HL, ROOM, Desk, desk


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


async def test_files_come_by_message_in_their_order_and_deleted_ones_are_left_out(hl: Desk) -> None:
    assert not hl.chat.attached.any(ROOM)
    assert await hl.chat.attached.all(ROOM) == []
    first = await hl.chat.send_file(ROOM, [Pasted("A å.pdf", b"1"), Pasted("B.txt", b"22")])
    hl.chat.send(ROOM, "Utan fil 🙂")
    second = await hl.chat.send_file(ROOM, [Pasted("C ö.png", b"333")])
    assert hl.chat.attached.any(ROOM)
    found = await hl.chat.attached.all(ROOM)
    assert [(file.name, file.number, file.size_bytes) for file in found] == [
        ("C ö.png", 0, 3), ("A å.pdf", 0, 1), ("B.txt", 1, 2),
    ]  # fmt: skip
    assert {file.author for file in found} == {HL}
    assert [file.name for file in hl.chat.attached.near(ROOM, first)] == ["A å.pdf", "B.txt", "C ö.png"]
    hl.chat.delete(ROOM, second)
    assert [file.name for file in await hl.chat.attached.all(ROOM)] == ["A å.pdf", "B.txt"]
    hl.chat.delete(ROOM, first)
    assert not hl.chat.attached.any(ROOM)
    assert hl.chat.attached.near(ROOM, second) == []


async def test_more_messages_than_are_read_at_once_are_listed_whole(hl: Desk) -> None:
    count = 2 * AT_ONCE + 3
    sent = [await hl.chat.send_file(ROOM, [Pasted(f"{n} å.txt", b"x")]) for n in range(count)]
    assert [file.name for file in await hl.chat.attached.all(ROOM)] == [f"{n} å.txt" for n in reversed(range(count))]
    near = hl.chat.attached.near(ROOM, sent[AT_ONCE])
    assert near[AT_ONCE].name == f"{AT_ONCE} å.txt"
    assert len(near) == 2 * AT_ONCE + 1


async def test_the_list_is_read_by_its_own_index(hl: Desk) -> None:
    sql = (
        "EXPLAIN QUERY PLAN SELECT attachments FROM chat_messages WHERE series = ? AND deleted_by IS NULL"
        " AND attachments != x'90' AND sort < ? ORDER BY sort DESC LIMIT 1"
    )
    plan = " ".join(str(row) for row in hl.store.db.rows(sql, (b"", 0)))
    assert "chat_messages_with_files" in plan


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_a_file_is_read_into_memory_and_a_larger_one_than_is_shown_is_not_fetched(
    hl: Desk, tmp_path: Path
) -> None:
    await hl.chat.send_file(ROOM, [Pasted("Beslut.txt", "å 🙂".encode())])
    message = hl.chat.timeline(ROOM).message(0)
    before = files_below(tmp_path)
    hl.chat.may_export = lambda: False
    assert await hl.chat.files.read(ROOM, message, 0) == "å 🙂".encode()
    assert files_below(tmp_path) == before
    assert hl.chat.transfers.of(ROOM) == []
    with pytest.raises(NotFound):
        await hl.chat.files.read(ROOM, message, 1)
    with pytest.raises(FileTooLarge):
        await hl.chat.files.read(ROOM, message, 0, 3)
