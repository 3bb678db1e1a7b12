# SPDX-License-Identifier: EUPL-1.2
"""Which row of a list is under the pointer, also while rows come and go."""

from collections.abc import Callable


class Hover:
    """The row of a list that is under the pointer, by its index; -1 if none is. `report` is called with the row when it
    has become another one, or is seen at another place."""

    def __init__(self, report: Callable[[int], object]) -> None:
        self.row = -1
        self._report = report

    def move(self, row: int) -> None:
        """The pointer is over `row` now; -1: over none."""
        if row != self.row:
            self.row = row
            self._report(row)

    def end(self) -> None:
        """No row is under the pointer any more, as after scrolling."""
        self.move(-1)

    def follow(self, in_sight: range) -> None:
        """Reports the row again, which may be at another place now. If it is not among the rows `in_sight`, it is not
        under the pointer any more."""
        if self.row in in_sight:
            self._report(self.row)
        else:
            self.end()

    def insert(self, start: int, count: int) -> None:
        """Rows were inserted, `count` from index `start` on: the row keeps its message. Nothing is reported."""
        if start <= self.row:
            self.row += count

    def remove(self, start: int, end: int) -> None:
        """The rows from index `start` to `end` were removed. If the row is one of them, none is under the pointer."""
        if start <= self.row <= end:
            self.end()
        elif end < self.row:
            self.row -= end - start + 1
