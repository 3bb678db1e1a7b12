# SPDX-License-Identifier: EUPL-1.2
"""The single edits that turn one order of keys into another: an item model emits them to its views instead of a
reset."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Removed:
    """An edit of a list: `count` rows are removed, from the index `first` on."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Moved:
    """An edit of a list: one row moves from the index `first` to `to`, its index after the move."""

    first: int
    to: int

    @property
    def before(self) -> int:
        """The row before which it is inserted, by its index before the move. Qt's models count so."""
        return self.to if self.to < self.first else self.to + 1


@dataclass(frozen=True, slots=True)
class Inserted:
    """An edit of a list: `count` new rows are inserted from the index `first` on. They are the rows of the new list
    with these indexes."""

    first: int
    count: int


Edit = Removed | Moved | Inserted


def edits(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Edit]:
    """Returns the edits that turn a list with the keys `old` into one with the keys `new`, in the order in which they
    are to be done: removed rows, the last one first; moves; new rows, the first one first.

    An edit's index counts in the list as the edits before it have left it. As few rows as possible are moved. If a key
    occurs several times, its first row in `old` becomes its first row in `new`, the second its second, and so on.
    """
    before, after = _numbered(old), _numbered(new)
    there, wanted = set(before), set(after)
    found: list[Edit] = _removals(before, wanted)
    found += _moves([key for key in before if key in wanted], [key for key in after if key in there])
    return found + _insertions(after, there)


def _removals(before: Sequence[Hashable], wanted: set[Hashable]) -> list[Edit]:
    found: list[Edit] = []
    end = len(before)
    while end:
        start = end
        while start and before[start - 1] not in wanted:
            start -= 1
        if start < end:
            found.append(Removed(start, end - start))
        end = max(0, start - 1)
    return found


def _moves(now: list[Hashable], after: Sequence[Hashable]) -> list[Edit]:
    """The moves that bring the keys `now` into the order `after`; both have the same keys. As many keys as possible
    stay where they are. An index counts in the list as the moves before it have left it. `now` is changed."""
    place = {key: at for at, key in enumerate(after)}
    staying = _longest_rise([place[key] for key in now])
    found: list[Edit] = []
    for at, key in enumerate(after):
        if at not in staying:
            first = now.index(key)
            del now[first]
            to = now.index(after[at - 1]) + 1 if at else 0
            now.insert(to, key)
            if first != to:
                found.append(Moved(first, to))
    return found


def _insertions(after: Sequence[Hashable], there: set[Hashable]) -> list[Edit]:
    found: list[Edit] = []
    start = 0
    while start < len(after):
        end = start
        while end < len(after) and after[end] not in there:
            end += 1
        if end > start:
            found.append(Inserted(start, end - start))
        start = end + 1
    return found


def _longest_rise(places: Sequence[int]) -> set[int]:
    """The members of a longest rising subsequence of `places`, different numbers (patience sorting)."""
    tops: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tops, place)
        before[place] = tops[at - 1] if at else None
        tops[at : at + 1] = [place]
    found: set[int] = set()
    last = tops[-1] if tops else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _numbered(keys: Sequence[Hashable]) -> list[Hashable]:
    """Each key as (key, how often it occurred before), in the same order, so that no two members are equal."""
    seen: Counter[Hashable] = Counter()
    found: list[Hashable] = []
    for key in keys:
        found.append((key, seen[key]))
        seen[key] += 1
    return found
