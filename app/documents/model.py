# SPDX-License-Identifier: EUPL-1.2
"""A document that is open: a text everybody can write in at once, its title, my undo, everybody's carets.

Positions are UTF-16 units, as Qt counts. The document keeps its blocks as plain values beside the CRDT (the mirror),
so that a view never reads the CRDT. It knows no store: finished updates go to `emit`, others' come through `merge`.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from app.core import clock
from app.core.signal import Signal
from app.core.text_units import clean, point_from_utf16, utf8_from_utf16, utf8_len, utf16_from_utf8, utf16_len
from app.documents.flow import (
    PLAIN,
    Block,
    Cell,
    Edit,
    Marks,
    Run,
    Style,
    blocks_of,
    cells,
    common_ends,
    from_runs,
    joined,
    visible_edit,
)
from app.errors import BugError
from app.objects.crdt import LOCAL, REMOTE, SETUP, CrdtDoc, Origin, TextOp, Update
from app.objects.undo import Undo

MAX_TITLE = 200
MAX_INSERTS = 500
"""Insertions in one transaction. Their cost grows with the square: 10,000 took 0.9 s, 40,000 took 29 s."""
_TEXT, _META, _TITLE = "text", "meta", "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to the text: `removed` blocks from `first` on became `blocks`.

    `edits` is the same as text, without formatting. `source` is what made it (a view), None if it came from outside.
    """

    first: int
    removed: int
    blocks: tuple[Block, ...]
    edits: tuple[Edit, ...]
    origin: Origin
    source: object | None = None


