# SPDX-License-Identifier: EUPL-1.2
"""What happened in the room, between a conversation's messages: which kinds of lines are shown there, and which of them
are gathered into one.

The lines are no messages: they are not counted, never unread, and no row of the timeline. They belong to the message
that follows them, like the line with the day; what happened after the last message belongs to that one.
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
"""Gathered though other people did it: each did it for themselves."""
WITHIN_MS = 3_600_000
"""Lines of one kind are gathered if no more than an hour is between two."""
MOST = 6
"""The most lines between two messages; all others are gathered in one more."""
READ = 64
"""▲ The most events between two messages that are read one by one; the others are only counted. Otherwise a member
could make each painting of the conversation read 10,000 events."""
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Events that are shown as one line: one, or several of one kind, or (`mixed`) of several kinds. `more`: how many
    further ones it represents, which are not in `lines`."""

    lines: tuple[RoomLine, ...]
    mixed: bool = False
    more: int = 0

    @property
    def count(self) -> int:
        """How many events it represents."""
        return len(self.lines) + self.more

    @property
    def key(self) -> object:
        """What the line is known by while further events are gathered in it."""
        return self.lines[0].key

    @property
    def t(self) -> int:
        """When the last of them was (the server's time, ms)."""
        return self.lines[-1].t

    @property
    def day(self) -> date:
        """The local day of the last of them."""
        return clock.local(self.t).date()


Lines = tuple[Gathered, ...]


class LineRows(Protocol):
    """Reads the lines between a conversation's messages, for a `Timeline`."""

    def before(self, first: int, limit: int) -> list[Lines]:
        """The lines before each of the `limit` messages from the index `first` on. The index behind the last message
        counts as one more: its lines are those after that message."""
        ...

    def mark(self) -> object:
        """A value that differs when there are other lines than before."""
        ...


class NoLines:
    """`LineRows` of a conversation in which nothing but messages is shown."""

    def before(self, first: int, limit: int) -> list[Lines]:
        """No lines."""
        return [()] * limit

    def mark(self) -> object:
        """None."""
        return None


class Sorts(Protocol):
    """The sort keys of a conversation's messages: positions, or numbers above all of them."""

    def count(self) -> int: ...

    def sorts(self, first: int, limit: int) -> list[int]: ...


class ChatLines:
    """Reads what happened in a room between the messages of its conversation. `sorts` has the messages' sort keys."""

    def __init__(self, lines: RoomLines, room: RoomId, sorts: Sorts) -> None:
        self._lines = lines
        self._room = room
        self._sorts = sorts

    def mark(self) -> Mark:
        """A value that differs when something happened."""
        return self._lines.mark(self._room)

    def before(self, first: int, limit: int) -> list[Lines]:
        """The lines before each of the messages, as `LineRows.before` says."""
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
    """Gathers consecutive events of one kind, by one person, less than an hour apart, into one line each. Of more than
    MOST lines the rest is one line of several kinds, in which `more` further events are counted too."""
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
