# SPDX-License-Identifier: EUPL-1.2
"""Links in a document: where they begin and end, and what the pointer shows of them."""

from itertools import groupby

from app.core.text_units import utf16_len
from app.objects.links import ObjectLink
from app.richtext.model import Document
from ui.kit.translate import tr
from ui.kit.web import address_tip


def link_around(document: Document, pos: int, link: str) -> tuple[int, int]:
    """(start, length), in UTF-16 units of the whole text, of the link to the address `link` that `pos` is in or at the
    end of, whatever other marks (bold …) its parts have. (pos, 0) if there is none."""
    index, offset = document.find_block(pos)
    begin = at = document.block_start(index)
    for address, runs in groupby(document.block(index).runs, lambda run: run.marks.link):
        size = sum(utf16_len(run.text) for run in runs)
        if address == link and at <= begin + offset <= at + size:
            return at, size
        at += size
    return pos, 0


def link_tip(link: str, *, by_click: bool) -> str:
    """The tool tip for a link to the address `link`: the address, and how to open it; "" for an address that may not be
    opened. `by_click`: a click opens it, as in a text that can only be read; otherwise Ctrl and a click."""
    address = link if ObjectLink.parse(link) else address_tip(link)
    how = tr("{address} (click to open)") if by_click else tr("{address} (Ctrl+click to open)")
    return how.format(address=address) if address else ""