class Document:
    """The live model behind every view of one document."""

    def __init__(
        self, emit: Callable[[bytes], None] | None = None, *, clock_ms: Callable[[], int] = clock.now_ms
    ) -> None:
        self.changed: Signal[Change] = Signal()
        self.title_changed: Signal[str] = Signal()
        self.undo_changed: Signal[()] = Signal()
        self._emit = emit
        self._crdt = CrdtDoc(texts=[_TEXT], maps=[_META])
        self._text = self._crdt.text(_TEXT)
        self._meta = self._crdt.map(_META)
        self._blocks: list[Block] = []
        self._sizes8: list[int] = []
        self._sizes16: list[int] = []
        self._starts16: list[int] | None = None
        self._words: int | None = None
        self._open_end = True
        self._own_edit = False
        self._title = ""
        self._load()
        self._undo = Undo(self._crdt, [self._text], clock_ms=clock_ms)
        self._undo.changed.connect(self.undo_changed.emit)
        self._text.changed.connect(self._on_text)
        self._meta.changed.connect(lambda _paths, _origin: self._read_title())
        self._crdt.updated.connect(self._on_updated)
        self._crdt.reloaded.connect(self._on_reloaded)

    # ---- reading

    @property
    def title(self) -> str:
        """The document's title; empty if none was ever given."""
        return self._title

    def blocks(self) -> Sequence[Block]:
        """All blocks in order. There is always at least one."""
        return self._blocks

    def block(self, index: int) -> Block:
        """One block."""
        return self._blocks[index]

    @property
    def length_utf16(self) -> int:
        """The last position a caret can have."""
        return sum(self._sizes16) - 1

    @property
    def words(self) -> int:
        """How many words the text has."""
        if self._words is None:
            self._words = sum(block.words for block in self._blocks)
        return self._words

    def plain_text(self) -> str:
        """The text without any formatting, one line a block."""
        return "\n".join(block.text for block in self._blocks)

    def find_block(self, pos_utf16: int) -> tuple[int, int]:
        """The block at a position, and the position inside it. Positions outside are moved to the nearest end."""
        starts = self._starts()
        index = max(0, min(bisect_right(starts, pos_utf16) - 1, len(self._blocks) - 1))
        return index, max(0, min(pos_utf16 - starts[index], self._sizes16[index] - 1))

    def block_start(self, index: int) -> int:
        """The UTF-16 position where a block begins."""
        return self._starts()[index]

    # ---- writing

    def set_up(self, title: str) -> None:
        """Writes what every new document has. Called once, by the one who creates it."""
        with self._crdt.transact(SETUP):
            self._meta.set((_TITLE,), _clean_title(title))
            self._text.insert(0, "\n")

    def set_title(self, title: str) -> None:
        """Renames the document for everybody."""
        if (wanted := _clean_title(title)) and wanted != self._title:
            with self._crdt.transact(SETUP):
                self._meta.set((_TITLE,), wanted)

    def splice(self, pos: int, removed: int, text: str, marks: Marks = PLAIN) -> None:
        """Replaces a range by text. Positions inside a character move to its start; new lines get the block's style."""
        first, offset = self.find_block(pos)
        last, end = self.find_block(pos + max(0, removed))
        head, tail = _runs_before(self._blocks[first], offset), _runs_after(self._blocks[last], end)
        lines = clean(text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        runs = [[Run(line, marks)] for line in lines]
        runs[0] = [*head, *runs[0]]
        runs[-1] = [*runs[-1], *tail]
        style = self._blocks[first].style
        cap = len("".join(run.text for run in head))
        self.rewrite(first, last - first + 1, [Block(joined(r), style) for r in runs], prefix_cap=cap)

    def format(self, pos: int, length: int, attrs: Mapping[str, Any]) -> None:
        """Sets marks on a range (None takes one away): `format(3, 8, {"bold": True})`."""
        first, offset = self.find_block(pos)
        last, end = self.find_block(pos + max(0, length))
        changed = []
        for index in range(first, last + 1):
            block = self._blocks[index]
            begin = offset if index == first else 0
            stop = end if index == last else block.size_utf16 - 1
            middle = _runs_after(Block(tuple(_runs_before(block, stop))), begin)
            runs = [
                *_runs_before(block, begin),
                *(Run(run.text, run.marks.with_attrs(attrs)) for run in middle),
                *_runs_after(block, stop),
            ]
            changed.append(Block(joined(runs), block.style, block.raw))
        self._undo.split()
        self.rewrite(first, last - first + 1, changed)

    def set_block(self, first: int, last: int, style: Style) -> None:
        """Gives the blocks `first` to `last` (inclusive) a style."""
        self.set_styles(first, [style] * (last - first + 1))

    def set_styles(self, first: int, styles: Sequence[Style]) -> None:
        """Gives consecutive blocks a style each."""
        self._undo.split()
        new = [
            Block(block.runs, style)
            for block, style in zip(self._blocks[first : first + len(styles)], styles, strict=True)
        ]
        self.rewrite(first, len(new), new)

    def rewrite(
        self,
        first: int,
        removed: int,
        blocks: Sequence[Block],
        *,
        source: object | None = None,
        prefix_cap: int | None = None,
    ) -> None:
        """Makes `removed` blocks from `first` on into `blocks`, by as few operations as possible.

        What a view calls after any edit of its own, with itself as `source`. `prefix_cap`, in code points from the
        first block's start, says where the edit began, so that typing a fourth "a" after three lands where it was.
        """
        if self._open_end:
            self._close_end()
        old = self._blocks[first : first + removed]
        new = [_adopt(block, was) for block, was in _pair(blocks, old)]
        start, old, new = self._trim(first, old, new)
        if not old and not new:
            return
        cap = None if prefix_cap is None else prefix_cap - sum(len(b.text) + 1 for b in self._blocks[first:start])
        change = Change(
            first=start,
            removed=len(old),
            blocks=tuple(new),
            edits=self._edits(start, old, new),
            origin=LOCAL,
            source=source,
        )
        at = sum(self._sizes8[:start])
        self._replace(start, len(old), new)
        self._own_edit = True
        try:
            with self._undo.together():
                self._write(at, old, new, cap)
        except BugError:
            self._on_reloaded()
            raise
        finally:
            self._own_edit = False
        self.changed.emit(change)

    # ---- undo

    @property
    def can_undo(self) -> bool:
        """Whether I have a step to undo."""
        return self._undo.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an undone step can come back."""
        return self._undo.can_redo

    def undo(self) -> bool:
        """Takes back my last step; what others wrote stays."""
        return self._undo.undo()

    def redo(self) -> bool:
        """Brings back what I undid last."""
        return self._undo.redo()

    def split_undo(self) -> None:
        """The next edit begins a new undo step."""
        self._undo.split()

    # ---- merging

    def merge(self, updates: Sequence[bytes]) -> int:
        """Merges colleagues' or stored updates. Gives how many were damaged and left out."""
        return len(self._crdt.apply(updates))

    def snapshot(self) -> bytes:
        """The whole document as one update, for the store's cache."""
        return self._crdt.diff()

    def state(self) -> bytes:
        """What this document has seen."""
        return self._crdt.state()

    def diff(self, state: bytes) -> bytes:
        """What a document in that state lacks."""
        return self._crdt.diff(state)

    # ---- carets

    def encode_selection(self, anchor_utf16: int, caret_utf16: int) -> bytes:
        """My selection as bytes that still point at the same words when others have written in between."""
        anchor, caret = (self._text.sticky(self._to_utf8(pos)) for pos in (anchor_utf16, caret_utf16))
        return len(anchor).to_bytes(2, "big") + anchor + caret

    def resolve_selection(self, selection: bytes) -> tuple[int, int] | None:
        """(anchor, caret) of a colleague now; None if the bytes make no sense here (yet)."""
        size = int.from_bytes(selection[:2], "big")
        anchor = self._text.resolve(selection[2 : 2 + size])
        caret = self._text.resolve(selection[2 + size :])
        return None if anchor is None or caret is None else (self._to_utf16(anchor), self._to_utf16(caret))

    def close(self) -> None:
        """Nothing more is sent or undone."""
        self._undo.close()
        self._emit = None

    # ---- inside

    def _load(self) -> None:
        blocks, rest = from_runs(self._text.runs())
        self._open_end = bool(rest) or not blocks
        if self._open_end:
            blocks.append(Block(tuple(rest)))
        self._replace(0, len(self._blocks), blocks)
        self._read_title()

    def _read_title(self) -> None:
        title = self._meta.get((_TITLE,), "")
        title = _clean_title(title) if isinstance(title, str) else ""
        if title != self._title:
            self._title = title
            self.title_changed.emit(title)

    def _replace(self, first: int, removed: int, blocks: Sequence[Block]) -> None:
        if self._words is not None:
            gone = self._blocks[first : first + removed]
            self._words += sum(block.words for block in blocks) - sum(block.words for block in gone)
        self._blocks[first : first + removed] = blocks
        self._sizes8[first : first + removed] = [block.size_utf8 for block in blocks]
        self._sizes16[first : first + removed] = [block.size_utf16 for block in blocks]
        self._starts16 = None

    def _starts(self) -> list[int]:
        if self._starts16 is None:
            self._starts16 = list(accumulate(self._sizes16, initial=0))[:-1]
        return self._starts16

    def _trim(self, first: int, old: list[Block], new: list[Block]) -> tuple[int, list[Block], list[Block]]:
        """Leaves out blocks that stay as they are. At the document's end one of each remains if the counts differ."""
        at_end = first + len(old) == len(self._blocks)
        keep = 1 if at_end and len(old) != len(new) else 0
        start, least = 0, min(len(old), len(new)) - keep
        while start < least and old[start].same(new[start]):
            start += 1
        end = 0
        while end < least - start and old[-1 - end].same(new[-1 - end]):
            end += 1
        return first + start, old[start : len(old) - end], new[start : len(new) - end]

    def _edits(self, start: int, old: Sequence[Block], new: Sequence[Block]) -> tuple[Edit, ...]:
        at = sum(self._sizes16[:start])
        if old and new:
            return visible_edit(at, old, new)
        if new:  # whole blocks before a block that stays
            return (Edit(at, 0, "".join(block.text + "\n" for block in new)),)
        return (Edit(at, sum(block.size_utf16 for block in old), ""),)

    def _write(self, at: int, old: Sequence[Block], new: Sequence[Block], cap: int | None) -> None:
        """The difference as CRDT operations, `at` bytes into the text."""
        old_cells, new_cells = cells(old), cells(new)
        old_text, new_text = "".join(c for c, _ in old_cells), "".join(c for c, _ in new_cells)
        prefix, suffix = common_ends(old_text, new_text, cap) if old and new else (0, 0)
        pos = at + utf8_len(old_text[:prefix])
        pieces = _pieces(new_cells[prefix : len(new_cells) - suffix])
        with self._crdt.transact(LOCAL):
            self._text.delete(pos, utf8_len(old_text[prefix : len(old_text) - suffix]))
            self._write_formats(at, old_cells[:prefix], new_cells[:prefix])
            pos = self._insert(pos, pieces[:MAX_INSERTS])
            if suffix:
                self._write_formats(pos, old_cells[-suffix:], new_cells[-suffix:])
        for begin in range(MAX_INSERTS, len(pieces), MAX_INSERTS):
            with self._crdt.transact(LOCAL):
                pos = self._insert(pos, pieces[begin : begin + MAX_INSERTS])

    def _insert(self, pos: int, pieces: Sequence[tuple[str, Mapping[str, Any]]]) -> int:
        for text, attrs in pieces:
            self._text.insert(pos, text, attrs)
            pos += utf8_len(text)
        return pos

    def _write_formats(self, pos: int, old: Sequence[Cell], new: Sequence[Cell]) -> None:
        """Formats for text that stayed, one operation for each stretch with the same difference."""
        begin = pos
        pending: dict[str, Any] = {}
        for (char, before), (_, after) in zip(old, new, strict=True):
            wanted = _difference(before, after)
            if wanted != pending:
                self._text.format(begin, pos - begin, pending)
                begin, pending = pos, wanted
            pos += utf8_len(char)
        self._text.format(begin, pos - begin, pending)

    def _close_end(self) -> None:
        """Gives a text without a last newline one, so that the last block's style has somewhere to live."""
        self._own_edit = True
        try:
            with self._crdt.transact(SETUP):
                self._text.insert(sum(self._sizes8) - 1, "\n")
        finally:
            self._own_edit = False
        self._open_end = False

    def _on_updated(self, update: Update) -> None:
        if update.origin != REMOTE and self._emit:
            self._emit(update.data)

    def _on_reloaded(self) -> None:
        before = list(self._blocks)
        self._load()
        self._tell(0, before, list(self._blocks), None, REMOTE)

    def _on_text(self, ops: Sequence[TextOp], origin: Origin) -> None:
        if self._own_edit:
            return  # rewrite() has already put the mirror right
        if len(self._blocks) == 1 and not self._blocks[0].text:
            before = list(self._blocks)  # an empty document being filled: reading it whole is ten times as fast
            self._load()
            self._tell(0, before, list(self._blocks), None, origin)
            return
        skip = 0
        if ops and ops[0].retain and not ops[0].attrs:
            skip, ops = ops[0].retain, ops[1:]
        first, base8 = self._find_utf8(skip)
        span = sum(op.retain + op.delete for op in ops)
        last, _ = self._find_utf8(skip + span)
        old = self._blocks[first : last + 1]
        at_end = last == len(self._blocks) - 1
        merged = _Merge(cells(old), utf16_start=self.block_start(first), open_end=self._open_end and at_end)
        merged.run(skip - base8, ops)
        new, rest = blocks_of(merged.out)
        coarse = at_end and (self._open_end or bool(rest) or not merged.kept_last)
        if at_end:
            self._open_end = bool(rest) or (not new and first == 0)
            if self._open_end:
                new.append(Block(tuple(rest)))
        if coarse and first > 0:
            first, old, new = first - 1, [self._blocks[first - 1], *old], [self._blocks[first - 1], *new]
        self._replace(first, len(old), new)
        self._tell(first, old, new, None if coarse else tuple(merged.edits), origin)

    def _tell(
        self, first: int, old: Sequence[Block], new: Sequence[Block], edits: tuple[Edit, ...] | None, origin: Origin
    ) -> None:
        if edits is None:
            edits = visible_edit(self.block_start(first), old, new)
        self.changed.emit(Change(first=first, removed=len(old), blocks=tuple(new), edits=edits, origin=origin))

    def _find_utf8(self, pos: int) -> tuple[int, int]:
        """The block at a byte position, and where that block begins."""
        starts = list(accumulate(self._sizes8, initial=0))
        index = max(0, min(bisect_right(starts, pos) - 1, len(self._blocks) - 1))
        return index, starts[index]

    def _to_utf8(self, pos_utf16: int) -> int:
        index, offset = self.find_block(pos_utf16)
        return sum(self._sizes8[:index]) + utf8_from_utf16(self._blocks[index].text, offset)

    def _to_utf16(self, pos_utf8: int) -> int:
        index, start = self._find_utf8(pos_utf8)
        return self.block_start(index) + utf16_from_utf8(self._blocks[index].text, pos_utf8 - start)


class _Merge:
    """Walks a text's operations over the characters they touch, and notes the edits a view must make."""

    def __init__(self, items: list[Cell], *, utf16_start: int, open_end: bool) -> None:
        self._items = items[:-1] if open_end else items
        self._at = 0
        self._pos = utf16_start
        self.out: list[Cell] = []
        self.edits: list[Edit] = []
        self.kept_last = False
        """Whether the last newline is still the last character."""

    def run(self, skip: int, ops: Sequence[TextOp]) -> None:
        self._keep(skip, None)
        for op in ops:
            if op.retain:
                self._keep(op.retain, op.attrs)
            elif op.delete:
                self._drop(op.delete)
            else:
                self._add(op.insert, op.attrs or {})
        self.kept_last = self._at < len(self._items)
        rest = self._items[self._at :]
        self.out += rest

    def _keep(self, size: int, attrs: Mapping[str, Any] | None) -> None:
        while size > 0 and self._at < len(self._items):
            char, own = self._items[self._at]
            if attrs:
                own = own.with_attrs(attrs) if isinstance(own, Marks) else _merged(own, attrs)
            self.out.append((char, own))
            self._at += 1
            size -= utf8_len(char)
            self._pos += utf16_len(char)

    def _drop(self, size: int) -> None:
        begin = self._at
        while size > 0 and self._at < len(self._items):
            size -= utf8_len(self._items[self._at][0])
            self._at += 1
        gone = "".join(char for char, _ in self._items[begin : self._at])
        self.edits.append(Edit(self._pos, utf16_len(gone), ""))

    def _add(self, text: str, attrs: Mapping[str, Any]) -> None:
        marks, raw = Marks().with_attrs(attrs), _merged({}, attrs)
        self.out.extend((char, raw if char == "\n" else marks) for char in text)
        self.edits.append(Edit(self._pos, 0, text))
        self._pos += utf16_len(text)


def _clean_title(title: str) -> str:
    return " ".join(clean(title).split())[:MAX_TITLE]


def _merged(own: Mapping[str, Any], attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**own, **attrs}.items() if value is not None}


