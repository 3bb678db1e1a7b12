# SPDX-License-Identifier: EUPL-1.2
"""The grammar of a CRDT's update: judges its bytes before any library reads them. FORMAT.md has every rule.

It knows structure, not tools: which kinds of items there are and how they are related within this one update. Whether
the ids that an update builds on exist, and who may use which client, is judged in app/objects/judging.py. `reading`
works in pieces.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import NamedTuple, TypeAlias, TypeVar

from app.objects.json_texts import skip_json
from app.objects.lib0 import MAX_CLIENT, MAX_CLOCK, MAX_THINGS, BadUpdate, Reader
from app.objects.passed import remember
from app.objects.values import MAX_DEPTH, skip_text, skip_value
from sync.pieces import finished

GC, DELETED, TEXT, EMBED, MARK, TYPE, VALUES = 0, 1, 4, 5, 6, 7, 8
KEYED_KINDS = (DELETED, EMBED, TYPE, VALUES)
"""Kinds of items that may be under a key. No library makes a text or mark there, and each would read it differently."""
ARRAY, MAP, TYPED_TEXT = 0, 1, 2
MAX_ROOT_BYTES = 64
MAX_ROOTS = 8192

RULES = (
    *("truncated", "trailing", "number", "limit", "text", "clients", "order", "hole", "empty", "kind", "keyed"),
    *("forward", "parent", "root", "type", "depth", "value", "twice", "json", "mark", "total", "several"),
)
"""The values that BadUpdate's `where` may have."""

LINK = "link"
MARK_NAMES = frozenset(
    ("bold", "italic", "underline", "strike", LINK, "heading", "list", "indent", "quote", *ascii_lowercase)
)
"""▲ Names that a mark may have: those that the document tool writes, and single letters for marks of later versions.
Libraries give every run of a text all marks that are open there: 4,000 names in 75 KB took 1.5 GB and 24 s."""
MAX_MARK_BYTES, MAX_LINK_BYTES = 64, 8192
"""The largest value of a mark and of a link: its JSON with the length before it. The value is copied into every run."""

_ORIGIN, _RIGHT, _KEY, _UNUSED = 0x80, 0x40, 0x20, 0x10
_ITEM_STEPS = 10
_PAIR = re.compile("[\U00010000-\U0010ffff]")

K = TypeVar("K")
V = TypeVar("V")
Id: TypeAlias = tuple[int, int]
"""(client, clock)."""
Deleted: TypeAlias = Sequence[tuple[int, Sequence[tuple[int, int]]]]
"""Clients with ranges [start, end) of clocks."""


class Item(NamedTuple):
    """One item of a CRDT update: `length` consecutive ids (client, clock) of one CRDT client number, from `clock` on,
    with content of one `kind` (a text, values, a nested type …). `origin` and `right`: the ids of its neighbours when
    it was written. `parent` (a root's name or a nested type's id) and `key` are None where a neighbour gives them.
    `keyed`: it is a map's value, also if `key` is None."""

    clock: int
    length: int
    kind: int
    keyed: bool
    origin: Id | None
    right: Id | None
    parent: str | Id | None
    key: str | None
    type: int
    """ARRAY, MAP or TYPED_TEXT for a type, otherwise -1."""


