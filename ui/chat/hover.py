# SPDX-License-Identifier: EUPL-1.2
"""Which row of a list is under the pointer, also while rows come and go."""

from collections.abc import Callable


class Hover:
    """The row of a list that is under the pointer, by its index; -1 if none is. `report` is called with that index,
    also with -1, when the pointer is over a different row now, or the row is seen at another place."""

    def __init__(self, report: Callable[[int], object]) -> None:
        self.row = -1
        self._report = report

    def move(self, row: int) -> None:
        """The pointer is over `row` now; -1: over none. Reported if that has changed."""
        if row != self.row:
            self.row = row
            self._report(row)

    def end(self) -> None:
        """No row is under the pointer any more, as after scrolling."""
        self.move(-1)

    def follow(self, in_sight: range) -> None:
        """Reports the row under the pointer again, which may be at another place now. If it is not among the rows
        `in_sight`, no row is under the pointer any more, and -1 is reported."""
        if self.row in in_sight:
            self._report(self.row)
        else:
            self.end()

    def insert(self, start: int, count: int) -> None:
        """Rows were inserted, `count` from index `start` on. The row under the pointer keeps its message, so its index
        may grow. Nothing is reported."""
        if start <= self.row:
            self.row += count

    def remove(self, start: int, end: int) -> None:
        """The rows from index `start` to `end`, that one included, were removed. If the row under the pointer is one of
        them, -1 is reported. Otherwise it keeps its message, and nothing is reported."""
        if start <= self.row <= end:
            self.end()
        elif end < self.row:
            self.row -= end - start + 1
