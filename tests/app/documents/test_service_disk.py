# SPDX-License-Identifier: EUPL-1.2
"""Documents over real stores: damaged and huge changes, and a disk that refuses them."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from app.documents import service
from app.errors import DiskFull, StoreFault
from app.objects import pieces
from app.objects.object import MAX_DATA_BYTES
from app.richtext.flow import Block, Run
from tests.app.documents.desks import Desk, World
from tests.app.steps import Killed, at_step, idle, kill
from tests.app.threads import note_threads
from tests.office import HL, ROOM


@pytest.mark.slow
def test_an_update_larger_than_a_change_travels_in_parts(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    theirs = ek.documents.open(obj)
    hl.documents.open(obj).splice(0, 0, "Ett långt stycke å 🙂.\n" * 20_000)
    assert all(len(change.data) <= MAX_DATA_BYTES for change in hl.store.changes.of(obj))
    assert len(hl.store.changes.of(obj)) > 2
    world.deliver()
    assert theirs.plain_text() == hl.documents.open(obj).plain_text()


@pytest.mark.parametrize("data", [b"", b"\x01nonsense", pieces.encode(b"\xff\xfe\x01")[0], b"\x63" + bytes(40)])
def test_a_damaged_update_is_refused_by_name_and_the_document_opens(
    world: World, pair: tuple[Desk, Desk, ObjId], data: bytes
) -> None:
    hl, ek, obj = pair
    live = ek.documents.open(obj)
    hl.documents.open(obj).splice(0, 0, "åäö")
    world.arrive(ek, HL, obj, data)
    world.deliver()
    assert live.plain_text() == "åäö"
    (found,) = ek.store.changes.unprojected(ROOM)
    assert found[1] in ("damaged-update", "malformed", "format-newer")
    assert ek.documents.damaged(obj) == 1
    ek = world.restart(ek)
    assert ek.documents.open(obj).plain_text() == "åäö"
    assert ek.documents.damaged(obj) == int(found[1] != "damaged-update")  # what is void reaches no document


def test_a_full_disk_loses_nothing_and_is_reported(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    faults: list[StoreFault] = []
    hl.documents.fault.connect(lambda _obj, fault: faults.append(fault))
    document = hl.documents.open(obj)
    append = hl.store.changes.append
    monkeypatch.setattr(hl.store.changes, "append", _refuse)
    document.splice(0, 0, "å")
    assert [fault.code for fault in faults] == ["disk-full"]
    assert hl.documents.unsaved(obj)
    monkeypatch.setattr(hl.store.changes, "append", append)
    document.splice(1, 0, "ä")
    assert not hl.documents.unsaved(obj)
    assert hl.documents.document_at(obj, 1 << 60).plain_text() == "åä"


def test_a_large_edit_is_stored_whole_or_not_at_all(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces of it alone would wait for the others for ever, at everybody."""
    hl, _, obj = pair
    document, append, asked = hl.documents.open(obj), hl.store.changes.append, list[bytes]()
    before = len(hl.store.changes.of(obj))

    def fills(room: RoomId, to: ObjId, data: bytes, *, live: bool) -> object:
        asked.append(data)
        if len(asked) == 3:
            raise DiskFull
        return append(room, to, data, live=live)

    with monkeypatch.context() as full:
        full.setattr(hl.store.changes, "append", fills)
        document.splice(0, 0, "å🙂" * 100_000)
    assert len(asked) == 3
    assert len(hl.store.changes.of(obj)) == before
    assert hl.documents.unsaved(obj)
    hl.documents.retry(obj)
    assert [change.data for change in hl.store.changes.of(obj)][before:][:3] == asked
    assert hl.documents.document_at(obj, 1 << 60).plain_text() == document.plain_text()


