# SPDX-License-Identifier: EUPL-1.2
"""Reads what happened in a room as lines between the messages of its conversation, and gathers similar lines into one.

The lines are no messages: they are not counted, are never unread, and have no row in the timeline. Like the line with
the day, they belong to the message that follows them. Lines after the last message belong to that message.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Protocol

from app.chat.tables import PENDING
from app.core import clock
from app.core.ids import RoomId
from app.store.room_lines import SHOWN, Mark, RoomLine, RoomLines, Wanted

_BY_ANYBODY = ("joined", "leave", "reset")
"""The kinds of which lines by different people are gathered, since everybody does this for themselves."""
WITHIN_MS = 3_600_000
"""Milliseconds: two consecutive lines of one kind are gathered if no more time is between them."""
MOST = 6
"""The most gathered lines between two messages. If there are more, the last of these represents all others."""
READ = 64
"""▲ The most events between two messages that are read one by one; the others are only counted. Otherwise a member
could make each painting of the conversation read 10,000 events."""
PAGE_LINES = 4 * READ
"""The most events that are read one by one for a page of 128 messages: 2.5 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Events that are shown as one line: one event, several of one kind, or (`mixed`) of several kinds. `more`: how
    many further events the line represents that are not in `lines`."""

    lines: tuple[RoomLine, ...]
    mixed: bool = False
    more: int = 0

    @property
    def count(self) -> int:
        """How many events the line represents."""
        return len(self.lines) + self.more

    @property
    def key(self) -> object:
        """Identifies the line; it stays the same while further events are gathered into it."""
        return self.lines[0].key

    @property
    def t(self) -> int:
        """The time of the last event in `lines` (by the server's clock, ms)."""
        return self.lines[-1].t

    @property
    def day(self) -> date:
        """The local day of the last event in `lines`."""
        return clock.local(self.t).date()


Lines = tuple[Gathered, ...]


class LineRows(Protocol):
    """Reads the lines between a conversation's messages, for a `Timeline`."""

    def before(self, first: int, limit: int) -> list[Lines]:
        """The lines before each of the `limit` messages from the index `first` on, as a list of `limit` items. The
        index after the last message is allowed too: its lines are those after that message."""
        ...

    def mark(self) -> object:
        """A value that changes when the lines have changed."""
        ...


class NoLines:
    """The `LineRows` of a conversation that shows only messages."""

    def before(self, first: int, limit: int) -> list[Lines]:
        """No lines."""
        return [()] * limit

    def mark(self) -> object:
        """None."""
        return None


class Sorts(Protocol):
    """The sort keys of a conversation's messages, ascending: their positions. A message without a position has a higher
    number than all positions."""

    def count(self) -> int:
        """How many messages the conversation has."""
        ...

    def sorts(self, first: int, limit: int) -> list[int]:
        """The sort keys of `limit` messages from the index `first` on; fewer at the end."""
        ...


class ChatLines:
    """The `LineRows` of a room's conversation. `sorts`: the sort keys of its messages."""

    def __init__(self, lines: RoomLines, room: RoomId, sorts: Sorts) -> None:
        self._lines = lines
        self._room = room
        self._sorts = sorts

    def mark(self) -> Mark:
        """A value that changes when something happens in the room."""
        return self._lines.mark(self._room)

    def before(self, first: int, limit: int) -> list[Lines]:
        """See `LineRows.before`."""
        count = self._sorts.count()
        sorts = self._sorts.sorts(max(0, first - 1), limit + min(first, 1))
        bounds = [min(sort, PENDING) for sort in ([] if first else [0]) + sorts]
        if first + limit > count:
            bounds.append(PENDING)
        made = self._read(bounds)
        return made + [()] * (limit - len(made))

    def _read(self, bounds: Sequence[int]) -> list[Lines]:
        """The lines between each two of the positions `bounds`. ▲ Of each gap only the first are read, of all gaps
        together at most PAGE_LINES; the others are only counted. Otherwise a member who writes a message after every 25
        events could make each painting of the conversation read 3,000 events."""
        places = self._lines.positions(self._room, bounds[0], bounds[-1], SHOWN)
        cuts = [bisect_right(places, bound) for bound in bounds]
        gaps = [places[low:high] for low, high in pairwise(cuts)]
        most = min(READ, PAGE_LINES // max(1, sum(map(bool, gaps))))
        at = {n for gap in gaps for n in gap[:most]} if len(places) > PAGE_LINES else places
        found = self._between(bounds[0], bounds[-1], PAGE_LINES, sorted(at))
        made = []
        for gap, low, high in zip(gaps, bounds, bounds[1:], strict=False):
            first = bisect_right(found, low, key=lambda line: line.n)
            lines = found[first : first + min(most, len(gap))]
            lines = lines or self._between(low, high, 1, gap[:1])  # one position may have more lines than PAGE_LINES
            made.append(gather(lines, more=len(gap) - len(lines)))
        return made

    def _between(self, low: int, high: int, limit: int, at: Sequence[int]) -> Sequence[RoomLine]:
        """The first `limit` lines above the position `low` and up to `high` that are at the positions `at`."""
        return self._lines.between(self._room, low, high, limit, Wanted(kinds=SHOWN, at=at)) if at else []


def gather(lines: Sequence[RoomLine], *, more: int = 0) -> Lines:
    """Gathers events into lines: consecutive ones of one kind, at most an hour apart, and by one person unless the kind
    is in _BY_ANYBODY. Returns at most MOST lines: if there would be more, or if `more` further events are to be
    counted, the last line is `mixed` and represents all others."""
    groups: list[list[RoomLine]] = []
    for line in lines:
        if groups and _belong(groups[-1][-1], line):
            groups[-1].append(line)
        else:
            groups.append([line])
    shown = groups if len(groups) <= MOST and not more else groups[: min(len(groups), MOST) - 1]
    rest = [line for group in groups[len(shown) :] for line in group]
    made = [Gathered(lines=tuple(group)) for group in shown]
    if rest:
        made.append(Gathered(lines=tuple(rest), mixed=True, more=more))
    return tuple(made)


def _belong(one: RoomLine, other: RoomLine) -> bool:
    same = (one.kind, one.history) == (other.kind, other.history) and other.t - one.t <= WITHIN_MS
    return same and other.kind != "genesis" and (one.by == other.by or one.kind in _BY_ANYBODY)
