# SPDX-License-Identifier: EUPL-1.2
"""The text that is inserted into a message by pasting: tables as a monospaced block, Word's lists as lists. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.objects.tags import complete, pictures, words

FENCE = "```"
_MAX_HTML_CHARS = 5_000_000
"""As in documents. Characters beyond this are ignored."""
_WIDEST = 40
"""A column's width in characters; a longer cell moves the rest of its row to the right."""
_TABLE = re.compile(r"<table\b", re.IGNORECASE)
_WORD_LIST = re.compile(r"mso-list:", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[·•o§▪–-]|(?P<number>\d{1,3}[.)]))\t\s*")
_ADDRESS = re.compile(r"\s*\w+:/\S*\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What the clipboard's text becomes in a message. `text`: to be inserted; `pictures`: how many pictures were left
    out of it. `beats`: use the text even if the clipboard offers a picture too, as spreadsheets do. It is false where
    the text is only the address of that picture."""

    text: str
    pictures: int
    beats: bool


def read(text: str, html: str) -> Pasted:
    """Makes the text to insert into a message out of the plain `text` and the `html` of the clipboard; either may be
    empty. The plain text is preferred; the HTML shows what it is: rows of a table become a monospaced block, Word's
    lists become lines with "-" or a number. Reads only the first five million characters of `html`."""
    tags = complete(html[:_MAX_HTML_CHARS])
    shown = words(tags)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    beats = bool(shown) if html else bool(text.strip()) and _ADDRESS.fullmatch(text) is None
    text = text or shown
    if _WORD_LIST.search(tags):
        text = "\n".join(map(_item, text.split("\n")))
    if _TABLE.search(tags) and "\t" in text:
        text = _with_blocks(text)
    return Pasted(text=text, pictures=pictures(tags), beats=beats)


def _item(line: str) -> str:
    found = _ITEM.match(line)
    return f"{found['number'] or '-'} {line[found.end() :]}" if found else line


def _with_blocks(text: str) -> str:
    out: list[str] = []
    for is_row, lines in groupby(text.rstrip("\n").split("\n"), key=lambda line: "\t" in line):
        rows = [line.split("\t") for line in lines]
        if is_row and FENCE not in "".join(cell for row in rows for cell in row):
            out += [FENCE, *_aligned(rows), FENCE]
        else:
            out += ["\t".join(row) for row in rows]
    return "\n".join(out)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Table rows as lines of text, one for each row, with padded columns. A column is as wide as its widest cell, at
    most 40 characters; a longer cell moves the rest of its row. Cells are joined by tabs instead where the padding
    would be nearly all of the text. ValueError without rows."""
    widths = [0] * max(map(len, rows))
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = min(_WIDEST, max(widths[column], len(cell.strip())))
    written = sum(len(cell) + 1 for row in rows for cell in row)
    if (sum(widths) + 2 * len(widths)) * len(rows) > 20 * written + 2000:
        return iter("\t".join(row) for row in rows)
    return ("  ".join(cell.strip().ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
            for row in rows)  # fmt: skip
