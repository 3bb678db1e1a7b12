# SPDX-License-Identifier: EUPL-1.2
"""An open document: a text everybody can write in at once, its title, the person's undo, everybody's carets.

Positions are UTF-16 units, as Qt counts. The document keeps its blocks as plain values beside the CRDT (the mirror), so
that a view never reads the CRDT. It knows no store: finished updates go to `emit`, and `merge` takes others' updates.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.core import clock, visible
from app.core.pieces import finished
from app.core.signal import Signal
from app.core.text_units import clean, point_from_utf16
from app.errors import BugError
from app.objects.crdt import LOCAL, REMOTE, SETUP, CrdtDoc, Origin, TextOp, Update
from app.objects.undo import Undo
from app.richtext.edits import Place, adopted, formatted, marks_at, replaced, spliced
from app.richtext.flow import (
    PLAIN,
    Block,
    Edit,
    Marks,
    Run,
    Style,
    blocks_of,
    cells,
    one_line,
    reading_runs,
    visible_edit,
)
from app.richtext.merging import Merge, stretches
from app.richtext.mirror import Mirror
from app.richtext.selections import Selections
from app.richtext.writing import fill, replace, write

MAX_TITLE = 200
_TEXT, _META, _TITLE = "text", "meta", "title"
ROOT_TEXTS, ROOT_MAPS = (_TEXT,), (_META,)
TITLE_AT = (_META, _TITLE)
"""The map and the key of a document's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a document's text: `removed` blocks from number `first` on became `blocks`. `edits` is the same
    change as text, without formatting. `source` is the view that made it, None for a change from outside. `origin`:
    whether it was an edit made here, an undo or redo, or came from the store or a colleague."""

    first: int
    removed: int
    blocks: tuple[Block, ...]
    edits: tuple[Edit, ...]
    origin: Origin
    source: object | None = None


class Document:
    """The live document behind every view of it: its text as blocks, its title, and this person's undo. `emit` is
    called with each finished update (bytes) that is made here."""

    def __init__(
        self, emit: Callable[[bytes], None] | None = None, *, clock_ms: Callable[[], int] = clock.now_ms
    ) -> None:
        self.changed: Signal[Change] = Signal()
        self.title_changed: Signal[str] = Signal()
        self.undo_changed: Signal[()] = Signal()
        self._emit = emit
        self._crdt = CrdtDoc(texts=ROOT_TEXTS, maps=ROOT_MAPS)
        self._text = self._crdt.text(_TEXT)
        self._meta = self._crdt.map(_META)
        self._mirror = Mirror()
        self._open_end = True
        self._own_edit = False
        self._notifying = 0
        self._title = ""
        self.selections = Selections(self._text, self._mirror, self._crdt.client)
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
        """The document's title; "" if none was ever given."""
        return self._title

    def blocks(self) -> Sequence[Block]:
        """All blocks in order. There is always at least one."""
        return self._mirror.blocks

    def block(self, index: int) -> Block:
        """One block."""
        return self._mirror.blocks[index]

    @property
    def length_utf16(self) -> int:
        """The last position a caret can have."""
        return self._mirror.size_utf16 - 1

    @property
    def words(self) -> int:
        """How many words the text has."""
        return self._mirror.words

    def plain_text(self) -> str:
        """The text without any formatting, one line a block."""
        return "\n".join(block.text for block in self._mirror.blocks)

    def find_block(self, pos_utf16: int) -> tuple[int, int]:
        """(number of the block at a position, from 0; the offset inside it), in UTF-16 units. Positions outside the
        text are moved to the nearest end."""
        return self._mirror.find_utf16(pos_utf16)

    def block_start(self, index: int) -> int:
        """The UTF-16 position where a block begins."""
        return self._mirror.start_utf16(index)

    # ---- writing

    def set_up(self, title: str) -> None:
        """Gives a new document its title and its first, empty line. Called once, by the program that creates it."""
        with self._crdt.transact(SETUP):
            self._meta.set((_TITLE,), _clean_title(title))
            self._text.insert(0, "\n")

    def fill(self, blocks: Sequence[Block]) -> None:
        """Gives a document that was just set up the text `blocks`. No view shows it yet, and it cannot be undone."""
        self._own_edit = True
        try:
            fill(self._crdt, self._text, blocks)
        finally:
            self._own_edit = False
        self._load()

    def set_title(self, title: str) -> None:
        """Gives the document another title, for everybody; does nothing for an empty title or the present one."""
        if (wanted := _clean_title(title)) and wanted != self._title and not self._crdt.is_closed:
            with self._crdt.transact(SETUP):
                self._meta.set((_TITLE,), wanted)

    def splice(self, pos: int, removed: int, text: str, marks: Marks = PLAIN) -> None:
        """Replaces the `removed` UTF-16 units from position `pos` on by `text` with these marks. Positions inside a
        character move to its start; new lines get the style of the first block."""
        first, offset = self.find_block(pos)
        last, end = self.find_block(pos + max(0, removed))
        old = self._mirror.blocks[first : last + 1]
        cap = point_from_utf16(old[0].text, offset)
        self.rewrite(first, len(old), spliced(old, offset, end, text, marks), prefix_cap=cap)

    def format(self, pos: int, length: int, attrs: Mapping[str, Any]) -> None:
        """Sets attributes on the `length` UTF-16 units from `pos` on (None takes a mark away): `format(3, 8, {"bold":
        True})`."""
        first, offset = self.find_block(pos)
        last, end = self.find_block(pos + max(0, length))
        old = self._mirror.blocks[first : last + 1]
        self._undo.split()
        self.rewrite(first, len(old), formatted(old, offset, end, attrs))

    def set_block(self, first: int, last: int, style: Style) -> None:
        """Gives the blocks with the numbers `first` to `last` (inclusive) a style."""
        self.set_styles(first, [style] * (last - first + 1))

    def set_styles(self, first: int, styles: Sequence[Style]) -> None:
        """Gives consecutive blocks, the first of which has the number `first`, new styles, one for each block."""
        self._undo.split()
        new = [
            Block(block.runs, style)
            for block, style in zip(self._mirror.blocks[first : first + len(styles)], styles, strict=True)
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
        suffix_cap: int | None = None,
    ) -> None:
        """Replaces the `removed` blocks from number `first` on by `blocks`, with as few operations of the CRDT as
        possible.

        A view calls this after each of its edits, with itself as `source`. The caps bound what counts as unchanged, in
        code points (None: no bound). `prefix_cap`,
        from the first block's start, is where the edit began, so that typing a fourth "a" after three inserts it where
        it was typed. `suffix_cap`, back from behind the last block's newline, is where it ended, so that an "a" typed
        over "bla" is a new letter: a colleague who deletes the old one at that moment does not delete the new one.
        """
        if self._crdt.is_closed:
            return
        if self._open_end:
            self._close_end()
        before = self._mirror.blocks[first : first + removed]
        start, old, new = self._mirror.trim(first, before, adopted(blocks, before))
        if not old and not new:
            return
        prefix_cap = _cap_left(prefix_cap, before[: start - first])
        suffix_cap = _cap_left(suffix_cap, before[start - first + len(old) :])
        change = Change(
            first=start,
            removed=len(old),
            blocks=tuple(new),
            edits=self._mirror.edits(start, old, new),
            origin=LOCAL,
            source=source,
        )
        at = self._mirror.start_utf8(start)
        self._mirror.replace(start, len(old), new)
        with self._writing():
            write(self._crdt, self._text, at, old, new, prefix_cap=prefix_cap, suffix_cap=suffix_cap)
        self._notify(change)

    def replace(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Replaces many places, given as (position, length, text) in UTF-16 units, each inside one block, by a text of
        one line. The places are in order and do not overlap. One step to undo. Each text gets the marks of the first
        character that it replaces."""
        if self._crdt.is_closed or not places:
            return
        if self._open_end:
            self._close_end()
        edits = [Edit(pos, length, one_line(text)) for pos, length, text in places]
        first, last = self.find_block(edits[0].pos)[0], self.find_block(edits[-1].pos)[0]
        old = self._mirror.blocks[first : last + 1]
        inside: list[list[Place]] = [[] for _ in old]
        for pos, length, text in edits:
            index, begin = self.find_block(pos)
            marks = marks_at(self.block(index), begin)
            inside[index - first].append((begin, begin + length, Run(text, marks)))
        new = [replaced(block, own) if own else block for block, own in zip(old, inside, strict=True)]
        at = self._mirror.start_utf8(first)
        self._undo.split()
        self._mirror.replace(first, len(old), new)
        with self._writing():
            replace(self._crdt, self._text, at, old, inside)
        self._undo.split()
        self._notify(
            Change(first=first, removed=len(old), blocks=tuple(new), edits=tuple(reversed(edits)), origin=LOCAL)
        )

    # ---- undo

    @property
    def can_undo(self) -> bool:
        """Whether there is a step of this person's to undo."""
        return self._undo.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether an undone step can be redone."""
        return self._undo.can_redo

    def undo(self) -> bool:
        """Undoes the person's last step; what others wrote stays."""
        return self._undo.undo()

    def redo(self) -> bool:
        """Redoes the step that was undone last."""
        return self._undo.redo()

    def split_undo(self) -> None:
        """Makes the next edit begin a new undo step."""
        self._undo.split()

    # ---- merging

    def merge(self, updates: Sequence[bytes]) -> int:
        """Merges updates, of colleagues or from the store. Returns how many were damaged and ignored."""
        return len(self._crdt.apply(updates))

    def reset(self, updates: Sequence[bytes]) -> int:
        """Replaces the content by that of these updates alone, in every view; undo begins from scratch. Returns how
        many were damaged and ignored."""
        return len(self._crdt.reset(updates))

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge has begun and not yet notified everybody (app/objects/live.py)."""
        return bool(self._own_edit or self._notifying or self._crdt.is_changing)

    def snapshot(self) -> bytes:
        """The whole document as one update, for the store's cache."""
        return self._crdt.diff()

    def state(self) -> bytes:
        """The state vector of the CRDT: how many operations of each client this document has."""
        return self._crdt.state()

    def diff(self, state: bytes) -> bytes:
        """One update with everything that a document with the state vector `state` lacks."""
        return self._crdt.diff(state)

    def close(self) -> None:
        """Frees the CRDT. Nothing more is written, sent, merged or undone; blocks and title can still be read. A second
        call does nothing."""
        self._undo.close()
        self._crdt.close()
        self._emit = None

    # ---- inside

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A context for writing into the CRDT a change that the blocks already have: one step to undo."""
        self._own_edit = True
        try:
            with self._undo.together():
                yield
        except BugError:
            self._on_reloaded()
            raise
        finally:
            self._own_edit = False

    def _notify(self, change: Change) -> None:
        self._notifying += 1
        try:
            self.changed.emit(change)
        finally:
            self._notifying -= 1

    def load(self, updates: Sequence[bytes]) -> int:
        """Merges stored updates into a new document that nobody shows yet; `reading` then reads its text. Returns how
        many were damaged and ignored."""
        return len(self._crdt.load(updates))

    def reading(self) -> Generator[None, None, None]:
        """Reads the whole text, title included, in parts, between which nothing may be written. One call of the CRDT's
        library cannot be divided: 40 ms for 1,000 pages."""
        runs = self._text.runs()
        yield
        blocks, rest = yield from reading_runs(runs)
        yield
        self._open_end = bool(rest) or not blocks
        if self._open_end:
            blocks.append(Block(tuple(rest)))
        self._mirror.replace(0, len(self._mirror.blocks), blocks)
        self._read_title()

    def _load(self) -> None:
        finished(self.reading())

    def _read_title(self) -> None:
        title = _title(self._meta.get((_TITLE,), ""))
        if title != self._title:
            self._title = title
            self.title_changed.emit(title)

    def _close_end(self) -> None:
        """Adds a newline to the end of the CRDT's text, to hold the last block's style. Call it only if the text does
        not end with one."""
        self._own_edit = True
        try:
            with self._crdt.transact(SETUP):
                self._text.insert(self._mirror.size_utf8 - 1, "\n")
        finally:
            self._own_edit = False
        self._open_end = False

    def _on_updated(self, update: Update) -> None:
        if update.origin != REMOTE and self._emit:
            self._emit(update.data)

    def _on_reloaded(self) -> None:
        self.selections.hide([self._crdt.client])
        before = list(self._mirror.blocks)
        self._load()
        self._emit_spliced(0, before, list(self._mirror.blocks), None, REMOTE)

    def _on_text(self, ops: Sequence[TextOp], origin: Origin) -> None:
        if self._own_edit:
            return  # rewrite() has already updated the mirror
        here = self._mirror.blocks
        if len(here) == 1 and not here[0].text:
            before = list(here)  # an empty document is being filled: reading it whole is ten times as fast
            self._load()
            self._emit_spliced(0, before, list(here), None, origin)
            return
        for skip, part in reversed(stretches(ops)):  # from the end, so that the earlier starts stay right
            self._on_stretch(skip, part, origin)

    def _on_stretch(self, skip: int, ops: Sequence[TextOp], origin: Origin) -> None:
        """Applies operations that are close together, of a colleague or an undo, to the blocks, and emits the change.
        The first operation is `skip` UTF-8 bytes into the text."""
        here = self._mirror.blocks
        first, base8 = self._mirror.find_utf8(skip)
        span = sum(op.retain + op.delete for op in ops)
        last, _ = self._mirror.find_utf8(skip + span)
        old = here[first : last + 1]
        at_end = last == len(here) - 1
        merged = Merge(cells(old), utf16_start=self.block_start(first), open_end=self._open_end and at_end)
        merged.run(skip - base8, ops)
        new, rest = blocks_of(merged.out)
        coarse = at_end and (self._open_end or bool(rest) or not merged.kept_last)
        if at_end:
            self._open_end = bool(rest) or (not new and first == 0)
            if self._open_end:
                new.append(Block(tuple(rest)))
        if coarse and first > 0:
            first, old, new = first - 1, [here[first - 1], *old], [here[first - 1], *new]
        self._mirror.replace(first, len(old), new)
        self._emit_spliced(first, old, new, None if coarse else tuple(merged.edits), origin)

    def _emit_spliced(
        self, first: int, old: Sequence[Block], new: Sequence[Block], edits: tuple[Edit, ...] | None, origin: Origin
    ) -> None:
        if edits is None:
            edits = visible_edit(self.block_start(first), old, new)
        self.changed.emit(Change(first=first, removed=len(old), blocks=tuple(new), edits=edits, origin=origin))


def _title(value: object) -> str:
    return _clean_title(value) if isinstance(value, str) else ""


def _clean_title(title: str) -> str:
    return visible.one_line(clean(title), MAX_TITLE)


def _cap_left(cap: int | None, same: Sequence[Block]) -> int | None:
    """The part of `cap` (code points) that is left behind the blocks `same`, which the change does not touch."""
    return None if cap is None else cap - sum(len(block.text) + 1 for block in same)
