# SPDX-License-Identifier: EUPL-1.2
"""Dragging a card, as pure logic: when it begins, where it would land, how fast the board scrolls. No Qt.

The board gives rectangles in its own coordinates and asks; QDrag is not used, for it does nothing offscreen and
cannot be cancelled by Escape everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

START_PX = 6
EDGE_PX = 36
FASTEST_PX = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in the coordinates of the board's viewport, its visible part."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> float:
        """Half of the height down."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A column of the board as it is now, in the coordinates of the board's viewport: where it is, and where its cards
    are (id, rectangle), from the top, without the dragged one."""

    column: str
    box: Box
    cards: tuple[tuple[str, Box], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Where a dragged card would land: in a column, before the card `before`, or last if that is None. `y` is where the
    line that shows it is drawn, in the coordinates of the board's viewport."""

    column: str
    before: str | None
    y: int


class Phase(Enum):
    """How far the dragging of a card has come: not begun, the mouse button is pressed, or the card follows the
    pointer."""

    IDLE = "idle"
    PRESSED = "pressed"
    DRAGGING = "dragging"


class Drag:
    """Follows the dragging of a card: from the press of the mouse button, by the moves, to the release. One at a time.
    Points are in the coordinates of the board's viewport."""

    def __init__(self) -> None:
        self.phase = Phase.IDLE
        self.card = ""
        self.start = (0, 0)
        self.at = (0, 0)

    def press(self, card: str, x: int, y: int) -> None:
        """Notes that the mouse button was pressed on the card with the id `card`, at the point (`x`, `y`) of the
        board's viewport."""
        self.phase, self.card = Phase.PRESSED, card
        self.start = self.at = (x, y)

    def move(self, x: int, y: int) -> bool:
        """Notes that the pointer has moved to the point (`x`, `y`) of the board's viewport. Returns True once: when it
        is far enough from the press (START_PX, both directions added) to begin the drag."""
        self.at = (x, y)
        far = abs(x - self.start[0]) + abs(y - self.start[1]) >= START_PX
        if self.phase is Phase.PRESSED and far:
            self.phase = Phase.DRAGGING
            return True
        return False

    def release(self, lanes: Sequence[Lane]) -> Drop | None:
        """Ends the drag. Returns where the card lands among these columns, or None if no card was being dragged (a
        click, or a drag that was cancelled) or there is no column."""
        dropped = self.target(lanes) if self.phase is Phase.DRAGGING else None
        self.cancel()
        return dropped

    def cancel(self) -> None:
        """Ends the gesture without moving a card: Escape, or the window lost the pointer."""
        self.phase, self.card = Phase.IDLE, ""

    @property
    def dragging(self) -> bool:
        """Whether a card is being dragged."""
        return self.phase is Phase.DRAGGING

    def target(self, lanes: Sequence[Lane]) -> Drop | None:
        """Where the card would land now among these columns: in the one that is nearest sideways, before the first card
        whose middle is below the pointer, otherwise last. None if there is no column."""
        if not lanes:
            return None
        x, y = self.at
        lane = min(lanes, key=lambda one: max(one.box.x - x, x - one.box.x - one.box.width, 0))
        for card, box in lane.cards:
            if y < box.middle:
                return Drop(column=lane.column, before=card, y=box.y - 5)
        last = lane.cards[-1][1] if lane.cards else None
        return Drop(column=lane.column, before=None, y=last.y + last.height + 5 if last else lane.box.y + 4)


def scroll_speed(at: int, low: int, high: int) -> int:
    """How many pixels to scroll at each tick in one direction, when the pointer is at `at` and what scrolls goes from
    `low` to `high` (the same coordinates): negative near (or beyond) the low edge, positive near the high one, faster
    the nearer, and 0 in between."""
    if at < low + EDGE_PX:
        return -min(FASTEST_PX, 1 + (low + EDGE_PX - at) // 2)
    if at > high - EDGE_PX:
        return min(FASTEST_PX, 1 + (at - high + EDGE_PX) // 2)
    return 0
