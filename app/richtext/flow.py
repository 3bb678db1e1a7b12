# SPDX-License-Identifier: EUPL-1.2
"""The contents of a document's text: blocks of runs, and the difference between two stretches of blocks.

As in Quill, characters have marks, and a block's style is on the newline that ends it. Plain values, no CRDT, no Qt.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.core.pieces import finished
from app.core.text_units import clean, utf8_len, utf16_len
from app.objects.addresses import safe_link

MAX_INDENT = 8
BLOCKS_AT_ONCE = 200
"""Blocks that are made in one part: 2 ms."""

HEADING, LIST, INDENT, QUOTE = "heading", "list", "indent", "quote"
BULLETS, NUMBERS = "ul", "ol"


class Marks(NamedTuple):
    """How a character looks, and the address that it links to ("" for none). The names are the attributes' names in the
    CRDT."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    link: str = ""

    def attrs(self) -> dict[str, Any]:
        """The attributes that are set."""
        return {key: value for key, value in zip(self._fields, self, strict=True) if value}

    def with_attrs(self, attrs: Mapping[str, Any]) -> "Marks":
        """These marks after the changes `attrs`; None takes a mark away. Unknown attributes are ignored, as newer
        versions may have written them.

        ▲ A link is judged here, where it is read: an address that may not be opened becomes no link.
        """
        known: dict[str, Any] = {}
        for key, value in attrs.items():
            if key == "link":
                known[key] = safe_link(value) if isinstance(value, str) else ""
            elif key in self._fields:
                known[key] = bool(value)
        return self._replace(**known) if known else self

    def difference(self, old: "Marks") -> dict[str, Any]:
        """The attributes to set (None: to take away) to get from the marks `old` to these; {} if they are equal."""
        if self == old:
            return {}
        return {k: new or None for k, new, was in zip(self._fields, self, old, strict=True) if new != was}


PLAIN = Marks()


class Style(NamedTuple):
    """The style of a block: a heading (of level 1–3), a list item ("ul" or "ol"), a quote, or with nothing set body
    text. Never two of them."""

    heading: int = 0
    list: str = ""
    indent: int = 0
    """1–8 in lists, otherwise 0."""
    quote: bool = False

    def attrs(self) -> dict[str, Any]:
        """All four attributes, None where not set."""
        return {key: value or None for key, value in zip(self._fields, self, strict=True)}


BODY = Style()


def style_of(attrs: Mapping[str, Any]) -> Style:
    """The style that a block's CRDT attributes (`attrs`) make. If colleagues have set several at once, a heading counts
    before a list, and a list before a quote. Invalid values are ignored; levels are brought into range."""
    heading = attrs.get(HEADING)
    if isinstance(heading, int) and not isinstance(heading, bool) and heading > 0:
        return Style(heading=min(heading, 3))
    kind = attrs.get(LIST)
    if kind in (BULLETS, NUMBERS):
        indent = attrs.get(INDENT)
        level = indent if isinstance(indent, int) and not isinstance(indent, bool) else 1
        return Style(list=kind, indent=max(1, min(level, MAX_INDENT)))
    return Style(quote=True) if attrs.get(QUOTE) else BODY


class Run(NamedTuple):
    """Characters with equal marks."""

    text: str
    marks: Marks = PLAIN


@dataclass(slots=True, eq=False)
class Block:
    """One paragraph of a document. Do not change it after making it: sizes are counted once. `raw` are the CRDT
    attributes of the newline that ends it; None to make them of `style`. They may be more than `style` shows, such as
    those of later versions, which an edit must not lose."""

    runs: tuple[Run, ...]
    style: Style = BODY
    raw: Mapping[str, Any] | None = None
    text: str = field(init=False)
    size_utf8: int = field(init=False)
    size_utf16: int = field(init=False)
    """Both sizes count the newline."""
    _words: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        self.text = self.runs[0].text if len(self.runs) == 1 else "".join(run.text for run in self.runs)
        self.size_utf8 = utf8_len(self.text) + 1
        self.size_utf16 = utf16_len(self.text) + 1
        if self.raw is None:
            self.raw = {k: v for k, v in self.style.attrs().items() if v}

    def same(self, other: "Block") -> bool:
        """Whether both look the same."""
        return self.runs == other.runs and self.style == other.style

    @property
    def words(self) -> int:
        """How many words, separated by white space, the block has; counted at the first call."""
        if self._words < 0:
            self._words = len(self.text.split())
        return self._words


class Edit(NamedTuple):
    """One change of a text: replaces `removed` units at `pos` by `text`, counted in UTF-16 units. In a sequence, each
    is applied after those before it."""

    pos: int
    removed: int
    text: str


