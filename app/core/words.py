# SPDX-License-Identifier: EUPL-1.2
"""Splits texts into words for search. Views that mark found words use the same rule as the index."""

import re
from collections.abc import Sequence

WORD = re.compile(r"[^\W_\u19b0-\u19c0\u19c8\u19c9\u1cf2\u1cf3]+")
"""Every character that is no letter or digit separates words, and so do 21 letters that SQLite's tokenizer does not
take for letters. Otherwise one of these words would be several for the index, which refuses to search for that."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of what a person typed."""
    return tuple(WORD.findall(text))


def places_of(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """(start, end) in code points, as for a slice, of each whole word in `text` that begins with one of `words`, in the
    order of the text; [] if `words` is empty. Every character but letters and digits separates words. Large and small
    letters are alike. Letters with and without an accent or dots are not: `e` finds
    no é, and `a` no å."""
    wanted = tuple(word.lower() for word in words)
    if not wanted:
        return []
    return [match.span() for match in WORD.finditer(text) if match.group().lower().startswith(wanted)]
