# SPDX-License-Identifier: EUPL-1.2
"""The list of each block, and its number there: the same in files, on paper and on screen.

Items of one level and kind belong together past deeper items; a block that is no item ends all lists.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.richtext.flow import Block, Style

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_BULLETS = "•◦▪"


class Item(NamedTuple):
    """A block's place in a list. `list`: the number of the list, counted from 0; -1 if the block is no list item.
    `number`: its place in the list, from 1. `depth`: how many items it is inside, which is less than its indent where
    levels were skipped."""

    list: int = -1
    number: int = 0
    depth: int = 0


NO_ITEM = Item()


def items(blocks: Sequence[Block]) -> list[Item]:
    """For each block, in the same order: its place in a list, NO_ITEM for a block that is no list item."""
    found: list[Item] = []
    open_lists: dict[int, tuple[Style, int, int]] = {}
    lists = 0
    for block in blocks:
        style = block.style
        if not style.list:
            open_lists.clear()
            found.append(NO_ITEM)
            continue
        for deeper in [indent for indent in open_lists if indent > style.indent]:
            del open_lists[deeper]
        before = open_lists.get(style.indent)
        if before is not None and before[0] == style:
            _, own, number = before
        else:
            own, number = lists, 0
            lists += 1
        open_lists[style.indent] = (style, own, number + 1)
        found.append(Item(own, number + 1, len(open_lists) - 1))
    return found


def sign(style: Style, number: int) -> str:
    """The sign before the list item with this number: a disc, circle or square, or "1.", "a." or "i.", by level, as on
    screen."""
    level = (style.indent - 1) % 3
    if style.list == "ul":
        return _BULLETS[level]
    return f"{(str(number), _letters(number), _roman(number))[level]}."


def _letters(number: int) -> str:
    out = ""
    while number > 0:
        number, at = divmod(number - 1, 26)
        out = chr(ord("a") + at) + out
    return out


def _roman(number: int) -> str:
    if number >= 5000:
        return str(number)
    out = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        out += letters * count
    return out
