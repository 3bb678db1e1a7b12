# SPDX-License-Identifier: EUPL-1.2
"""Finds words in a document, and adapts the words that replace them. Positions are UTF-16 units."""

import unicodedata
from collections.abc import Sequence

from app.core.text_units import utf16_len
from app.core.words import places_of
from app.richtext.flow import Block

MAX_FOUND = 10_000


def find(
    blocks: Sequence[Block], words: str, *, case: bool = False, whole: bool = False, limit: int | None = MAX_FOUND
) -> list[tuple[int, int]]:
    """Finds `words` in the blocks: (position in the whole text, length), in UTF-16 units, of every place, in order, at
    most `limit` (None: all); never across paragraphs. [] for empty `words`. Letters with and without an accent or dots
    differ: a finds no å, e no é. `case`: large and small letters differ. `whole`: the place neither begins nor ends
    inside a word (letters, digits and underscores)."""
    found: list[tuple[int, int]] = []
    begin = 0
    for block in blocks:
        for at, end in _places(block.text, words, case=case, whole=whole):
            found.append((begin + utf16_len(block.text[:at]), utf16_len(block.text[at:end])))
            if len(found) == limit:
                return found
        begin += block.size_utf16
    return found


def like(found: str, sought: str, words: str) -> str:
    """Adapts `words`, which replace the text `found`, to the capitals of that text: if "verksamheten" is replaced by
    "bolaget", "Verksamheten" becomes "Bolaget" and "VERKSAMHETEN" "BOLAGET". The words stay as they are if the found
    text has other capitals or none, or is exactly as it was `sought`, so that "EU" can become "Unionen"."""
    if found == sought:
        return words
    letters = [char for char in found if char.isalpha()]
    if len(letters) > 1 and all(char.isupper() for char in letters):
        return words.upper()
    if found[:1].isupper():
        return words[:1].upper() + words[1:]
    return words


def _places(text: str, words: str, *, case: bool, whole: bool) -> list[tuple[int, int]]:
    """(begin, end) in code points of every place in `text` that has `words`. `case`: large and small letters differ;
    they do anyway in a text with a letter that becomes two when made small (İ). `whole`: the place neither begins nor
    ends inside a word (letters, digits and underscores). Places do not overlap; [] for empty `words`."""
    searched, wanted = text, words
    # some letters grow when made small (İ): then compare as written, so that positions stay right
    if not case and len(text.lower()) == len(text):
        searched, wanted = text.lower(), words.lower()
    found: list[tuple[int, int]] = []
    at = searched.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if not whole or not (_in_word(text, at) or _in_word(text, end)):
            found.append((at, end))
            at = searched.find(wanted, end)
        else:
            at = searched.find(wanted, at + 1)
    return found


def _in_word(text: str, at: int) -> bool:
    """Whether a word continues at a position: it has characters before and behind it."""
    return 0 < at < len(text) and _is_word(text[at - 1]) and _is_word(text[at])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")


def find_words(blocks: Sequence[Block], words: Sequence[str]) -> tuple[list[tuple[int, int]], int | None]:
    """Finds every word that begins with one of `words`, in any case, up to and with the paragraph in which MAX_FOUND
    are reached. Returns ((position, length) of each, in UTF-16 units of the whole text and in order; the position of
    the first of them in the paragraph that has most of the different `words`, None if there is none)."""
    found: list[tuple[int, int]] = []
    best, most, begin = None, 0, 0
    for block in blocks:
        text = block.text
        places = [(begin + utf16_len(text[:a]), utf16_len(text[a:b])) for a, b in places_of(text, words)]
        different = sum(bool(places_of(text, [word])) for word in words) if places else 0
        if different > most:
            best, most = places[0][0], different
        found += places
        if len(found) >= MAX_FOUND:
            break
        begin += block.size_utf16
    return found, best
