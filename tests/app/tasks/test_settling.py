# SPDX-License-Identifier: EUPL-1.2
"""Descriptions of large boards are merged in parts, between which the event loop runs."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest

from app.tasks import service, settling
from app.tasks.model import Board
from tests.counting import crdt_docs
from tests.office import BOARD_ID, HL, ROOM, Desk, Positions

BASE = "Ring sökanden å.\nSkriv beslutet 🙂."


@pytest.fixture(autouse=True)
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every board counts as a large one."""
    monkeypatch.setattr(settling, "MERGED_AT_ONCE", 2)
    monkeypatch.setattr(service, "_LONG_CHANGES", 2)


def new_card(hl: Desk, server: Positions) -> str:
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Beslut", description=BASE)
    server.deliver()
    return card


def write(at: Desk, card: str, text: str) -> None:
    """On a board that nobody shows: it is read from the disk and gone again."""
    at.tasks.board(ROOM).edit_card(card, description=text)
    gc.collect()


def read(at: Desk, card: str) -> str:
    found = at.tasks.board(ROOM).card(card)
    assert found is not None
    return found.description


async def ended(*desks: Desk) -> None:
    """Waits for what the desks have begun."""
    while running := [task for each in desks for task in each.tasks._settling._tasks.values()]:
        await asyncio.wait(running)


async def settle(server: Positions, *desks: Desk) -> None:
    for _ in range(4):
        server.deliver()
        await ended(*desks)


async def test_the_history_of_a_description_is_read_in_parts(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 10,000 cards it held the loop for 1.6 s."""
    hl, ek, server = desks
    card, *_ = [new_card(hl, server) for _ in range(10)]
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    merged, most, merge = 0, 0, Board.merge

    def counted(board: Board, updates: Sequence[bytes], **more: Any) -> list[int]:
        nonlocal merged, most
        if board._emit is None and more == {}:  # not a live one, and not the projection's
            merged += 1
            most = max(most, merged)
        return merge(board, updates, **more)

    monkeypatch.setattr(Board, "merge", counted)
    for _ in range(4):
        server.deliver()
        assert merged == 0
        while hl.tasks._settling._tasks or ek.tasks._settling._tasks:
            await asyncio.sleep(0)
            merged = 0
    assert set(read(hl, card).split()) == set(read(ek, card).split()) == set(f"{BASE}\nMitt. Ditt.".split())
    assert 0 < most <= settling.MERGED_AT_ONCE * 2, "both desks may read in one turn"


@pytest.mark.parametrize("is_open", [True, False])
async def test_what_two_wrote_apart_is_merged_on_large_boards(
    desks: tuple[Desk, Desk, Positions], *, is_open: bool
) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    shown = [hl.tasks.board(ROOM), ek.tasks.board(ROOM)] if is_open else []
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    write(ek, card, BASE + "\nDitt. Igen.")
    await settle(server, hl, ek)
    assert read(hl, card) == read(ek, card)
    assert set(read(hl, card).split()) == set(f"{BASE}\nMitt. Ditt. Igen.".split())
    assert not hl.store.db.rows("SELECT * FROM board_overwritten")
    assert not ek.store.db.rows("SELECT * FROM board_overwritten")
    del shown


async def test_what_was_undone_on_another_device_of_mine_stays_undone(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    ek.folk.uid = HL  # ek's desk is now a second one of hl's
    ek.store.set_me(HL)
    card = new_card(hl, server)
    mine = hl.tasks.board(ROOM)
    mine.edit_card(card, description=BASE + "\nMitt.")
    server.deliver()
    there = ek.tasks.board(ROOM)  # it has not seen the value before
    mine.undo.undo()
    await settle(server, hl, ek)
    assert read(hl, card) == read(ek, card) == BASE
    del there


async def test_what_was_not_merged_when_the_program_ended_is_merged_at_the_next_start(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    before = crdt_docs()
    server.deliver()
    for each in (hl, ek):
        each.tasks._settling.close()
    await ended(hl, ek)
    lost = [each for each in (hl, ek) if each.store.db.rows("SELECT * FROM board_overwritten")]
    assert len(lost) == 1
    lost[0].tasks._settling._is_closed = False
    lost[0].tasks.start()
    await settle(server, hl, ek)
    assert set(read(hl, card).split()) == set(f"{BASE}\nMitt. Ditt.".split())
    assert crdt_docs() <= before + 2, "the boards that were opened for it are closed"
    assert lost[0].store.changes.of(BOARD_ID)[-1].own
