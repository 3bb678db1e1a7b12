# SPDX-License-Identifier: EUPL-1.2
"""Copies of a board of 1,000 cards with long descriptions: how long the event loop does nothing else."""

import asyncio
import tempfile
import time
from contextlib import closing
from pathlib import Path

from app.core import garbage
from app.core.ids import ObjId, RoomId
from app.store import objects as object_rows
from app.tasks import KIND as BOARD
from app.tasks.copying import board_changes
from app.tasks.model import Board
from app.tasks.service import new_board
from tests.bench.registry import Figure, bench
from tests.bench.turns import Turns
from tests.office import BOARD_ID, COLUMNS, HL, ROOM, Desk, desk

CARDS = 1000
OTHER_ROOM, INTO = RoomId(b"z" * 16), ObjId(b"i" * 16)
DESCRIPTION = "Långt yttrande å ä ö 🙂 " * 60


def fill(at: Desk) -> None:
    """A board of CARDS cards, and an empty one in another room."""
    with closing(Board()) as board, at.store.transaction() as conn:
        board.setup(COLUMNS, done=3, title="Ärendets uppgifter")
        for n in range(CARDS):
            board.add_card(board.columns()[n % 4].id, f"Begär yttrande {n} å 🙂", description=DESCRIPTION)
        for data in board_changes(board):
            at.store.changes.append(ROOM, BOARD_ID, data)
        object_rows.announce(conn, OTHER_ROOM, INTO, BOARD.id, 1, HL)
    at.store.changes.append(OTHER_ROOM, INTO, new_board("Uppföljning", COLUMNS))


async def copy_both(at: Desk) -> list[tuple[float, dict[str, object]]]:
    """Copies the board, then its cards into the other room's. (Seconds, what `Turns` saw) of each."""
    Board().close()  # the first one on a loop imports a part of the CRDT's library
    seen = []
    for copy in (at.tasks.copy(BOARD_ID), at.tasks.copy_cards(BOARD_ID, OTHER_ROOM, INTO)):
        work, turns, began = asyncio.ensure_future(copy), Turns(), time.perf_counter()
        turns.start()
        await work
        took = time.perf_counter() - began
        seen.append((took, turns.stop()))
    return seen


@bench("copy_board_turn_ms", "copy_board_s", "copy_cards_turn_ms", "copy_cards_s")
def copying() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, closing(desk(Path(folder), HL)) as at:
        fill(at)
        garbage.begin()
        seen = asyncio.run(copy_both(at))
    figures = []
    for name, (took, turns) in zip(("copy_board", "copy_cards"), seen, strict=True):
        note = f"{CARDS} cards; processor time; {turns['turns']} turns; by the clock {turns['max']:.1f} ms"
        figures += [
            Figure(name=f"{name}_turn_ms", value=_processor_ms(turns), unit="ms", n=1, note=note),
            Figure(name=f"{name}_s", value=took, unit="s", n=1),
        ]
    return figures


def _processor_ms(turns: dict[str, object]) -> float:
    """The most processor time of a turn that took long by the clock; without such a turn, the longest by the clock."""
    longest = turns["cpu_max"] if turns["over"] else turns["max"]
    assert isinstance(longest, float)
    return longest
