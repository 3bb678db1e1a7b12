# SPDX-License-Identifier: EUPL-1.2
"""A document's blocks as plain values beside the CRDT, and the position of each in the text.

Positions are UTF-16 units, as Qt counts, and UTF-8 bytes, as the CRDT does; the mirror converts between them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from app.core.text_units import utf8_from_utf16, utf16_from_utf8
from app.richtext.flow import Block, Edit, visible_edit


class Mirror:
    """A document's blocks in order, with their sizes in UTF-16 units and UTF-8 bytes, for converting positions. Only
    `replace` changes them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._sizes8: list[int] = []
        self._sizes16: list[int] = []
        self._starts16: list[int] | None = None
        self._words: int | None = None

    @property
    def size_utf8(self) -> int:
        """The whole text in bytes, every block's newline counted."""
        return sum(self._sizes8)

    @property
    def size_utf16(self) -> int:
        """The whole text in UTF-16 units, every block's newline counted."""
        return sum(self._sizes16)

    @property
    def words(self) -> int:
        """How many words, separated by white space, the text has."""
        if self._words is None:
            self._words = sum(block.words for block in self.blocks)
        return self._words

    def replace(self, first: int, removed: int, blocks: Sequence[Block]) -> None:
        """Replaces the `removed` blocks from number `first` on by `blocks`."""
        if self._words is not None:
            gone = self.blocks[first : first + removed]
            self._words += sum(block.words for block in blocks) - sum(block.words for block in gone)
        self.blocks[first : first + removed] = blocks
        self._sizes8[first : first + removed] = [block.size_utf8 for block in blocks]
        self._sizes16[first : first + removed] = [block.size_utf16 for block in blocks]
        self._starts16 = None

    # ---- places

    def find_utf16(self, pos: int) -> tuple[int, int]:
        """(number of the block at a UTF-16 position, the offset inside it). Positions outside the text are moved to the
        nearest end."""
        starts = self._starts()
        index = max(0, min(bisect_right(starts, pos) - 1, len(self.blocks) - 1))
        return index, max(0, min(pos - starts[index], self._sizes16[index] - 1))

    def find_utf8(self, pos: int) -> tuple[int, int]:
        """(number of the block at the byte position `pos`, the byte position where that block begins). A position
        outside the text gives the nearest block."""
        starts = list(accumulate(self._sizes8, initial=0))
        index = max(0, min(bisect_right(starts, pos) - 1, len(self.blocks) - 1))
        return index, starts[index]

    def start_utf16(self, index: int) -> int:
        """The UTF-16 position where a block begins."""
        return self._starts()[index]

    def start_utf8(self, index: int) -> int:
        """The byte position where a block begins."""
        return sum(self._sizes8[:index])

    def to_utf8(self, pos_utf16: int) -> int:
        """Converts a position in the whole text from UTF-16 units (`pos_utf16`) to UTF-8 bytes. One outside the text is
        moved to the nearest end (before the last newline)."""
        index, offset = self.find_utf16(pos_utf16)
        return self.start_utf8(index) + utf8_from_utf16(self.blocks[index].text, offset)

    def to_utf16(self, pos_utf8: int) -> int:
        """Converts a position in the whole text from UTF-8 bytes (`pos_utf8`) to UTF-16 units. Behind the text: its end
        (before the last newline). ValueError if negative."""
        index, start = self.find_utf8(pos_utf8)
        return self.start_utf16(index) + utf16_from_utf8(self.blocks[index].text, pos_utf8 - start)

    # ---- differences

    def trim(self, first: int, old: list[Block], new: list[Block]) -> tuple[int, list[Block], list[Block]]:
        """Drops from `old` and `new`, which replaces it, the blocks that are the same at both ends. Returns (number of
        the first block that differs, the rest of `old`, the rest of `new`). `first`: the number of the first old block.
        At the document's end one block of each remains if the counts differ."""
        at_end = first + len(old) == len(self.blocks)
        keep = 1 if at_end and len(old) != len(new) else 0
        start, least = 0, min(len(old), len(new)) - keep
        while start < least and old[start].same(new[start]):
            start += 1
        end = 0
        while end < least - start and old[-1 - end].same(new[-1 - end]):
            end += 1
        return first + start, old[start : len(old) - end], new[start : len(new) - end]

    def edits(self, start: int, old: Sequence[Block], new: Sequence[Block]) -> tuple[Edit, ...]:
        """The edits that a view must make to turn the blocks `old`, the first of which is number `start`, into
        `new`."""
        at = sum(self._sizes16[:start])
        if old and new:
            return visible_edit(at, old, new)
        if new:  # whole blocks before a block that stays
            return (Edit(at, 0, "".join(block.text + "\n" for block in new)),)
        return (Edit(at, sum(block.size_utf16 for block in old), ""),)

    def _starts(self) -> list[int]:
        if self._starts16 is None:
            self._starts16 = list(accumulate(self._sizes16, initial=0))[:-1]
        return self._starts16
