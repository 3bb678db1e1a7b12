# SPDX-License-Identifier: EUPL-1.2
"""The effect of an edit on the blocks that it touches. Plain values in and out; positions are UTF-16 units in a
block."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.text_units import clean, point_from_utf16, utf16_len
from app.richtext.flow import PLAIN, Block, Edit, Marks, Run, joined


def spliced(blocks: Sequence[Block], begin: int, end: int, text: str, marks: Marks) -> list[Block]:
    """Replaces a range in the blocks by `text` with the given `marks`. The range goes from offset `begin` in the first
    block to `end` in the last, in UTF-16 units. Returns the new blocks: one for each line of the text, all in the first
    block's style."""
    lines = clean(text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    runs = [[Run(line, marks)] for line in lines]
    runs[0] = [*runs_before(blocks[0], begin), *runs[0]]
    runs[-1] = [*runs[-1], *runs_after(blocks[-1], end)]
    return [Block(joined(r), blocks[0].style) for r in runs]


Place = tuple[int, int, Run]
"""A stretch of a block from one position to another, and what replaces it."""


def replaced(block: Block, places: Sequence[Place]) -> Block:
    """Replaces several stretches of one block. `places`: (begin, end, the run to put there), in order and in UTF-16
    units of the block. Returns the new block."""
    runs: list[Run] = []
    at = 0
    for begin, end, run in places:
        runs += _cut(block, point_from_utf16(block.text, at), point_from_utf16(block.text, begin))
        runs.append(run)
        at = end
    return Block(joined([*runs, *runs_after(block, at)]), block.style, block.raw)


def marks_at(block: Block, offset_utf16: int) -> Marks:
    """The marks of the character that begins at `offset_utf16` in a block; none at the block's end."""
    rest = runs_after(block, offset_utf16)
    return rest[0].marks if rest else PLAIN


def formatted(blocks: Sequence[Block], begin: int, end: int, attrs: Mapping[str, Any]) -> list[Block]:
    """The blocks with the attributes `attrs` set on the range from offset `begin` in the first block to `end` in the
    last, in UTF-16 units; None takes a mark away."""
    changed = []
    for index, block in enumerate(blocks):
        start = begin if index == 0 else 0
        stop = end if index == len(blocks) - 1 else block.size_utf16 - 1
        middle = runs_after(Block(tuple(runs_before(block, stop))), start)
        runs = [
            *runs_before(block, start),
            *(Run(run.text, run.marks.with_attrs(attrs)) for run in middle),
            *runs_after(block, stop),
        ]
        changed.append(Block(joined(runs), block.style, block.raw))
    return changed


def inserted(blocks: Sequence[Block], begin: int, end: int, pasted: Sequence[Block]) -> tuple[list[Block], int]:
    """Puts `pasted`, at least one block, in place of the range from offset `begin` in the first block to `end` in the
    last, in UTF-16 units. Returns (the new blocks, the caret's position behind the pasted text, in UTF-16 units from
    the first block's start). The pasted blocks keep their styles, except the first: it gets that of the block into
    which it is pasted, unless it comes at that block's start and either more blocks follow or nothing of the last block
    is left behind it."""
    head, tail = runs_before(blocks[0], begin), runs_after(blocks[-1], end)
    new = [Block(block.runs, block.style) for block in pasted]
    styled = not head and (len(new) > 1 or not tail)
    new[0] = Block(joined([*head, *new[0].runs]), new[0].style if styled else blocks[0].style)
    caret = sum(block.size_utf16 for block in new) - 1
    new[-1] = Block(joined([*new[-1].runs, *tail]), new[-1].style)
    return new, caret


def stretch(blocks: Sequence[Block], begin: int, end: int) -> list[Block]:
    """The part of the blocks from offset `begin` in the first to `end` in the last, in UTF-16 units, as separate blocks
    with the same styles."""
    parts = []
    for index, block in enumerate(blocks):
        start = point_from_utf16(block.text, begin) if index == 0 else 0
        stop = point_from_utf16(block.text, end) if index == len(blocks) - 1 else len(block.text)
        parts.append(Block(joined(_cut(block, start, stop)), block.style))
    return parts


def followed(anchor: int, caret: int, edit: Edit) -> tuple[int, int]:
    """Where a selection, from `anchor` to `caret`, is after a colleague's edit. Returns (anchor, caret); all in UTF-16
    units of the whole text. A caret without a selection stays before text that is inserted at it, but moves behind text
    that replaces what was right before it. Text inserted at an edge of a selection stays outside; text inserted within
    it belongs to it."""
    if anchor == caret:
        replaced = edit.removed > 0 and caret == edit.pos + edit.removed
        place = _behind(caret, edit) if replaced else _before(caret, edit)
        return place, place
    start, end = _behind(min(anchor, caret), edit), _before(max(anchor, caret), edit)
    start = min(start, end)
    return (start, end) if anchor < caret else (end, start)


def pushed(pos: int, edit: Edit) -> int:
    """The position of a character after an edit: text inserted there pushes it on."""
    return _behind(pos, edit)


def _before(pos: int, edit: Edit) -> int:
    """Where the position `pos` is after an edit. If text was inserted at `pos` itself, or replaces text that has `pos`
    in it or at either end, the position is before the new text."""
    if pos <= edit.pos:
        return pos
    kept = pos - edit.removed
    return kept + utf16_len(edit.text) if kept > edit.pos else edit.pos


def _behind(pos: int, edit: Edit) -> int:
    """Where the position `pos` is after an edit. If text was inserted at `pos` itself, or replaces text that has `pos`
    in it or at either end, the position is behind the new text."""
    if pos < edit.pos:
        return pos
    return max(pos - edit.removed, edit.pos) + utf16_len(edit.text)


def adopted(new: Sequence[Block], old: Sequence[Block]) -> list[Block]:
    """Gives `new` blocks, which a view made, the CRDT attributes of the `old` ones in the same places, where a block's
    style is unchanged: a view's blocks have none, and those of later versions must not be lost. If the counts differ,
    returns `new` as it is."""
    if len(new) != len(old):
        return list(new)
    return [
        Block(block.runs, block.style, was.raw) if was.style == block.style and was.raw != block.raw else block
        for block, was in zip(new, old, strict=True)
    ]


def runs_before(block: Block, offset_utf16: int) -> list[Run]:
    """The runs before a position inside a block. A position inside a character counts as its start."""
    return _cut(block, 0, point_from_utf16(block.text, offset_utf16))


def runs_after(block: Block, offset_utf16: int) -> list[Run]:
    """The runs after a position inside a block."""
    return _cut(block, point_from_utf16(block.text, offset_utf16), len(block.text))


def _cut(block: Block, begin: int, end: int) -> list[Run]:
    out, at = [], 0
    for text, marks in block.runs:
        piece = text[max(0, begin - at) : max(0, end - at)]
        if piece:
            out.append(Run(piece, marks))
        at += len(text)
    return out
