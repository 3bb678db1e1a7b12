# SPDX-License-Identifier: EUPL-1.2
"""The first row that nobody has seen yet: a view that follows new messages does not push it out of the window.

Pure arithmetic, no Qt.
"""

from collections.abc import Callable


class Floor:
    """`row` is None while everything may leave the window."""

    def __init__(self) -> None:
        self.row: int | None = None

    def stops(self, row: int, into: int) -> bool:
        """Whether a window that begins so far into a row begins below the floor."""
        return self.row is not None and (row, into) > (self.row, 0)

    def insert(self, at: int, count: int, unseen: int | None) -> None:
        """New rows. `unseen`: the first of them that is to be seen, if the view follows; the floor if there is none."""
        if self.row is None:
            self.row = unseen
        elif at < self.row:
            self.row += count

    def remove(self, at: int, count: int, left: int) -> None:
        """Rows are gone; so many are left."""
        if self.row is not None and at < self.row:
            self.row = max(at, self.row - count)
        if self.row is not None and self.row >= left:
            self.row = None

    def let_go(self, seen: Callable[[int], bool], count: int) -> None:
        """Goes on to the first row that has not been seen, of so many."""
        while self.row is not None and seen(self.row):
            self.row = self.row + 1 if self.row + 1 < count else None
