# SPDX-License-Identifier: EUPL-1.2
"""The blocks that a selection touches, and edits in their place."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.text_units import point_from_utf16
from app.richtext import edits
from app.richtext.flow import Block, Run, Style, joined
from app.richtext.model import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedBlocks:
    """The blocks of a document that a selection touches; the first is number `first`. The selection is from offset
    `begin` in the first block to `end` in the last one (both in UTF-16 units)."""

    first: int
    begin: int
    end: int
    blocks: Sequence[Block]

    @classmethod
    def of(cls, document: Document, start: int, length: int) -> "SelectedBlocks":
        """The blocks that a range of the document touches: `length` UTF-16 units from position `start` on. The block in
        which the range ends is one of them, even if it ends at that block's beginning."""
        first, begin = document.find_block(start)
        last, end = document.find_block(start + length)
        return cls(first=first, begin=begin, end=end, blocks=document.blocks()[first : last + 1])

    @property
    def last(self) -> int:
        """The number of the last block."""
        return self.first + len(self.blocks) - 1

    @property
    def styles(self) -> list[Style]:
        """The blocks' styles."""
        return [block.style for block in self.blocks]

    def content(self) -> list[Block]:
        """What is selected, as blocks of its own."""
        return edits.stretch(self.blocks, self.begin, self.end)

    def around(self) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
        """(the runs before the selection in the first block, the runs after it in the last one)."""
        before, after = edits.runs_before(self.blocks[0], self.begin), edits.runs_after(self.blocks[-1], self.end)
        return joined(before), joined(after)

    def with_inserted(self, new: Sequence[Block]) -> tuple[list[Block], int]:
        """(the blocks with `new` in place of the selection, the caret after that, counted from the first block)."""
        return edits.inserted(self.blocks, self.begin, self.end, new)

    def rewrite(self, document: Document, new: Sequence[Block]) -> None:
        """Replaces these blocks in `document` by `new`, which begins and ends with the text before and after the
        selection. In the CRDT only the selected characters are replaced, and all of them, even by equal ones."""
        before = point_from_utf16(self.blocks[0].text, self.begin)
        behind = len(self.blocks[-1].text) + 1 - point_from_utf16(self.blocks[-1].text, self.end)
        document.rewrite(self.first, len(self.blocks), new, prefix_cap=before, suffix_cap=behind)
