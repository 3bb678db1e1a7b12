# SPDX-License-Identifier: EUPL-1.2
"""Blocks as Markdown: CommonMark, ~~struck~~, and HTML tags for marks that it has no sign for."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from app.richtext.flow import BULLETS, Block, Run
from app.richtext.numbering import Item, items

_SPECIAL = re.compile(r"([\\`*_\[\]<>#~|])|&(?=#?\w{1,31};)")
_BEGINNING = re.compile(r"^([ \t]*)(?:([-+=](?=\s|[-+=]|$))|(\d{1,9})(?=[.)](?:\s|$)))", re.MULTILINE)
"""Beginnings of a line that Markdown would read as a list item, a rule, or the underline of a heading above."""
_SIGNS = (("bold", "**", "strong"), ("italic", "*", "em"), ("strike", "~~", "s"))


def to_markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown, with a newline at the end. Headings have no line breaks in Markdown, so these become
    spaces."""
    lines: list[str] = []
    before: Block | None = None
    insides: list[int] = []
    for block, item in zip(blocks, items(blocks), strict=True):
        style, text = block.style, _text(block)
        if before is not None and not (style.list and before.style.list):
            lines.append("")
        if style.heading:
            lines.append("#" * style.heading + " " + text.replace("\\\n", " "))
        elif style.list:
            sign = "- " if style.list == BULLETS else f"{item.number}. "
            lines.append(_item(text, sign, item, insides))
        else:
            prefix = "> " if style.quote else ""
            lines.append(prefix + text.replace("\n", "\n" + prefix))
        before = block
    return "\n".join(lines) + "\n"


def _item(text: str, sign: str, item: Item, insides: list[int]) -> str:
    """A list item in Markdown, indented to where the text of the item that it is inside begins. `text`: its Markdown;
    `sign`: what is before that ("- ", "1. "); `item`: how deep it is; `insides`: the widths of the signs of the items
    around it, which is updated."""
    del insides[item.depth :]
    room = " " * sum(insides)
    insides.append(len(sign))
    return room + sign + text.replace("\n", "\n" + room + " " * len(sign))


def _text(block: Block) -> str:
    out: list[str] = []
    for run, following in zip_longest(block.runs, block.runs[1:]):
        if run.marks.link and out and out[-1].endswith("!"):
            out[-1] = out[-1][:-1] + "\\!"  # ▲ otherwise it would be read as a picture, and the link's words be lost
        out.append(_run(run, out[-1][-1:] if out else "", following.text[:1] if following else ""))
    text = "".join(out).strip(" \t")
    while text.endswith("\\\n"):  # Markdown has no line break at the end of a paragraph: it would be read as "\"
        text = text[:-2].rstrip(" \t")
    return _BEGINNING.sub(lambda found: found[1] + (f"\\{found[2]}" if found[2] else f"{found[3]}\\"), text)


def _run(run: Run, before: str, after: str) -> str:
    """The Markdown of one run. `before` and `after`: the characters next to it in its paragraph, or "".

    Signs are used only where Markdown reads them as such. Two signs that end together do not end the inner one's text
    if a letter follows: ~~*a*~~b is no struck text."""
    text = _SPECIAL.sub(lambda found: f"\\{found[0]}", run.text).replace("\u2028", "\\\n")
    core = text.strip()
    begin, end = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    while core.endswith("\\") and end.startswith("\n"):  # line breaks at the end
        before_it = core[:-1]
        core = before_it.rstrip()
        end = before_it[len(core) :] + "\\" + end
    if not core:
        return text
    plain = not before or before.isspace() or bool(begin)
    signs = plain and core[0].isalnum() and core[-1].isalnum()
    if sum(getattr(run.marks, mark) for mark, _, _ in _SIGNS) > 1:
        signs = signs and (not after or after.isspace() or bool(end))
    for mark, sign, tag in _SIGNS:
        if getattr(run.marks, mark):
            core = f"{sign}{core}{sign}" if signs else f"<{tag}>{core}</{tag}>"
    if run.marks.underline:
        core = f"<u>{core}</u>"
    if run.marks.link:
        core = (
            f"[{core}](<{run.marks.link}>)" if re.search(r"[()\s]", run.marks.link) else f"[{core}]({run.marks.link})"
        )
    return begin + core + end
