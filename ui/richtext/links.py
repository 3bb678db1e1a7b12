# SPDX-License-Identifier: EUPL-1.2
"""Links in a document: where they begin and end, and what the pointer shows of them."""

from app.core.text_units import utf16_len
from app.objects.links import ObjectLink
from app.richtext.model import Document
from ui.kit.translate import tr
from ui.kit.web import address_tip


def link_around(document: Document, pos: int, link: str) -> tuple[int, int]:
    """(start, length), in UTF-16 units of the whole text, of the link to the address `link` that `pos` is in or at the
    end of: the part of it with the same marks (bold …). (pos, 0) if there is none."""
    index, offset = document.find_block(pos)
    block, begin = document.block(index), document.block_start(index)
    at = 0
    for run in block.runs:
        size = utf16_len(run.text)
        if run.marks.link == link and at <= offset <= at + size:
            return begin + at, size
        at += size
    return pos, 0


def link_tip(link: str) -> str:
    """The tool tip for a link to the address `link`: the address, and how to open it; "" for an address that may not be
    opened."""
    address = link if ObjectLink.parse(link) else address_tip(link)
    return tr("{address} (Ctrl+click to open)").format(address=address) if address else ""
