# SPDX-License-Identifier: EUPL-1.2
"""Reads what happened in a room as lines between the messages of its conversation, and gathers similar lines into one.

The lines are no messages: they are not counted, are never unread, and have no row in the timeline. Like the line with
the day, they belong to the message that follows them. Lines after the last message belong to that message.
"""

from bisect import bisect_left
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
_PAGE = 1000


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
    """The sort keys of a conversation's messages: their positions. Messages without a position have higher numbers."""

    def count(self) -> int: ...

    def sorts(self, first: int, limit: int) -> list[int]: ...


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
        wanted = Wanted(kinds=SHOWN)
        found = self._lines.between(self._room, bounds[0], bounds[-1], _PAGE, wanted)
        if len(found) == _PAGE:
            made = [self._between(low, high) for low, high in pairwise(bounds)]
            return made + [()] * (limit - len(made))
        at, made = 0, []
        for high in bounds[1:]:
            to = bisect_left(found, high + 1, lo=at, key=lambda line: line.n)
            made.append(gather(found[at:to][:READ], more=max(0, to - at - READ)))
            at = to
        return made + [()] * (limit - len(made))

    def _between(self, low: int, high: int) -> Lines:
        if low >= high:
            return ()
        found = self._lines.between(self._room, low, high, READ, Wanted(kinds=SHOWN))
        more = self._lines.count(self._room, low, high, SHOWN) - READ if len(found) == READ else 0
        return gather(found, more=more)


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
