# SPDX-License-Identifier: EUPL-1.2
"""Merges two versions of a short text that were both written from a third one, word by word.

This is for texts that are stored as one value, such as a card's description. Documents merge by their CRDT.
"""

import re
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

_TOKEN = re.compile(r"\n|[^\S\n]+|\S+")
MAX_PRODUCT = 40_000
"""Two sequences whose lengths have a larger product are divided before they are compared."""

MAX_DEPTH = 8
"""How often a text is divided again. A text could be made so that each division takes off one word."""

MAX_STEPS = 100_000
"""▲ How many words, and pairs of equal words, one comparison may read. The rest then counts as one place, where both
texts are kept. difflib alone takes time in proportion to the cube of a length: 40,000 characters in which every other
word is the same held the program for 24 s, and now for 0.1 s. A text of 6,000 words that two people changed in a
thousand places each takes 74,000."""

Change = tuple[int, int, int, int]
"""Tokens `start` to `end` of one text became tokens `start` to `end` of the other."""


def merge(base: str | None, one: str, other: str) -> str:
    """Merges `one` and `other`, which were both written from `base`: returns `other` with what `one` added to `base`,
    and without what `one` removed from it. Every word that either of them added is there, once if both added the same
    at one place. Words that both added at the same place are in the order `other`, `one`. If `base` is not known
    (None), nothing counts as removed."""
    if one in (other, base):
        return other
    if other == base:
        return one
    mine, theirs = _tokens(one), _tokens(other)
    old = _tokens(base) if base is not None else _common(mine, theirs)
    added_mine, removed_mine = _edits(old, mine)
    added_theirs, removed_theirs = _edits(old, theirs)
    merged: list[str] = []
    for at in range(len(old) + 1):
        merged += _both(added_theirs.get(at, []), added_mine.get(at, []))
        if at < len(old) and at not in removed_mine and at not in removed_theirs:
            merged.append(old[at])
    return "".join(_apart(merged))


def edits(old: str, new: str) -> list[tuple[int, int, str]]:
    """The edits that turn `old` into `new`, word by word: (start, end, replacement), in rising order; [] if they are
    equal. All positions are code points of `old`, so that a caller applies the last edit first."""
    before, after = _tokens(old), _tokens(new)
    places = [0, *accumulate(map(len, before))]
    return [
        (places[start], places[end], "".join(after[new_start:new_end]))
        for start, end, new_start, new_end in _changes(before, after)
    ]


def _tokens(text: str) -> list[str]:
    """Words, spaces and line breaks; joined, they are the text."""
    return _TOKEN.findall(text)


