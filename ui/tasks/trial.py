# SPDX-License-Identifier: EUPL-1.2
"""How `kansli --selftest` tries tasks: a card is added to the room's board, and read."""

from app.core.ids import RoomId
from app.tasks.service import TaskService
from ui.tool import Trial


def _write(service: TaskService, room: RoomId, words: str) -> None:
    board = service.board(room)
    board.add_card(board.columns()[0].id, words)


def _reads(service: TaskService, room: RoomId, words: str) -> bool:
    return any(words in task.title for task in service.tasks(room))


TRIAL = Trial(write=_write, reads=_reads, checks=())
