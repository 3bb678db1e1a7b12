# SPDX-License-Identifier: EUPL-1.2
"""Copies of boards and cards: made in a thread, written all or none, and never twice."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId
from app.errors import NotFound
from app.store import objects as object_rows
from app.store.changes import Changes
from app.tasks import KIND as BOARD
from app.tasks import copying
from app.tasks.service import new_board
from tests.app.steps import Killed, at_step, idle, kill
from tests.app.threads import note_threads
from tests.office import BOARD_ID, COLUMNS, EK, HL, ROOM, Desk, desk, reopened, start_board

OTHER_ROOM, INTO = RoomId(b"z" * 16), ObjId(b"i" * 16)
COUNT = 12


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    start_board(made)
    board = made.tasks.board(ROOM)
    for n in range(COUNT):
        card = board.add_card(board.columns()[n % 4].id, f"Begär yttrande {n} å 🙂", description=f"Till {n} § ö")
        board.add_check_item(card, "Ring å 🙂")
    yield made
    made.close()


def start_other_board(at: Desk) -> None:
    with at.store.db.transaction() as conn:
        object_rows.announce(conn, OTHER_ROOM, INTO, BOARD.id, 1, HL)
    at.store.changes.append(OTHER_ROOM, INTO, new_board("Uppföljning", COLUMNS))


def titles(at: Desk, room: RoomId, obj: ObjId) -> list[str]:
    return [card.title for card in at.tasks.board(room, obj).all_cards()]


async def start_again(at: Desk, folder: Path) -> Desk:
    at.close()
    await idle()
    again = reopened(folder, HL)
    again.tasks.start()
    await idle()
    return again


async def test_copies_are_read_and_put_together_in_a_thread(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    start_other_board(hl)
    reading = note_threads(monkeypatch, Changes, "read")
    cards = note_threads(monkeypatch, copying, "card_changes")
    boards = note_threads(monkeypatch, copying, "board_changes")
    assert await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == COUNT
    await hl.tasks.copy(BOARD_ID)
    assert (reading, cards, boards) == ([False] * 3, [False], [False])


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 6])
async def test_a_program_that_ends_while_it_copies_a_board_leaves_one_whole_board(
    hl: Desk, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = titles(hl, ROOM, BOARD_ID)
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await hl.tasks.copy(BOARD_ID)
        await idle()
    again = await start_again(hl, tmp_path)
    try:
        (left,) = again.store.objects.all(ROOM, BOARD.id)
        assert titles(again, ROOM, left.obj) == before
        assert (left.obj == BOARD_ID) == (step < 3), "it is decided after all is stored"
        assert len(again.store.objects.all(ROOM, BOARD.id, deleted=True)) == (step >= 3)
        assert len(again.tasks.tasks(ROOM)) == COUNT, "the cards of the board in the trash are not listed"
        rows = again.store.db.value("SELECT count(*) FROM board_cards")
        assert rows == COUNT * (1 + (step >= 3)), "the old board's cards are still in its rows"
    finally:
        again.close()


@pytest.mark.parametrize("step", [1, 2, 3, 5])
async def test_a_program_that_ends_while_it_copies_cards_copies_all_or_none_and_none_twice(
    hl: Desk, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_other_board(hl)
    before = titles(hl, ROOM, BOARD_ID)
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO, decided=lambda: hl.store.notes.set("copied", "ja"))
        await idle()
    again = await start_again(hl, tmp_path)
    try:
        assert again.store.notes.get("copied") == ("" if step < 3 else "ja")
        assert titles(again, OTHER_ROOM, INTO) == ([] if step < 3 else before)
        assert await again.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == (COUNT if step < 3 else 0)
        assert titles(again, OTHER_ROOM, INTO) == before
    finally:
        again.close()


async def test_a_copy_that_is_asked_for_again_before_the_first_is_complete_is_that_one(
    hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 4, kill)
        with suppress(Killed):
            await hl.tasks.copy(BOARD_ID)
    before = titles(hl, ROOM, BOARD_ID)
    copy = await hl.tasks.copy(BOARD_ID)
    assert [row.obj for row in hl.store.objects.all(ROOM, BOARD.id)] == [copy]
    assert titles(hl, ROOM, copy) == before


async def test_a_second_copy_of_cards_adds_only_what_has_changed(hl: Desk) -> None:
    start_other_board(hl)
    assert await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == COUNT
    assert await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == 0
    mine, there = hl.tasks.board(ROOM), hl.tasks.board(OTHER_ROOM, INTO)
    first, second, third, *_ = there.all_cards()
    mine.edit_card(mine.all_cards()[0].id, title="Beslut å 🙂")
    there.edit_card(second.id, description="Deras text ö")
    there.delete_card(third.id)
    assert await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == 3
    shown = there.all_cards()
    assert len(shown) == COUNT + 2
    assert {first.id, second.id} <= {card.id for card in shown}
    assert third.id not in {card.id for card in shown}, "what is in the trash stays there"


async def test_attack_a_colleagues_card_with_the_id_of_a_copy_keeps_no_copy_out(hl: Desk) -> None:
    start_other_board(hl)
    with_ids = hl.tasks.board(ROOM).all_cards()
    there = hl.tasks.board(OTHER_ROOM, INTO)
    for card in with_ids:
        there.add_card(there.columns()[0].id, "Något annat å", card_id=copying.copy_id(card, HL), by=EK)
    assert await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO) == COUNT
    assert [card.title for card in there.all_cards() if card.by == HL] == [card.title for card in with_ids]
    assert len(there.all_cards()) == 2 * COUNT


async def test_copies_come_behind_the_cards_that_are_there_in_their_order(hl: Desk) -> None:
    start_other_board(hl)
    there = hl.tasks.board(OTHER_ROOM, INTO)
    first = there.columns()[0].id
    there.add_card(first, "Fanns här å")
    await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO)
    assert titles(hl, OTHER_ROOM, INTO) == ["Fanns här å", *titles(hl, ROOM, BOARD_ID)]
    with pytest.raises(NotFound):
        await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, ObjId(b"?" * 16))


async def test_ctrl_z_takes_copied_cards_back_on_an_open_board(hl: Desk) -> None:
    start_other_board(hl)
    there = hl.tasks.open(INTO)
    there.add_card(there.columns()[0].id, "Fanns här å")
    edited: list[str] = []
    there.edited.connect(edited.extend)
    await hl.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO)
    assert len(edited) == COUNT
    changes = len(hl.store.changes.of(INTO))
    assert len(there.all_cards()) == COUNT + 1, "and none of them is stored twice"
    for left in reversed(range(COUNT)):
        assert there.undo.undo()
        assert len(there.all_cards()) == left + 1
    assert len(hl.store.changes.of(INTO)) == changes + COUNT, "each step is a change, which colleagues get"
    assert there.undo.redo()
    assert len(there.all_cards()) == 2
    assert [row.title for row in hl.tasks.tasks(OTHER_ROOM)] == sorted(card.title for card in there.all_cards())
    hl.tasks.close(INTO)
