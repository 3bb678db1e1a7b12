# SPDX-License-Identifier: EUPL-1.2
"""The place in a conversation at which the window begins: a row, and how many pixels into it.

Pure arithmetic, no Qt. Rows are measured only when the window reaches them, so that the row at the top of the window
stays in its place when a guess turns out wrong.
"""

from collections.abc import Callable
from typing import Protocol

from app.core.signal import Signal
from ui.chat.floor import Floor
from ui.chat.heights import Heights


class Rows(Protocol):
    """What an `Anchor` reads of a list of messages: how many rows it has (`len`), and their heights."""

    @property
    def heights(self) -> Heights:
        """The heights in pixels, most of them guessed."""
        ...

    def __len__(self) -> int: ...

    def height(self, row: int) -> int:
        """The height of a row in pixels, measured."""
        ...


class Anchor:
    """The place in a list of rows at which the window begins: the row `row`, and `into` pixels further down. `at_end`:
    the latest row is in sight; the window then follows new ones, as far as `floor` (the first unseen row) lets it."""

    def __init__(self, rows: Rows) -> None:
        self.at_end_changed: Signal[bool] = Signal()
        self.row, self.into = 0, 0
        self.at_end = True
        self.floor = Floor()
        self._rows = rows

    def settle(self, height: int) -> bool:
        """Measures the rows that a window of this height (pixels) shows, and moves the place back into the list if it
        is beyond an end. Shows the latest row if `at_end`, and sets `at_end` if the list ends in the window; but if the
        first unseen row (`floor`) would leave the window, stops there, with `at_end` False. Returns True; False, with
        nothing measured, if there is no row or no window."""
        count = len(self._rows)
        if count == 0:
            self.row = self.into = 0
        if count == 0 or height <= 0:
            return False
        if not self.at_end or not self._to_end(count, height):
            self._normalise(count)
            self._fill(count, height)
        return True

    def go_to(self, row: int, into: int) -> None:
        """Makes the window (the visible part of the list) begin `into` pixels below the top of `row`, at the next
        `settle`. New rows are not followed, unless the list then ends in the window. Unseen rows may leave the
        window."""
        self.set_at_end(False)
        self.row, self.into, self.floor.row = row, into, None

    def go_to_end(self) -> None:
        """Makes the window (the visible part of the list) show the latest row, at the next `settle`, and follow new
        ones. Unseen rows may leave the window."""
        self.floor.row = None
        self.set_at_end(True)

    def move(self, by: int) -> None:
        """Scrolls by `by` pixels, down if positive; `settle` then measures the rows. Scrolling up ends following the
        latest row, and `settle` begins it again when the list ends in the window. Unseen rows may leave the window."""
        self.floor.row = None
        if by < 0:
            self.set_at_end(False)
        self.into += by

    def set_at_end(self, at_end: bool) -> None:
        """Sets whether the window follows the latest row (`at_end`), and emits `at_end_changed` if that changes it.
        Nothing is scrolled before the next `settle`."""
        if at_end != self.at_end:
            self.at_end = at_end
            self.at_end_changed.emit(at_end)

    def measure_again(self, forget: Callable[[], object]) -> None:
        """Calls `forget`, which drops the measured heights. The window then begins as far into its first row as before,
        in proportion to that row's height."""
        before = self._rows.heights[self.row] if len(self._rows) else 0
        forget()
        if before and self.into > 0:
            self.into = round(self.into * self._rows.height(self.row) / before)

    def insert(self, at: int, count: int, unseen: int | None) -> None:
        """Notes that `count` rows were inserted at the index `at`. The window keeps its place, unless it follows the
        latest row. `unseen` is the index of the first of them that the person has not seen; None if there is none. A
        window that follows does not push that row out."""
        if not self.at_end and at <= self.row:
            self.row += count
        self.floor.insert(at, count, unseen if self.at_end else None)

    def remove(self, at: int, count: int) -> None:
        """Notes that `count` rows were removed from the index `at` on; call it when they are gone. The window keeps the
        number of its first row, at most the last, so it shows later rows if rows above it were removed."""
        left = len(self._rows)
        self.row = max(0, min(self.row, left - 1))
        self.floor.remove(at, count, left)

    def rows_in_sight(self, height: int) -> range:
        """The indexes of the rows that a window of this height (pixels) shows, also those of which it shows a part.
        Empty without rows. Nothing is measured: a height may be a guess."""
        row, y, heights = self.row, -self.into, self._rows.heights
        while row < len(heights) and y < height:
            y += heights[row]
            row += 1
        return range(self.row, row)

    def row_at(self, y: int, height: int) -> int | None:
        """The index of the row that is `y` pixels below the beginning of a window of this height; None for none."""
        y += self.into
        for row in self.rows_in_sight(height) if y >= 0 else ():
            if y < self._rows.heights[row]:
                return row
            y -= self._rows.heights[row]
        return None

    def renew(self, row: int | None, floor: int | None) -> None:
        """Notes that the list of messages was built again, with other row numbers: the row at the top of the visible
        part (the window) has the number `row` now; None: it is gone, and the window goes to the latest message. The
        first unseen row, which following new messages must not push out of the window, is `floor` now; None: there is
        none."""
        self.floor.row = floor
        if row is not None:
            self.row = row
        else:
            self.into = 0
            self.set_at_end(True)

    def top(self, row: int) -> int:
        """How many pixels below the window's beginning the row begins; negative if above."""
        heights = self._rows.heights
        return heights.top(row) - heights.top(self.row) - self.into

    def _to_end(self, count: int, height: int) -> bool:
        """Places the window of this height so that the last of `count` rows ends in it, or as near to that as the floor
        allows (the first unseen row, which stays in the window). Returns whether the last row is in sight, and sets
        `at_end` to that."""
        row, seen = count, 0
        while row > 0 and seen < height:
            row -= 1
            seen += self._rows.height(row)
        self.row, self.into = row, max(0, seen - height)
        stopped = self.floor.row if self.floor.stops(self.row, self.into) else None
        if stopped is not None:
            self.row, self.into = stopped, 0
        self.set_at_end(stopped is None)
        return stopped is None

    def _normalise(self, count: int) -> None:
        """Changes `row` and `into` without moving the place: after scrolling, `into` may be outside `row`, and the
        place is then in another row, of `count` (at least 1). A place above the first row becomes that row's top."""
        self.row = min(self.row, count - 1)
        while self.into < 0 and self.row > 0:
            self.row -= 1
            self.into += self._rows.height(self.row)
        self.into = max(0, self.into)
        while self.into >= self._rows.height(self.row) and self.row < count - 1:
            self.into -= self._rows.height(self.row)
            self.row += 1

    def _fill(self, count: int, height: int) -> None:
        """Measures the rows from the place down to the end of a window of this height. If the `count` rows end at or
        above the window's end, places the window at the end of the list and sets `at_end`, as far as the first unseen
        row allows."""
        row, seen = self.row, -self.into
        while row < count and seen < height:
            seen += self._rows.height(row)
            row += 1
        if seen <= height and row == count:
            self._to_end(count, height)
