# SPDX-License-Identifier: EUPL-1.2
"""Reads a text file, in the process that reads this file alone."""

import codecs
import re
from collections.abc import Iterator

from app.viewing.limits import LINE_CHARS, TEXT_BYTES, TEXT_PART

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and those that change the direction of text. U+FFFD is shown in their place. Otherwise a file
could show its characters in another order than they have."""


class TextReader:
    """A text file, given as its bytes, as parts of about TEXT_PART characters. It has no pages to paint. `cut`: the
    file is longer than TEXT_BYTES, and the rest is left out."""

    def __init__(self, data: bytes) -> None:
        self.cut = len(data) > TEXT_BYTES
        self._parts = list(_parts(_decoded(data[:TEXT_BYTES])))

    @property
    def pages(self) -> int:
        """The number of parts, at least one."""
        return len(self._parts)

    def text(self, page: int) -> str:
        """The part with this number, from 0. IndexError if there is none."""
        return self._parts[page]


def _decoded(data: bytes) -> str:
    """Decodes text: as UTF-16 if it begins with UTF-16's byte order mark, otherwise as UTF-8, and if it is not valid
    UTF-8, as Windows-1252. A UTF-8 character that is cut off at the end is left out."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(data)
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _CONTROLS.sub("\ufffd", text)


def _parts(text: str) -> Iterator[str]:
    """Yields the text in parts, each of whole lines without the last line end."""
    part: list[str] = []
    size = 0
    for line in short_lines(text):
        if size and size + len(line) > TEXT_PART:
            yield "\n".join(part)
            part, size = [], 0
        part.append(line)
        size += len(line) + 1
    yield "\n".join(part)


def short_lines(text: str) -> Iterator[str]:
    """Yields the lines of a text; those of more than LINE_CHARS in several pieces."""
    for line in text.split("\n"):
        if len(line) <= LINE_CHARS:
            yield line
        else:
            for at in range(0, len(line), LINE_CHARS):
                yield line[at : at + LINE_CHARS]