Cell = tuple[str, "Marks | Mapping[str, Any]"]
"""One character with its marks, or a newline with its raw attributes."""


def plain_blocks(text: str) -> list[Block]:
    """Body text, one block for each line."""
    return [Block((Run(line),) if line else ()) for line in text.split("\n")]


def cells(blocks: Iterable[Block]) -> list[Cell]:
    """The blocks character by character, each with its marks; newlines with the attributes of their block."""
    out: list[Cell] = []
    for block in blocks:
        for text, marks in block.runs:
            out.extend((char, marks) for char in text)
        out.append(("\n", block.raw or {}))
    return out


def blocks_of(items: Iterable[Cell]) -> tuple[list[Block], list[Run]]:
    """Makes blocks out of characters as `cells` gives them. Returns (the blocks, the runs after the last newline)."""
    blocks: list[Block] = []
    runs: list[Run] = []
    chars: list[str] = []
    current: Marks = PLAIN

    def end_run() -> None:
        if chars:
            runs.append(Run("".join(chars), current))
            chars.clear()

    for char, attrs in items:
        if isinstance(attrs, Marks):
            if attrs != current:
                end_run()
                current = attrs
            chars.append(char)
        else:
            end_run()
            blocks.append(Block(tuple(runs), style_of(attrs), attrs))
            runs = []
    end_run()
    return blocks, runs


def from_runs(pieces: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[list[Block], list[Run]]:
    """Makes blocks out of a whole text, given in stretches of equal attributes. Returns (the blocks, the runs after the
    last newline)."""
    return finished(reading_runs(pieces))


def reading_runs(
    pieces: Iterable[tuple[str, Mapping[str, Any]]],
) -> Generator[None, None, tuple[list[Block], list[Run]]]:
    """The same as `from_runs`, BLOCKS_AT_ONCE blocks in each step."""
    blocks: list[Block] = []
    runs: list[Run] = []
    for text, attrs in pieces:
        marks = PLAIN.with_attrs(attrs)
        *lines, last = text.split("\n")
        for line in lines:
            runs.append(Run(line, marks))
            blocks.append(Block(joined(runs), style_of(attrs), attrs))
            runs = []
            if len(blocks) % BLOCKS_AT_ONCE == 0:
                yield
        runs.append(Run(last, marks))
    return blocks, list(joined(runs))


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs without empty ones, with equal neighbours joined."""
    out: list[Run] = []
    for run in runs:
        if not run.text:
            continue
        if out and out[-1].marks == run.marks:
            out[-1] = Run(out[-1].text + run.text, run.marks)
        else:
            out.append(run)
    return tuple(out)


def one_line(text: str) -> str:
    """The text in the form for one block: line breaks become line separators."""
    return clean(text).replace("\n", "\u2028").replace("\r", "")


def common_ends(old: str, new: str, head_cap: int | None = None, tail_cap: int | None = None) -> tuple[int, int]:
    """How many characters of two texts agree at the beginning and at the end, without overlapping: (at the beginning,
    at most `head_cap`; at the end, at most `tail_cap`). None: no bound. Equal texts: the caps are ignored, and the
    result is (all but the last, 1). An equal last character always counts to the end, even if `tail_cap` is 0: a
    document's last newline is never replaced."""
    shorter = min(len(old), len(new))
    if old == new:
        head_cap = tail_cap = None
    limit = shorter - 1 if head_cap is None else max(0, min(shorter - 1, head_cap))
    prefix = 0
    if old[:limit] == new[:limit]:
        prefix = max(limit, 0)
    else:
        while prefix < limit and old[prefix] == new[prefix]:
            prefix += 1
    suffix, most = 0, shorter - prefix if tail_cap is None else min(shorter - prefix, max(1, tail_cap))
    while suffix < most and old[-1 - suffix] == new[-1 - suffix]:
        suffix += 1
    return prefix, suffix


def visible_edit(start: int, old: Sequence[Block], new: Sequence[Block]) -> tuple[Edit, ...]:
    """The one edit that turns the blocks `old` into `new` in a view's text, which has newlines between blocks and none
    at the end; () if the text is the same. `start`: the position where the blocks begin, in UTF-16 units."""
    before, after = "\n".join(b.text for b in old), "\n".join(b.text for b in new)
    if before == after:
        return ()
    prefix, suffix = common_ends(before + "\n", after + "\n")
    gone = before[prefix : len(before) + 1 - suffix]
    return (Edit(start + utf16_len(before[:prefix]), utf16_len(gone), after[prefix : len(after) + 1 - suffix]),)