@dataclass(frozen=True, slots=True)
class Section:
    """The `items` of one CRDT client number (`client`) in an update, with ids from clock `start` up to `end` without a
    hole. `lows`: the clocks that are the second half of a surrogate pair."""

    client: int
    start: int
    end: int
    items: Sequence[Item]
    lows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read from a valid update. `sections`: the items by CRDT client number. `deleted`: client numbers with
    ranges [start, end) of deleted clocks, ascending and not adjacent. `needed`: ids that the update builds on and does
    not contain, some more than once, in the order in which the judge checks them: the earlier clock, neighbours and
    parents, the last id of each deleted range. `roots`: the names of the roots; `items`: how many items; `size`: bytes.

    ▲ The sequences are the reader's own lists: a copy of 500,000 things takes 40 ms in one piece.
    """

    sections: Sequence[Section]
    deleted: Deleted
    needed: Sequence[Id]
    roots: frozenset[str]
    items: int
    size: int


def read(update: bytes, *, state: bool = False) -> Facts:
    """Checks the bytes of an update by the grammar and returns what they say. BadUpdate if they break a rule. 10 µs for
    the update of one keystroke.

    `state`: the bytes are a whole object as one update (a baseline, a snapshot, a successor's beginning): items of many
    CRDT client numbers, each from clock 0 on. Any other update has items of at most one of them.
    """
    return finished(reading(update, state=state))


def reading(update: bytes, *, state: bool = False) -> Generator[None, None, Facts]:
    """Checks an update by the grammar, as `read` does, but in steps of at most 2 ms, between which other tasks can run.
    Returns what the update says at the end. `state`: it is a whole object. An update that passed is remembered
    (app/objects/passed.py), so that it is not checked again. BadUpdate."""
    facts = yield from _Update(update, state).run()
    yield from remember(update)
    return facts


class _Update:
    def __init__(self, data: bytes, state: bool) -> None:
        self._read = Reader(data)
        self._state = state
        self._roots: set[str] = set()
        self._depths: dict[Id, int] = {}
        """How deep a type of this update is below the first parent from outside, or below a root."""
        self._items = 0
        self._named: deque[Id] = deque()
        self._several: dict[int, deque[tuple[int, int]]] = {}
        """By client: the clocks (first, end) of each item under a key that holds more than one value."""

    def run(self) -> Generator[None, None, Facts]:
        read = self._read
        count = read.count(4)
        if count > 1 and not self._state:
            raise BadUpdate("clients", read.at)
        sections: list[Section] = []
        for _ in range(count):
            section = yield from self._section()
            if sections and section.client >= sections[-1].client:
                raise BadUpdate("order", read.at)
            sections.append(section)
        deleted = yield from self._deleted()
        if read.at != read.end:
            raise BadUpdate("trailing", read.at)
        yield from self._check_several(deleted)
        needed = yield from self._outside(sections)
        yield from _emptied(self._depths, read)
        return Facts(sections, deleted, needed, frozenset(self._roots), self._items, read.end)

    def _check_several(self, deleted: Deleted) -> Iterator[None]:
        """Raises BadUpdate if an item under a key has several values and the update does not delete all of them
        (`deleted`).

        ▲ yrs assumes that under a key every item but the last is deleted. When it deletes a map, it therefore deletes
        only the last item of each key. Of an item with several values the others would stay, and point to the freed
        map.
        """
        for client, ranges in deleted:
            spans = self._several.pop(client, None)
            while spans:
                start, end = spans.popleft()
                at = bisect_right(ranges, start, key=_first) - 1
                if at < 0 or ranges[at][1] < end:
                    raise BadUpdate("several", self._read.end)
                if self._read.tired():
                    yield
            if self._read.tired():
                yield
        if self._several:
            raise BadUpdate("several", self._read.end)

    def _outside(self, sections: Sequence[Section]) -> Generator[None, None, list[Id]]:
        """The ids that the update names and does not contain, in the order in which it names them, with repetitions.
        `sections`: the update's items."""
        tired, named = self._read.tired, self._named
        own: dict[int, Section] = {}
        for section in sections:
            own[section.client] = section
            if tired():
                yield
        out: list[Id] = []
        while named:
            ident = named.popleft()
            found = own.get(ident[0])
            if found is None or not found.start <= ident[1] < found.end:
                out.append(ident)
            if tired():
                yield
        yield from _emptied(own, self._read)
        return out

    def _section(self) -> Generator[None, None, Section]:
        read = self._read
        count = read.count(2)
        client = read.number(MAX_CLIENT)
        start = clock = read.number()
        if not count or (self._state and start):
            raise BadUpdate("hole" if count else "empty", read.at)
        if start:
            self._named.append((client, start - 1))
        items: list[Item] = []
        lows: list[int] = []
        for _ in range(count):
            item = yield from self._item(client, clock, lows)
            clock += item.length
            if not item.length or clock >= MAX_CLOCK:
                raise BadUpdate("limit" if item.length else "empty", read.at)
            items.append(item)
            self._items += 1
            if read.tired(_ITEM_STEPS):
                yield
        return Section(client, start, clock, items, lows)

    def _item(self, client: int, clock: int, lows: list[int]) -> Generator[None, None, Item]:
        read, start = self._read, self._read.at
        info = read.byte()
        if info == GC:
            return Item(clock, read.number(), GC, False, None, None, None, None, -1)
        kind = info & 0x0F
        if info & _UNUSED or kind not in (DELETED, TEXT, EMBED, MARK, TYPE, VALUES):
            raise BadUpdate("kind", start)
        keyed = info & _KEY != 0
        if keyed and kind not in KEYED_KINDS:
            raise BadUpdate("keyed", start)
        origin = read.ident() if info & _ORIGIN else None
        right = read.ident() if info & _RIGHT else None
        parent = key = None
        if origin is None and right is None:
            parent = yield from self._parent()
            key = (yield from self._whole_text()) if keyed else None
        for ident in (origin, right, parent):
            if isinstance(ident, tuple):
                self._named.append(ident)
                if ident[0] == client and ident[1] >= clock:
                    raise BadUpdate("forward", start)
        type_ = -1
        if kind == TEXT:
            length = yield from self._text(clock, lows)
        elif kind == TYPE:
            length, type_ = 1, self._type((client, clock), parent)
        else:
            length = yield from self._content(kind)
            if keyed and kind == VALUES and length > 1:
                self._several.setdefault(client, deque()).append((clock, clock + length))
        return Item(clock, length, kind, keyed, origin, right, parent, key, type_)

    def _parent(self) -> Generator[None, None, str | Id]:
        read = self._read
        start = read.at
        named = read.number()
        if named > 1:
            raise BadUpdate("parent", start)
        if not named:
            return read.ident()
        name = yield from self._short_text(MAX_ROOT_BYTES)
        if name is None:
            raise BadUpdate("root", start)
        if name not in self._roots:
            self._roots.add(name)
            if len(self._roots) > MAX_ROOTS:
                raise BadUpdate("root", start)
        return name

    def _short_text(self, most_bytes: int) -> Generator[None, None, str | None]:
        """Reads a text of at most `most_bytes`, with its length before it. A longer one is checked and skipped; then
        the result is None. BadUpdate "text" or "truncated"."""
        read, start = self._read, self._read.at
        size = read.size()
        if size <= most_bytes:
            return read.stretch(start, size)
        read.at = start
        yield from skip_text(read)
        return None

    def _whole_text(self) -> Generator[None, None, str]:
        """Reads a text of any length, with that length before it, in steps between which other tasks can run. BadUpdate
        "text" or "truncated"."""
        read, start = self._read, self._read.at
        parts: list[str] = []
        for part in read.texts(start, read.size()):
            parts.append(part)
            if read.tired():
                yield
        return "".join(parts)

    def _text(self, clock: int, lows: list[int]) -> Generator[None, None, int]:
        """Reads an item's text and returns its length in UTF-16 units. `clock`: that of its first unit. Adds the clocks
        of second halves of surrogate pairs to `lows`. The pairs count towards the update's limit only when all of the
        text is read (BadUpdate "total"). BadUpdate "text" if it is no UTF-8."""
        read, start = self._read, self._read.at
        pairs = length = 0
        for part in read.texts(start, read.size()):
            more = 0 if part.isascii() else len(part.encode("utf-16-le")) // 2 - len(part)
            pairs += more
            if more and read.things + pairs <= MAX_THINGS:
                lows += (clock + length + at for at in _lows(part))
            length += len(part) + more
            if read.tired(1 + more):
                yield
        read.spend(pairs)
        return length

    def _type(self, ident: Id, parent: str | Id | None) -> int:
        read = self._read
        kind = read.byte()
        if kind > TYPED_TEXT:
            raise BadUpdate("type", read.at - 1)
        depth = self._depths.get(parent, 0) + 1 if isinstance(parent, tuple) else 1
        if depth > MAX_DEPTH:
            raise BadUpdate("depth", read.at)
        self._depths[ident] = depth
        return kind

    def _content(self, kind: int) -> Generator[None, None, int]:
        read = self._read
        if kind == DELETED:
            return read.number()
        if kind == VALUES:
            count = read.count()
            for _ in range(count):
                yield from skip_value(read)
            return count
        start = read.at
        name = (yield from self._short_text(MAX_MARK_BYTES)) if kind == MARK else None
        before = read.at
        yield from skip_json(read)
        if kind == MARK and not (name and _is_mark(name, read.at - before)):
            raise BadUpdate("mark", start)
        return 1

    def _deleted(self) -> Generator[None, None, Deleted]:
        read = self._read
        seen: set[int] = set()
        out: list[tuple[int, Sequence[tuple[int, int]]]] = []
        for _ in range(read.count(4)):
            client = read.number(MAX_CLIENT)
            if client in seen:
                raise BadUpdate("order", read.at)
            seen.add(client)
            out.append((client, (yield from self._ranges(client))))
            if read.tired(3):
                yield
        return out

    def _ranges(self, client: int) -> Generator[None, None, Sequence[tuple[int, int]]]:
        read = self._read
        ranges: list[tuple[int, int]] = []
        before = -1
        for _ in range(read.count(2)):
            start = read.number()
            end = start + read.number()
            if end == start or end >= MAX_CLOCK:
                raise BadUpdate("limit" if end > start else "empty", read.at)
            if start <= before:
                raise BadUpdate("order", read.at)
            ranges.append((start, end))
            self._named.append((client, end - 1))
            before = end
            if read.tired():
                yield
        if not ranges:
            raise BadUpdate("empty", read.at)
        return ranges


def _emptied(things: dict[K, V], read: Reader) -> Iterator[None]:
    """Removes all entries of a dict, in steps; `read` counts the work. ▲ Otherwise its memory would be freed in one
    piece, which takes 30 ms for 500,000 entries."""
    while things:
        things.popitem()
        if read.tired():
            yield


def _lows(text: str) -> Iterator[int]:
    """The positions of the second halves of surrogate pairs in the text, in UTF-16 units."""
    return (found.start() + index for index, found in enumerate(_PAIR.finditer(text), start=1))


def _first(span: tuple[int, int]) -> int:
    return span[0]


def _is_mark(name: str, size_bytes: int) -> bool:
    """Whether `name` is that of a known formatting mark, and its value is short enough. `size_bytes`: the size of the
    value's JSON with the length before it."""
    return name in MARK_NAMES and size_bytes <= (MAX_LINK_BYTES if name == LINK else MAX_MARK_BYTES)


def client_begun(piece: bytes) -> int | None:
    """The CRDT client number whose items an update has, read from `piece`, the first bytes of the update. None if those
    bytes are too few or not valid, or if the update has items of no client or of several."""
    read = Reader(piece)
    try:
        if read.number() != 1:
            return None
        read.number()
        return read.number(MAX_CLIENT)
    except BadUpdate:
        return None
