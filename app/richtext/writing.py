# SPDX-License-Identifier: EUPL-1.2
"""Writes the difference between two stretches of blocks into the CRDT, with as few operations as possible."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.core.text_units import utf8_from_utf16, utf8_len
from app.objects.crdt import LOCAL, SETUP, CrdtDoc, CrdtText
from app.richtext.edits import Place
from app.richtext.flow import Block, Cell, Marks, Style, common_ends

MAX_INSERTS = 500
"""How many insertions one transaction has. Their cost grows with the square: 10,000 took 0.9 s, 40,000 took 29 s."""
MAX_INSERTED = 32 * 1024
"""Code points that `fill` inserts at once: 1 ms."""


def write(
    crdt: CrdtDoc,
    text: CrdtText,
    at: int,
    old: Sequence[Block],
    new: Sequence[Block],
    *,
    prefix_cap: int | None = None,
    suffix_cap: int | None = None,
) -> None:
    """Turns the blocks `old`, which begin at byte `at` of the CRDT's text, into `new`. The caps, in code points, limit
    what counts as unchanged: at most `prefix_cap` before the edit and `suffix_cap` behind it; None: no limit."""
    old_text, new_text = ("".join(f"{block.text}\n" for block in blocks) for blocks in (old, new))
    prefix, suffix = common_ends(old_text, new_text, prefix_cap, suffix_cap) if old and new else (0, 0)
    old_end, new_end = len(old_text) - suffix, len(new_text) - suffix
    pos = at + utf8_len(old_text[:prefix])
    pieces = _pieces(_stretch(new, prefix, new_end))
    with crdt.transact(LOCAL):
        text.delete(pos, utf8_len(old_text[prefix:old_end]))
        _write_formats(text, at, _cells(old, 0, prefix), _cells(new, 0, prefix))
        pos = _insert(text, pos, pieces[:MAX_INSERTS])
        _write_formats(text, pos, _cells(old, old_end, len(old_text)), _cells(new, new_end, len(new_text)))
    for begin in range(MAX_INSERTS, len(pieces), MAX_INSERTS):
        with crdt.transact(LOCAL):
            pos = _insert(text, pos, pieces[begin : begin + MAX_INSERTS])


def fill(crdt: CrdtDoc, text: CrdtText, blocks: Sequence[Block]) -> None:
    """Writes `blocks` into a new text, in place of its only newline. Inserts from the end, each stretch (text with
    equal marks) at the text's beginning: there an insertion costs the same however long the text is. 42,000 stretches
    take 1.3 s so, and 72 s in their order."""
    pieces = _short(_pieces(_stretch(blocks, 0, sum(len(block.text) + 1 for block in blocks))))
    for last in range(len(pieces), 0, -MAX_INSERTS):
        with crdt.transact(SETUP):
            if last == len(pieces):
                text.delete(0, 1)
            for piece, attrs in reversed(pieces[max(0, last - MAX_INSERTS) : last]):
                text.insert(0, piece, attrs)


def _short(pieces: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Cuts long stretches, so that no call of the CRDT's library takes long: a thread that fills a document gives
    Python's lock to the event loop between two of them."""
    return [(text[at : at + MAX_INSERTED], attrs) for text, attrs in pieces for at in range(0, len(text), MAX_INSERTED)]


def replace(crdt: CrdtDoc, text: CrdtText, at: int, blocks: Sequence[Block], places: Sequence[Sequence[Place]]) -> None:
    """Replaces some places in `blocks`, which begin at byte `at` of the text; `places` has for each block the places in
    it, in order: (begin, end, the run to put there), in UTF-16 units of the block. The text between them is not
    touched, so that a colleague can write there at the same time."""
    found = []
    for block, own in zip(blocks, places, strict=True):
        for begin, end, run in own:
            start, stop = (utf8_from_utf16(block.text, offset) for offset in (begin, end))
            found.append((at + start, stop - start, run))
        at += block.size_utf8
    for last in range(len(found), 0, -MAX_INSERTS):  # from the end, so that positions before stay right
        with crdt.transact(LOCAL):
            for pos, length, run in reversed(found[max(0, last - MAX_INSERTS) : last]):
                text.delete(pos, length)
                if run.text:
                    text.insert(pos, run.text, run.marks.attrs())


def _insert(text: CrdtText, pos: int, pieces: Sequence[tuple[str, Mapping[str, Any]]]) -> int:
    for piece, attrs in pieces:
        text.insert(pos, piece, attrs)
        pos += utf8_len(piece)
    return pos


def _write_formats(text: CrdtText, pos: int, old: Sequence[Cell], new: Sequence[Cell]) -> None:
    """Changes the attributes of text that stays: from byte `pos` on, the characters `old` get the marks of `new`. One
    operation for each stretch with the same difference."""
    if old == new:
        return
    begin = pos
    pending: dict[str, Any] = {}
    for (char, before), (_, after) in zip(old, new, strict=True):
        wanted = _difference(before, after)
        if wanted != pending:
            text.format(begin, pos - begin, pending)
            begin, pending = pos, wanted
        pos += utf8_len(char)
    text.format(begin, pos - begin, pending)


def _difference(old: Marks | Mapping[str, Any], new: Marks | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(new, Marks):
        return new.difference(old) if isinstance(old, Marks) else {}
    if isinstance(old, Marks) or old == new:
        return {}
    return {key: new.get(key) for key in (*Style._fields, *new) if new.get(key) != old.get(key)}


def _stretch(blocks: Sequence[Block], begin: int, end: int) -> Iterator[Cell]:
    """Yields the contents of the blocks between the places `begin` and `end`, in code points from the blocks'
    beginning: parts of runs with their marks, and newlines. Not one by one: a million characters would take a second.
    """
    at = 0
    for block in blocks:
        if at >= end:
            return
        if at + len(block.text) < begin:
            at += len(block.text) + 1
            continue
        parts: list[Cell] = [*block.runs, ("\n", block.raw or {})]
        for text, attrs in parts:
            part = text[max(0, begin - at) : max(0, end - at)]
            if part:
                yield part, attrs
            at += len(text)


def _cells(blocks: Sequence[Block], begin: int, end: int) -> list[Cell]:
    """The contents of the blocks between two places, in code points, character by character."""
    return [(char, attrs) for text, attrs in _stretch(blocks, begin, end) for char in text]


def _pieces(items: Iterable[Cell]) -> list[tuple[str, dict[str, Any]]]:
    """Joins parts of a text with equal attributes into stretches: (text, attributes) of each, as they are to be
    inserted."""
    pieces: list[tuple[str, dict[str, Any]]] = []
    chars: list[str] = []
    before: Marks | Mapping[str, Any] | None = None
    current: dict[str, Any] = {}
    for text, attrs in items:
        if attrs != before:
            before = attrs
            wanted = attrs.attrs() if isinstance(attrs, Marks) else dict(attrs)
            if wanted != current:
                if chars:
                    pieces.append(("".join(chars), current))
                chars, current = [], wanted
        chars.append(text)
    if chars:
        pieces.append(("".join(chars), current))
    return pieces
