# SPDX-License-Identifier: EUPL-1.2
"""Finding words in a document: positions in UTF-16 units, letters alike whether large or small."""

from collections.abc import Sequence

from app.core.text_units import utf16_len
from app.documents.flow import Block

MAX_FOUND = 10_000


def find(blocks: Sequence[Block], words: str) -> list[tuple[int, int]]:
    """(position, length) of every place, in order; never across paragraphs. Å is not a, as in Swedish."""
    wanted = words.lower()
    if not wanted:
        return []
    found: list[tuple[int, int]] = []
    begin = 0
    for block in blocks:
        text = block.text
        lower = text.lower()
        # some letters grow when made small (İ): then compare as written, so that positions stay right
        if len(lower) != len(text):
            lower, wanted_here = text, words
        else:
            wanted_here = wanted
        at = lower.find(wanted_here)
        while at >= 0:
            end = at + len(wanted_here)
            found.append((begin + utf16_len(text[:at]), utf16_len(text[at:end])))
            if len(found) >= MAX_FOUND:
                return found
            at = lower.find(wanted_here, end)
        begin += block.size_utf16
    return found
