# SPDX-License-Identifier: EUPL-1.2
"""The heights of 100,000 rows, most of them guessed, with sums by blocks: where a row begins, which row is at a point.

Pure arithmetic, no Qt. Rows outside the window are never laid out; their height is the guess until they are seen.
"""

BLOCK = 512


class Heights:
    """Row heights in whole pixels."""

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
        """Forgets all that was measured."""
        self._rows = [self.guess] * count
        self._sum_from(0)

    def insert(self, at: int, count: int) -> None:
        """Inserts rows that are not measured yet."""
        self._rows[at:at] = [self.guess] * count
        self._sum_from(at)

    def remove(self, at: int, count: int) -> None:
        """Removes rows."""
        del self._rows[at : at + count]
        self._sum_from(at)

    def __getitem__(self, row: int) -> int:
        return self._rows[row]

    def __setitem__(self, row: int, height: int) -> None:
        self._sums[row // BLOCK] += height - self._rows[row]
        self._rows[row] = height

    def top(self, row: int) -> int:
        """Where a row begins."""
        block = row // BLOCK
        return sum(self._sums[:block]) + sum(self._rows[block * BLOCK : row])

    def at(self, y: int) -> tuple[int, int]:
        """(row, distance from its top) at a height; the first or last row outside. (0, 0) if there are no rows."""
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
