# SPDX-License-Identifier: EUPL-1.2
"""The heights of 100,000 rows, most of them guessed, with sums by blocks: where a row begins, which row is at a point.

Pure arithmetic, no Qt. Rows outside the window are never laid out; their height is the guess until they are seen.
"""

BLOCK = 512


class Heights:
    """The heights of many rows, in whole pixels; a row that was not measured has the height `guess`. Finds quickly
    where a row begins."""

    def __init__(self, count: int, guess: int) -> None:
        self.guess = guess
        self._rows: list[int] = []
        self._sums: list[int] = []
        self.reset(count)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def total(self) -> int:
        """The height of everything."""
        return sum(self._sums)

    def reset(self, count: int) -> None:
        """Begins again with `count` rows, of which none is measured."""
        self._rows = [self.guess] * count
        self._sum_from(0)

    def insert(self, at: int, count: int) -> None:
        """Inserts `count` rows that are not measured yet, with the guessed height, at the index `at`."""
        self._rows[at:at] = [self.guess] * count
        self._sum_from(at)

    def remove(self, at: int, count: int) -> None:
        """Removes `count` rows from the index `at` on."""
        del self._rows[at : at + count]
        self._sum_from(at)

    def __getitem__(self, row: int) -> int:
        return self._rows[row]

    def __setitem__(self, row: int, height: int) -> None:
        self._sums[row // BLOCK] += height - self._rows[row]
        self._rows[row] = height

    def top(self, row: int) -> int:
        """How many pixels from the top of the first row this row begins."""
        block = row // BLOCK
        return sum(self._sums[:block]) + sum(self._rows[block * BLOCK : row])

    def at(self, y: int) -> tuple[int, int]:
        """The row at `y` pixels from the top of the first row, and how far below that row's top `y` is. If `y` is
        outside: the first row and 0, or the last row and its height. (0, 0) if there are no rows."""
        if not self._rows or y <= 0:
            return 0, 0
        block = 0
        while block < len(self._sums) - 1 and y >= self._sums[block]:
            y -= self._sums[block]
            block += 1
        row = block * BLOCK
        while row < len(self._rows) - 1 and y >= self._rows[row]:
            y -= self._rows[row]
            row += 1
        return row, min(y, self._rows[row])

    def _sum_from(self, row: int) -> None:
        first = row // BLOCK
        del self._sums[first:]
        for start in range(first * BLOCK, len(self._rows), BLOCK):
            self._sums.append(sum(self._rows[start : start + BLOCK]))
