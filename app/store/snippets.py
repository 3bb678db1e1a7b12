# SPDX-License-Identifier: EUPL-1.2
"""The part of a text in which a search found its words.

FTS5's own `snippet()` weighs every place in the row against every other: one document with the word in 40,000 lines
took it 20 s. This module reads a text once, and only until all words have been found near each other.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.words import WORD

MARK_START, MARK_END = "\x02", "\x03"
"""Around the found words in a snippet; the interface turns them into bold."""

SNIPPET_WORDS = 16
_NEAR_CHARS = 120
"""Words within this distance are shown together: 16 words have about that many letters."""
_CUT = "…"


def snippet(texts: Sequence[str], words: Sequence[str]) -> str:
    """About 16 words around the place where most of `words` are, with those between MARK_START and MARK_END, and …
    where it is cut. Taken from the first of `texts` (at least one) that has most of the words. If no text has any, the
    beginning of the last text: the index and this module may split an unusual text into different words."""
    wanted = [word.lower() for word in words]
    best, found = texts[-1], _Match(0, 0, 0)
    for text in texts:
        here = _look(text, wanted)
        if here.count > found.count:
            best, found = text, here
        if found.count == len(set(wanted)):
            break
    return _cut(best, found, wanted)


@dataclass(frozen=True, slots=True)
class _Match:
    """A place in a text with `count` different search words, from the offset `start` to `end`, the end of the last of
    them, in code points."""

    count: int
    start: int
    end: int


def _look(text: str, wanted: Sequence[str]) -> _Match:
    """Finds the first place in `text` where the most of the different words `wanted` are within _NEAR_CHARS of each
    other. It stops once all are found. A place with `count` 0, at the beginning, if `text` has none. `wanted` is in
    small letters; a word of the text need only begin with it."""
    lowered = _lowered(text)
    best = _Match(0, 0, 0)
    latest: dict[str, int] = {}
    all_of_them = len(set(wanted))
    for at, word in heapq.merge(*(_places(lowered, word) for word in set(wanted))):
        latest[word] = at
        near = [place for place in latest.values() if place > at - _NEAR_CHARS]
        if len(near) > best.count:
            best = _Match(len(near), min(near), at + len(word))
        if best.count == all_of_them:
            break
    return best


def _lowered(text: str) -> str:
    """The text in small letters, with every letter at its old offset. A letter whose small form is two letters (İ) is
    left as it is."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _places(text: str, word: str) -> Iterator[tuple[int, str]]:
    """Yields (offset, `word`) for each place where a word of `text` begins with `word`. `find` reads 100 MB/s; going
    from word to word took a second for a million."""
    at = text.find(word)
    while at >= 0:
        if not at or not text[at - 1].isalnum():
            yield at, word
        at = text.find(word, at + 1)


def _cut(text: str, found: _Match, wanted: Sequence[str]) -> str:
    """Cuts a snippet out of `text`: the place `found` with some words on both sides. Marks the words that begin with
    one of `wanted`, and shows with an ellipsis where it was cut."""
    inside = WORD.findall(text, found.start, found.end)
    spare = max(0, SNIPPET_WORDS - len(inside))
    start, before = _before(text, found.start, spare // 2)
    last = WORD.match(text, found.end)
    end = _after(text, last.end() if last is not None else found.end, spare - before)
    parts, at = [_CUT if start else ""], start
    for match in WORD.finditer(text, start, end):
        if match.group().lower().startswith(tuple(wanted)):
            parts += [text[at : match.start()], MARK_START, match.group(), MARK_END]
            at = match.end()
    return "".join([*parts, text[at:end], _CUT if end < len(text) else ""])


def _before(text: str, at: int, words: int) -> tuple[int, int]:
    """Goes back `words` words in `text` from the offset `at`. Returns (the offset where they begin, how many words
    there are): fewer words and offset 0 at the beginning of the text. Fewer also among very long words, since it looks
    back at most 64 characters per word."""
    reach = max(0, at - 64 * (words + 1))
    found = list(WORD.finditer(text, reach, at))
    if len(found) <= words and not reach:
        return 0, len(found)
    kept = found[1:][-words:] if words else []  # the first may be the end of a word
    return (kept[0].start() if kept else at), len(kept)


def _after(text: str, at: int, words: int) -> int:
    """The offset in `text` where `words` words after the offset `at` end; the end of the text if no word follows
    them."""
    end = at
    for number, match in enumerate(WORD.finditer(text, at)):
        if number == words:
            return end
        end = match.end()
    return len(text)