def test_what_a_full_disk_refused_is_stored_at_the_first_attempt_that_succeeds(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the edits of a document whose view is gone, since Kansli is being locked."""
    hl, _, obj = pair
    document = hl.documents.open(obj)
    with monkeypatch.context() as full:
        full.setattr(hl.store.changes, "append", _refuse)
        document.splice(0, 0, "å🙂")
        with pytest.raises(DiskFull):
            hl.documents.close(obj)
        with pytest.raises(DiskFull):
            hl.documents.save()
        assert hl.documents.unsaved(obj)
    hl.documents.save()
    assert not hl.documents.unsaved(obj)
    hl.documents.save()
    assert hl.documents.document_at(obj, 1 << 60).plain_text() == "å🙂"


@pytest.mark.parametrize("taken", range(3), ids=["text", "more-of-the-text", "trash-mark"])
async def test_a_document_that_the_disk_does_not_let_move_is_moved_once_by_the_next_try(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Otherwise the copy that the disk took would stay, and the next try would make a second one."""
    hl, _, obj = pair
    within, append, left = RoomId(b"z" * 16), hl.store.changes.append, [taken]
    hl.documents.open(obj).splice(0, 0, "Sekretess å 🙂")

    def fills(room: RoomId, to: ObjId, data: bytes, **more: Any) -> object:
        if not left[0]:
            raise DiskFull
        left[0] -= 1
        return append(room, to, data, **more)

    with monkeypatch.context() as full:
        full.setattr(hl.store.changes, "append", fills)
        with pytest.raises(DiskFull):
            await hl.documents.move(obj, within)
    assert (hl.documents.list(within), [row.obj for row in hl.documents.list(ROOM)]) == ([], [obj])
    moved = await hl.documents.move(obj, within)
    assert [row.obj for row in hl.documents.list(within)] == [moved]
    assert hl.documents.shown_now(moved)[1][0].text == "Sekretess å 🙂"
    assert hl.documents.list(ROOM) == []
    assert not hl.documents.unsaved_ids()


async def test_a_document_is_copied_in_a_thread_or_not_at_all(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    hl.documents.open(obj).fill([Block((Run("Sökanden har yttrat sig å 🙂 " * 8),))] * 400)
    on_loop = note_threads(monkeypatch, service, "first_changes")
    copy = await hl.documents.copy(obj)
    assert on_loop == [False]
    assert hl.documents.shown_now(copy)[1][399].text.startswith("Sökanden")
    stopped = asyncio.ensure_future(hl.documents.copy(obj))
    await asyncio.sleep(0)
    stopped.cancel()
    await asyncio.wait([stopped])
    assert {row.obj for row in hl.documents.list(ROOM)} == {obj, copy}


async def test_a_document_is_moved_in_a_thread(pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch) -> None:
    hl, _, obj = pair
    hl.documents.open(obj).fill([Block((Run("Sökanden har yttrat sig å 🙂 " * 8),))] * 400)
    on_loop = note_threads(monkeypatch, service, "first_changes")
    moved = await hl.documents.move(obj, RoomId(b"z" * 16))
    assert on_loop == [False]
    assert hl.documents.shown_now(moved)[1][399].text.startswith("Sökanden")


async def test_a_move_that_the_disk_does_not_let_undo_is_undone_by_the_next_try(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    within, retire = RoomId(b"z" * 16), hl.rooms.retire
    moved = await hl.documents.move(obj, within)

    def keeps(room: RoomId, of: ObjId, on: bool) -> None:
        if on:
            raise DiskFull
        retire(room, of, on)

    with monkeypatch.context() as full:
        full.setattr(hl.rooms, "retire", keeps)
        with pytest.raises(DiskFull):
            hl.documents.move_back(obj, moved)
    assert ([row.obj for row in hl.documents.list(within)], hl.documents.list(ROOM)) == ([moved], [])
    hl.documents.move_back(obj, moved)
    assert (hl.documents.list(within), [row.obj for row in hl.documents.list(ROOM)]) == ([], [obj])


def _refuse(*_args: object, **_more: object) -> None:
    raise DiskFull


def test_a_disk_that_refuses_hides_nobody_in_a_document_and_shows_nobody_who_left(
    world: World, pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek, obj = pair
    hl.documents.open(obj)
    ek.documents.open(obj)
    ek.documents.enter(obj, lambda: (0, 0))
    with monkeypatch.context() as broken:
        broken.setattr(hl.store.objects, "opened", _refuse)
        with pytest.raises(DiskFull):
            hl.documents.enter(obj, lambda: (0, 0))
    world.deliver()
    assert [caret.person.uid for caret in ek.documents.presence(obj)] == [HL]
    with monkeypatch.context() as broken:
        broken.setattr(hl.store.objects, "get", _refuse)
        hl.documents.leave(obj)
    world.deliver()
    assert ek.documents.presence(obj) == []


@pytest.mark.parametrize("step", [0, 3, 8, 9])
async def test_a_program_that_ends_while_it_moves_a_long_document_leaves_one_whole_document(
    world: World, pair: tuple[Desk, Desk, ObjId], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    within, text = RoomId(b"z" * 16), "Sökanden å 🙂. " * 40_000
    hl.documents.open(obj).splice(0, 0, text)
    hl.documents.close(obj)
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await hl.documents.move(obj, within)
        await idle()
    hl = world.restart(hl)
    hl.documents.start()
    await idle()
    is_moved = step > 7
    (row,) = hl.documents.list(within if is_moved else ROOM)
    assert hl.documents.list(ROOM if is_moved else within) == []
    assert hl.documents.shown_now(row.obj)[1][0].text == text


@pytest.mark.parametrize("step", [0, 3, 8, 9])
async def test_what_is_stored_with_a_copy_is_there_if_the_copy_is_completed(
    world: World, pair: tuple[Desk, Desk, ObjId], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    within = RoomId(b"z" * 16)
    hl.documents.open(obj).splice(0, 0, "Sökanden å 🙂. " * 40_000)
    hl.documents.close(obj)
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await hl.documents.copy(obj, within, decided=lambda: hl.store.notes.set("copied", "ja"))
        await idle()
    hl = world.restart(hl)
    hl.documents.start()
    await idle()
    assert len(hl.documents.list(within)) == (step > 7)
    assert hl.store.notes.get("copied") == ("ja" if step > 7 else "")


async def test_a_long_document_that_the_disk_stopped_half_way_is_moved_once_by_the_next_try(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    within = RoomId(b"z" * 16)
    hl.documents.open(obj).splice(0, 0, "Sökanden å 🙂. " * 40_000)
    hl.documents.close(obj)
    with monkeypatch.context() as full:
        append, done = hl.store.changes.append, list[bytes]()

        def refuse(room: RoomId, of: ObjId, data: bytes) -> Any:
            done.append(data)
            if len(done) > 2:
                raise DiskFull
            return append(room, of, data)

        full.setattr(hl.store.changes, "append", refuse)
        with pytest.raises(DiskFull):
            await hl.documents.move(obj, within)
    moved = await hl.documents.move(obj, within)
    assert [row.obj for row in hl.documents.list(within)] == [moved]
    assert hl.documents.list(ROOM) == []
