# SPDX-License-Identifier: EUPL-1.2
"""A board of 10,000 cards is opened in parts: how long the event loop does nothing else. Without the widgets."""

import asyncio
import tempfile
import time
from contextlib import closing
from pathlib import Path

from app.core import garbage
from app.tasks.copying import board_changes
from app.tasks.model import Board
from tests.bench.registry import Figure, bench
from tests.bench.turns import Turns
from tests.office import BOARD_ID, COLUMNS, HL, ROOM, Desk, desk

CARDS = 10_000
DESCRIPTION = "Långt yttrande å ä ö 🙂 " * 10


def fill(at: Desk) -> None:
    """A board with its cached state."""
    with closing(Board()) as board:
        board.setup(COLUMNS, done=3, title="Ärendets uppgifter")
        for n in range(CARDS):
            board.add_card(board.columns()[n % 4].id, f"Begär yttrande {n} å 🙂", description=DESCRIPTION, by=HL, t=1)
        with at.store.transaction():
            for data in board_changes(board):
                at.store.changes.append(ROOM, BOARD_ID, data)
        at.store.objects.set_crdt_state(BOARD_ID, at.store.changes.of(BOARD_ID)[-1].rowid, board.snapshot())


async def open_board(at: Desk) -> tuple[float, dict[str, object]]:
    """(Seconds until the board can be shown, what `Turns` saw)."""
    Board().close()  # the first one on a loop imports a part of the CRDT's library
    work, turns, began = asyncio.ensure_future(at.tasks.board_in_parts(ROOM)), Turns(), time.perf_counter()
    turns.start()
    board = await work
    took, seen = time.perf_counter() - began, turns.stop()
    assert len(board.all_cards()) == CARDS
    return took, seen


@bench("open_board_turn_ms", "open_board_s")
def opening() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, closing(desk(Path(folder), HL)) as at:
        fill(at)
        garbage.begin()
        took, turns = asyncio.run(open_board(at))
    note = f"{CARDS} cards; processor time; nearly all of it one call of pycrdt; {turns['turns']} turns"
    longest = turns["cpu_max"] if turns["over"] else turns["max"]
    assert isinstance(longest, float)
    return [
        Figure(name="open_board_turn_ms", value=longest, unit="ms", n=1, note=note),
        Figure(name="open_board_s", value=took, unit="s", n=1),
    ]
