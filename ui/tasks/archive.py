# SPDX-License-Identifier: EUPL-1.2
"""The board's archived tasks: to read one, or to restore some."""

from PySide6.QtWidgets import QWidget

from app.core.collation import swedish_key
from app.tasks.model import Board, Card
from ui.kit.pick_dialog import PickDialog
from ui.kit.translate import short_day, tr


class ArchiveDialog(PickDialog[str]):
    """A dialog that lists a board's archived cards by title, each with its column and due date. The caller restores
    those in `chosen()` if it is accepted, or opens the one in `opened`: both hold ids of cards. `writable` False: none
    can be restored."""

    def __init__(self, parent: QWidget | None, board: Board, *, writable: bool = True) -> None:
        cards = sorted(board.archived(), key=lambda card: swedish_key(card.title))
        super().__init__(
            parent,
            tr("Archived tasks"),
            [(card.id, _line(card, board)) for card in cards],
            accept=tr("Put back on the board"),
            writable=writable,
        )


def _line(card: Card, board: Board) -> str:
    column = board.column_of(card.id)
    due = tr("due {day}").format(day=short_day(card.due)) if card.due is not None else ""
    return " · ".join(part for part in (card.title, column.title if column else "", due) if part)
