# SPDX-License-Identifier: EUPL-1.2
"""kill -9 while colleagues type: whatever was being tried or merged, no honest change is skipped."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.ids import ChangeId, ObjId, new_change
from app.store.store import Store
from app.tasks.model import Board
from app.worker.client import Worker
from tests.app.poison import Writer
from tests.app.store.test_trials import KINDS, NOTE, ROOT, Desk, found_room, settled
from tests.office import BOARD_ID, COLUMNS, KEY
from tests.one_change import one_change as board_change

KILLS = 50
CHANGES = 400


def typed(count: int) -> tuple[list[tuple[ObjId, ChangeId, bytes]], Writer, Board]:
    """So many changes of a document and a board, in the order in which colleagues made them, and what they make."""
    writer, updates = Writer(), list[bytes]()
    board = Board(updates.append)
    board.setup(COLUMNS)
    data = [(NOTE, d) for d in writer.take()]
    while len(data) < count:
        data.append((NOTE, writer.types(f"Ord {len(data)} åäö 🙂. ")))
        board.add_card(board.columns()[0].id, f"Aktbilaga {len(data)} å")
        data += [(BOARD_ID, board_change(update)) for update in updates]
        updates.clear()
    return [(obj, new_change(), d) for obj, d in data], writer, board


class Reader:
    """Starts readers one after the other."""

    def __init__(self, path: Path, changes: Path) -> None:
        command = [sys.executable, "-m", "tests.app.store.typing_reader", str(path), str(changes)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, slices: int | None) -> tuple[int, int]:
        """Lets a reader take in so many slices and kills it at once (None: lets it end); (how many changes it had said
        were stored, its exit status)."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        child, stored = int(self._line()), 0
        while True:
            if slices == 0:
                os.kill(child, signal.SIGKILL)
            slices = None if slices is None else slices - 1
            line = self._line()
            if line.startswith("end "):
                return stored, int(line.split()[1])
            stored = int(line)

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.mark.slow
async def test_no_honest_change_is_skipped_by_fifty_times_kill_9_while_colleagues_type(tmp_path: Path) -> None:
    path, file = tmp_path / "store.db", tmp_path / "changes"
    changes, writer, board = typed(CHANGES)
    file.write_text("\n".join(json.dumps([part.hex() for part in change]) for change in changes))
    store = Store.create(path, KEY, KINDS)
    found_room(store)
    store.close()
    reader, again = Reader(path, file), random.Random(1)
    output = max(reader.run(again.randint(0, 2 * CHANGES // (3 * KILLS)))[0] for _ in range(KILLS))
    _, status = reader.run(None)
    reader.close()
    assert status == 0
    store = Store.open(path, KEY, KINDS, None, Worker())
    running = asyncio.ensure_future(store.trials.run())
    desk = Desk(path, store)
    for obj in (NOTE, BOARD_ID):
        await settled(desk, obj)
    assert store.held_changes.quarantined() == []
    assert desk.text() == writer.document.plain_text()
    titles = {row[0] for row in store.db.rows("SELECT title FROM board_cards")}
    assert titles == {card.title for card in board.all_cards()}
    assert 0 < output <= len(changes)
    running.cancel()
    store.close()
