# SPDX-License-Identifier: EUPL-1.2
"""The floor: the first row that nobody has seen yet. A view that follows new messages does not push this row out of the
window.

Pure arithmetic, no Qt.
"""

from collections.abc import Callable


class Floor:
    """The first row of the conversation that the person has not seen yet (`row`, an index). While there is one, a
    view that follows new messages does not push it out of the window. `row` None: every row may leave the window."""

    def __init__(self) -> None:
        self.row: int | None = None

    def stops(self, row: int, into: int) -> bool:
        """Whether a window that begins `into` pixels into `row` begins below the floor."""
        return self.row is not None and (row, into) > (self.row, 0)

    def insert(self, at: int, count: int, unseen: int | None) -> None:
        """Notes that `count` rows were inserted at the index `at`. `unseen` is the index of the first of them that the
        person has not seen; None if there is none, or if the view follows no new messages. If there is no floor (first
        row that was not seen), `unseen` becomes it. A floor with a greater index than
        `at` moves by `count`; at the same index it stays, and is then the first inserted row."""
        if self.row is None:
            self.row = unseen
        elif at < self.row:
            self.row += count

    def remove(self, at: int, count: int, left: int) -> None:
        """Notes that `count` rows were removed from the index `at` on; `left` rows remain. The first unseen row moves
        with the others. If it was removed itself, the row after the removed ones takes its place; None if there is no
        such row."""
        if self.row is not None and at < self.row:
            self.row = max(at, self.row - count)
        if self.row is not None and self.row >= left:
            self.row = None

    def mark_seen(self, seen: Callable[[int], bool], count: int) -> None:
        """Moves the floor (the first row that the person has not seen) down to the first row for which `seen` returns
        False; to none if there is no such row. `count` is the number of rows."""
        while self.row is not None and seen(self.row):
            self.row = self.row + 1 if self.row + 1 < count else None