def _difference(old: Marks | Mapping[str, Any], new: Marks | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(new, Marks):
        return new.difference(old) if isinstance(old, Marks) else {}
    if isinstance(old, Marks) or old == new:
        return {}
    return {key: new.get(key) for key in (*Style._fields, *new) if new.get(key) != old.get(key)}


def _adopt(block: Block, was: Block | None) -> Block:
    """A block from a view has no raw attributes of its own: where the style is unchanged the old ones stay."""
    if was is not None and was.style == block.style and was.raw != block.raw:
        return Block(block.runs, block.style, was.raw)
    return block


def _pair(new: Sequence[Block], old: Sequence[Block]) -> Iterable[tuple[Block, Block | None]]:
    if len(new) == len(old):
        return zip(new, old, strict=True)
    return ((block, None) for block in new)


def _pieces(items: Sequence[Cell]) -> list[tuple[str, dict[str, Any]]]:
    """Characters to insert, in pieces of equal attributes."""
    pieces: list[tuple[str, dict[str, Any]]] = []
    chars: list[str] = []
    before: Marks | Mapping[str, Any] | None = None
    current: dict[str, Any] = {}
    for char, attrs in items:
        if attrs != before:
            before = attrs
            wanted = attrs.attrs() if isinstance(attrs, Marks) else dict(attrs)
            if wanted != current:
                if chars:
                    pieces.append(("".join(chars), current))
                chars, current = [], wanted
        chars.append(char)
    if chars:
        pieces.append(("".join(chars), current))
    return pieces


def _runs_before(block: Block, offset_utf16: int) -> list[Run]:
    return _cut(block, 0, point_from_utf16(block.text, offset_utf16))


def _runs_after(block: Block, offset_utf16: int) -> list[Run]:
    return _cut(block, point_from_utf16(block.text, offset_utf16), len(block.text))


def _cut(block: Block, begin: int, end: int) -> list[Run]:
    out, at = [], 0
    for text, marks in block.runs:
        piece = text[max(0, begin - at) : max(0, end - at)]
        if piece:
            out.append(Run(piece, marks))
        at += len(text)
    return out