def _common(mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """The words that a comparison of two texts, each given as its words, finds in both, in their order; [] if there are
    none."""
    common, at = list[str](), 0
    for start, end, _, _ in _changes(mine, theirs):
        common += mine[at:start]
        at = end
    return [*common, *mine[at:]]


def _edits(old: Sequence[str], new: Sequence[str]) -> tuple[dict[int, list[str]], set[int]]:
    """How `new` differs from `old`: (the added words, by the index in `old` of the word that they precede, `len(old)`
    at the end; the indexes in `old` of the removed words). Replaced words are removed, and the new ones added in
    front."""
    added, removed = dict[int, list[str]](), set[int]()
    for start, end, new_start, new_end in _changes(old, new):
        removed.update(range(start, end))
        if new_end > new_start:
            added[start] = list(new[new_start:new_end])
    return added, removed


class _Effort:
    """The steps that one comparison may still take, MAX_STEPS at first, so that no text can stop the program."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def allows(self, steps: int) -> bool:
        """Whether so many `steps` are left. If so, deducts them; otherwise deducts nothing."""
        enough = steps <= self._left
        self._left -= steps if enough else 0
        return enough


def _both(theirs: Sequence[str], mine: Sequence[str]) -> list[str]:
    """Joins the words that two people added at one place: the longer ones alone if they contain the others in
    one piece, otherwise `theirs` and then `mine`, with a space or line break between them. [] for none."""
    if _holds(theirs, mine):
        return list(theirs)
    if _holds(mine, theirs):
        return list(mine)
    if theirs[-1].isspace() or mine[0].isspace():
        return [*theirs, *mine]
    return [*theirs, "\n" if "\n" in theirs or "\n" in mine else " ", *mine]


def _apart(merged: Sequence[str]) -> Iterator[str]:
    """Yields the merged words (spaces and line breaks count as words too), with a space added between any two that have
    none between them. A merge can bring words together: one person deleted the space between them, and the other wrote
    there. Otherwise the two words would become one."""
    before = " "
    for word in merged:
        if not before.isspace() and not word.isspace():
            yield " "
        yield word
        before = word


def _holds(outer: Sequence[str], inner: Sequence[str]) -> bool:
    """Whether the words `inner` occur in `outer` in one piece. Each word is mapped to one letter, since Python searches
    texts in linear time."""
    letters = dict[str, str]()
    one, other = ("".join(letters.setdefault(word, chr(len(letters))) for word in words) for words in (outer, inner))
    return other in one


def _changes(old: Sequence[str], new: Sequence[str], depth: int = 0, effort: _Effort | None = None) -> Iterator[Change]:
    """Yields the places where two texts, given as their words, differ (see `Change`): word by word if there are few
    enough. Longer texts are divided at words that occur once in both; `depth`: how often they were divided so far.
    Texts without such a word are compared by line, or count as one place. `effort` limits the work of the whole
    comparison; None for the usual limit."""
    effort = effort or _Effort()
    start, end, new_end = _trimmed(old, new)
    old, new = old[start:end], new[start:new_end]
    if len(old) * len(new) <= MAX_PRODUCT:
        found: Iterator[Change] = _matched(old, new, effort)
    elif depth < MAX_DEPTH and effort.allows(len(old) + len(new)) and (anchors := _anchors(old, new)):
        found = _between(old, new, anchors, depth + 1, effort)
    else:
        found = _by_line(old, new, effort)
    for a, b, c, d in found:
        yield a + start, b + start, c + start, d + start


def _between(
    old: Sequence[str], new: Sequence[str], anchors: Sequence[tuple[int, int]], depth: int, effort: _Effort
) -> Iterator[Change]:
    """Yields the places where two texts, given as their words, differ before, between and behind `anchors`: (position
    in `old`, position in `new`) of words that are the same in both. `depth`: how often the texts were divided so far.
    `effort` limits the work."""
    at = new_at = 0
    for to, new_to in [*anchors, (len(old), len(new))]:
        for a, b, c, d in _changes(old[at:to], new[new_at:new_to], depth, effort):
            yield a + at, b + at, c + new_at, d + new_at
        at, new_at = to + 1, new_to + 1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """(position in `old`, position in `new`) of words that occur exactly once in each text. Of these, the longest
    series whose order is the same in both, in that order; [] if there is none. Longer texts are divided there."""
    counts, new_counts = Counter(old), Counter(new)
    places = {word: at for at, word in enumerate(new) if new_counts[word] == 1}
    pairs = [(at, places[word]) for at, word in enumerate(old) if counts[word] == 1 and word in places]
    ends, tails, before = list[int](), list[int](), list[int]()
    for number, (_, place) in enumerate(pairs):  # the longest rising sequence: each pair behind the shortest end
        length = bisect_left(ends, place)
        ends[length : length + 1], tails[length : length + 1] = [place], [number]
        before.append(tails[length - 1] if length else -1)
    found, number = list[tuple[int, int]](), tails[-1] if tails else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _by_line(old: Sequence[str], new: Sequence[str], effort: _Effort) -> Iterator[Change]:
    lines, new_lines = _lines(old), _lines(new)
    if len(lines) * len(new_lines) > MAX_PRODUCT:
        yield 0, len(old), 0, len(new)
        return
    starts = [0, *accumulate(map(len, lines))]
    new_starts = [0, *accumulate(map(len, new_lines))]
    for a, b, c, d in _matched(lines, new_lines, effort):
        at, to, new_at, new_to = starts[a], starts[b], new_starts[c], new_starts[d]
        if (to - at) * (new_to - new_at) > MAX_PRODUCT:
            yield at, to, new_at, new_to
            continue
        for e, f, g, h in _matched(old[at:to], new[new_at:new_to], effort):
            yield e + at, f + at, g + new_at, h + new_at


def _matched(old: Sequence[Hashable], new: Sequence[Hashable], effort: _Effort) -> Iterator[Change]:
    """Yields the places where two sequences differ, as difflib's opcodes do: looks for the longest equal part first, as
    long as `effort`, the work that is left, allows. Anything not compared then counts as differing."""
    matcher, counts = SequenceMatcher(None, old, new, autojunk=False), Counter(new)
    steps = [0, *accumulate(1 + counts[word] for word in old)]
    same, waiting = [(len(old), len(new), 0)], deque([(0, len(old), 0, len(new))])
    while waiting:
        start, end, new_start, new_end = waiting.popleft()
        if start == end or new_start == new_end or not effort.allows(steps[end] - steps[start]):
            continue
        at, new_at, size = matcher.find_longest_match(start, end, new_start, new_end)
        if size:
            same.append((at, new_at, size))
            waiting += [(start, at, new_start, new_at), (at + size, end, new_at + size, new_end)]
    at = new_at = 0
    for start, new_start, size in sorted(same):
        if at < start or new_at < new_start:
            yield at, start, new_at, new_start
        at, new_at = start + size, new_start + size


def _lines(tokens: Sequence[str]) -> list[tuple[str, ...]]:
    lines, line = list[tuple[str, ...]](), list[str]()
    for word in tokens:
        line.append(word)
        if word == "\n":
            lines.append(tuple(line))
            line = []
    return [*lines, tuple(line)] if line else lines


def _trimmed(old: Sequence[str], new: Sequence[str]) -> tuple[int, int, int]:
    """Finds what is the same at both ends of two texts: (the number of equal words at the beginning, the end of the
    differing part in `old`, the end of it in `new`)."""
    start, end, new_end = 0, len(old), len(new)
    while start < min(end, new_end) and old[start] == new[start]:
        start += 1
    while start < min(end, new_end) and old[end - 1] == new[new_end - 1]:
        end -= 1
        new_end -= 1
    return start, end, new_end
