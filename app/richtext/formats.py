# SPDX-License-Identifier: EUPL-1.2
"""Blocks as HTML and bytes for the clipboard, and the content that foreign HTML may bring in.

Reading HTML keeps only what a document can hold: no pictures, scripts, colours, sizes or addresses other than http,
https and mailto. Nothing is ever fetched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.core.text_units import clean
from app.objects.addresses import safe_link
from app.objects.tags import complete, pictures
from app.richtext.flow import BULLETS, MAX_INDENT, NUMBERS, Block, Run, Style, joined, one_line

MAX_PASTE_CHARS = 5_000_000


class _Fragment(msgspec.Struct, frozen=True, array_like=True):
    blocks: list[tuple[Style, list[Run]]]


def to_bytes(blocks: Sequence[Block]) -> bytes:
    """Blocks for this program's own clipboard."""
    return msgspec.msgpack.encode(_Fragment([(block.style, list(block.runs)) for block in blocks]))


def from_bytes(fragment: bytes) -> list[Block] | None:
    """Decodes blocks that `to_bytes` gave, checked as if a stranger had written them; None for no block and for any
    other bytes."""
    try:
        found = msgspec.msgpack.decode(fragment, type=_Fragment)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return checked(found.blocks) or None


def checked(given: Sequence[tuple[Style, Sequence[Run]]]) -> list[Block]:
    """Makes blocks of (style, runs) that a stranger may have written: invalid styles and links are left out."""
    blocks = []
    for style, runs in given:
        kept = [Run(one_line(run.text), run.marks._replace(link=safe_link(run.marks.link))) for run in runs]
        blocks.append(Block(joined(kept), _checked(style)))
    return blocks


def to_html(blocks: Sequence[Block]) -> str:
    """Plain, well-formed HTML that other programs read."""
    out: list[str] = []
    lists: list[str] = []
    for block in blocks:
        style, body = block.style, "".join(_run_html(run) for run in block.runs)
        while len(lists) > style.indent or (lists and len(lists) == style.indent and lists[-1] != style.list):
            out.append(f"</{lists.pop()}>")
        while style.list and len(lists) < style.indent:
            lists.append(style.list)
            out.append(f"<{style.list}>")
        tag = f"h{style.heading}" if style.heading else "li" if style.list else "p"
        item = f"<{tag}>{body}</{tag}>"
        out.append(f"<blockquote>{item}</blockquote>" if style.quote else item)
    out.extend(f"</{name}>" for name in reversed(lists))
    return "".join(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a document can hold of a foreign text or file: the blocks, and counts of what it cannot hold. `tables`:
    those that became text. `others`: (kind, count) of further things, for files. `cut`: the text was too long; only its
    beginning is here."""

    blocks: list[Block]
    pictures: int = 0
    tables: int = 0
    others: tuple[tuple[str, int], ...] = ()
    cut: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether it has nothing to read."""
        return not any(block.text.strip() for block in self.blocks)


def take_html(html: str) -> Taken:
    """Reads HTML from another program: the content that a document can hold (at least one block), and counts of its
    pictures and tables. Only the first MAX_PASTE_CHARS characters are read."""
    from app.richtext.html_reader import HtmlReader  # imported here: it loads Python's HTML parser

    reader = HtmlReader()
    tags = complete(html[:MAX_PASTE_CHARS])
    reader.feed(tags)
    reader.close()
    blocks = reader.finish()
    return Taken(blocks=blocks, pictures=pictures(tags), tables=reader.tables, cut=len(html) > MAX_PASTE_CHARS)


def take_text(text: str, style: Style) -> Taken:
    """Plain text, every line a block of this style; no block for an empty text."""
    blocks = [Block(block.runs, style) for block in from_text(text)] if text else []
    return Taken(blocks=blocks, cut=len(text) > MAX_PASTE_CHARS)


def from_html(html: str) -> list[Block]:
    """The blocks of foreign HTML that a document can hold."""
    return take_html(html).blocks


def from_text(text: str) -> list[Block]:
    """Plain text as body text, one block for each line, so at least one; only its first MAX_PASTE_CHARS characters."""
    lines = clean(text[:MAX_PASTE_CHARS]).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Block((Run(line),) if line else ()) for line in lines]


def _checked(style: Style) -> Style:
    if style.list in (BULLETS, NUMBERS):
        return Style(list=style.list, indent=max(1, min(style.indent, MAX_INDENT)))
    return Style(heading=style.heading) if style.heading in (1, 2, 3) else Style(quote=style.quote)


def _run_html(run: Run) -> str:
    from html import escape  # imported here: it loads all entities

    text = escape(run.text).replace("\u2028", "<br>")
    for on, tag in ((run.marks.bold, "strong"), (run.marks.italic, "em"), (run.marks.underline, "u"),
                    (run.marks.strike, "s")):  # fmt: skip
        text = f"<{tag}>{text}</{tag}>" if on else text
    return f'<a href="{escape(run.marks.link)}">{text}</a>' if run.marks.link else text
