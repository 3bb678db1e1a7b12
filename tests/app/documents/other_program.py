# SPDX-License-Identifier: EUPL-1.2
"""A document as another program (pandoc) reads it: what is compared before and after it was here."""

import json
import shutil
import subprocess
from typing import Any, NamedTuple

import pytest

needs_pandoc = pytest.mark.skipif(shutil.which("pandoc") is None, reason="pandoc reads what we wrote")
_MARKS = {"Strong": "b", "Emph": "i", "Underline": "u", "Strikeout": "s"}
_DROPPED = {"Note", "Image", "Math", "RawInline"}


class Para(NamedTuple):
    """A paragraph: "h1", "ul2", "ol1", "quote" or "p"; its characters without spaces, each with its marks and link; and
    the number of an item in a numbered list."""

    kind: str
    characters: tuple[tuple[str, str, str], ...]
    number: int = 0

    @property
    def text(self) -> str:
        return "".join(char for char, _, _ in self.characters)


def read(data: bytes, kind: str = "docx") -> list[Para]:
    """What pandoc reads in a file, without empty paragraphs, headings deeper than three as of level three."""
    paragraphs = subprocess.run(
        ["pandoc", "--from", kind, "--to", "json", "--sandbox"], input=data, capture_output=True, check=True
    )
    tree = json.loads(paragraphs.stdout)
    found = [Para("h1", tuple(_inlines(tree["meta"]["title"]["c"])))] if "title" in tree["meta"] else []
    return [p for p in [*found, *_blocks(tree["blocks"])] if p.characters]


def _blocks(blocks: list[Any], lists: int = 0, quote: bool = False) -> list[Para]:
    found: list[Para] = []
    for block in blocks:
        kind, content = block["t"], block.get("c")
        if kind in ("Para", "Plain"):
            found.append(Para("quote" if quote else "p", tuple(_inlines(content))))
        elif kind == "Header":
            found.append(Para(f"h{min(content[0], 3)}", tuple(_inlines(content[2]))))
        elif kind == "BlockQuote":
            found += _blocks(content, lists, True)
        elif kind == "Div":
            found += _blocks(content[1], lists, quote)
        elif kind in ("BulletList", "OrderedList"):
            ordered = kind == "OrderedList"
            start = content[0][0] if ordered else 0
            for at, item in enumerate(content[1] if ordered else content):
                name = f"{'ol' if ordered else 'ul'}{lists + 1}"
                inside = _blocks(item, lists + 1)
                head = Para(name, inside[0].characters, start + at if ordered else 0)
                found += [head, *inside[1:]]
        elif kind == "Table":
            found += _table(content)
    return found


def _table(content: list[Any]) -> list[Para]:
    _, _, _, head, bodies, foot = content
    rows = [*head[1], *(row for body in bodies for row in (*body[2], *body[3])), *foot[1]]
    found = []
    for _, cells in rows:
        paras = [para for cell in cells for para in _blocks(cell[4])]
        found.append(Para("p", tuple(char for para in paras for char in para.characters)))
    return found


def _inlines(inlines: list[Any], marks: str = "", link: str = "") -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for inline in inlines:
        kind, content = inline["t"], inline.get("c")
        if kind == "Str":
            found += [(char, marks, link) for char in content if not char.isspace()]
        elif kind in _MARKS:
            found += _inlines(content, "".join(sorted({*marks, _MARKS[kind]})), link)
        elif kind == "LineBreak":
            found.append(("\n", "", ""))
        elif kind == "Link":
            target = content[2][0]
            found += _inlines(content[1], marks.replace("u", ""), "" if target.startswith("#") else target)
        elif kind == "Code":
            found += [(char, marks, link) for char in content[1] if not char.isspace()]
        elif kind in ("Span", "Quoted", "Cite"):
            found += _inlines(content[1], marks, link)
        elif kind in ("Superscript", "Subscript", "SmallCaps"):
            found += _inlines(content, marks, link)
        elif kind not in _DROPPED and kind not in ("Space", "SoftBreak"):
            raise AssertionError(f"{kind} is not compared")
    return found
