# SPDX-License-Identifier: EUPL-1.2
"""What a judge knows of an object: which ids exist, who owns each client, and to which sequence each id belongs.

It has no content and no order, and is as compact as runs can be. A document of 260,000 edits is some runs for each
client. Everything is only ever appended, so that a failed transaction is undone by cutting off (`mark`, `rollback`), at
no cost for older entries.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app.objects.grammar import ARRAY, EMBED, MAP, MARK, TEXT, TYPE, TYPED_TEXT, VALUES, Id, Item, Section
from app.objects.values import MAX_DEPTH

NO_TYPE = -1
"""`Parent.type` of a root, whose type is not known."""
NOWHERE = -1
"""The sequence of bare ids (content 0): those that were inside an item which was deleted in the same update."""
KEY_BITS = 32
"""A sequence is a parent's number and, in this many bits below it, a key's number; 0 for no key."""
KEY_MASK = (1 << KEY_BITS) - 1
BREATH = 300
"""How many items or runs are handled between two pauses of work in pieces: about 1 ms."""


class Broken(Exception):
    """Error: an update contradicts what is known of the object. `code` is that of the verdict."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Parent(NamedTuple):
    """Something that contains sequences of items: a root of the CRDT (`name`) or a nested list, map or text (`ident`,
    its id). `type`: ARRAY, MAP or TYPED_TEXT, for a root NO_TYPE. `depth`: how deep it is nested; one inside it is one
    deeper."""

    name: str | None
    ident: Id | None
    type: int
    depth: int


@dataclass(slots=True)
class Client:
    """What is known of one client number: its `owner`, and for its ids from 0 up to `clock` the sequence that each
    belongs to. `slow`: its owner began too many clients in an hour (a hint, no verdict)."""

    owner: bytes
    clock: int = 0
    starts: list[int] = field(default_factory=list)
    """Where each run begins; `sequences` has its sequence."""
    sequences: list[int] = field(default_factory=list)
    lows: list[int] = field(default_factory=list)
    """The clocks that are the second half of a surrogate pair."""
    types: list[int] = field(default_factory=list)
    """The clocks that are types; `parents` has their numbers."""
    parents: list[int] = field(default_factory=list)
    slow: bool = False

    def sequence(self, clock: int) -> int:
        """The sequence of the id with the clock `clock`, which must be below `self.clock`: that is not checked, and any
        later one gets the last sequence."""
        return self.sequences[bisect_right(self.starts, clock) - 1]

    def one_run(self, clock: int, length: int) -> bool:
        """Whether the client's `length` ids from `clock` on are all here and in one sequence."""
        after = bisect_right(self.starts, clock)
        return clock + length <= (self.starts[after] if after < len(self.starts) else self.clock)

    def has_types(self, clock: int, length: int) -> bool:
        """Whether one of the `length` ids from `clock` on is a nested list, map or text."""
        at = bisect_left(self.types, clock)
        return at < len(self.types) and self.types[at] < clock + length

    def parent(self, clock: int) -> int | None:
        """The number of the shared type (text, map, array) that this client made under the clock `clock`; None if what
        has that id is no shared type."""
        at = bisect_left(self.types, clock)
        return self.parents[at] if at < len(self.types) and self.types[at] == clock else None

    def add(self, clock: int, length: int, sequence: int) -> None:
        """Adds `length` ids of the sequence `sequence` behind the last one. `clock`: that of the first of them, which
        must be `self.clock`; that is not checked."""
        if not self.sequences or self.sequences[-1] != sequence:
            self.starts.append(clock)
            self.sequences.append(sequence)
        self.clock = clock + length


Mark = tuple[int, int, int]


class Structure:
    """What a judge knows of an object: all CRDT client numbers with their ids, and the roots, nested types and keys. It
    has no content."""

    def __init__(self) -> None:
        self.clients: dict[int, Client] = {}
        self.parents: list[Parent] = []
        self.keys: list[str] = [""]
        """The keys' names, numbered from 1."""
        self._roots: dict[str, int] = {}
        self._key_numbers: dict[str, int] = {}
        self._undo: list[tuple[int, Client | None, int, int, int, int]] = []

    # -- reading

    def has(self, ident: Id) -> bool:
        """Whether the operation with this id (client, clock) is known here."""
        client = self.clients.get(ident[0])
        return client is not None and ident[1] < client.clock

    # -- adding

    def claim(self, client: int, owner: bytes) -> Client:
        """Notes that the person `owner` uses the CRDT client number `client`, if nobody has used it; it is never given
        to another person. Returns what is known of the client, whose owner may thus be another person."""
        found = self.clients.get(client)
        if found is None:
            self._undo.append((client, None, 0, 0, 0, 0))
            found = self.clients[client] = Client(owner)
        return found

    def adding(self, section: Section) -> Iterator[None]:
        """Adds the items in `section`, the next ones of one CRDT client number, in steps: the caller iterates to the
        end, and may do other work in between. The number must be claimed (`claim`; KeyError otherwise). All ids that
        the items name must be here (`has`). That is not checked: a missing one may raise KeyError or Broken, or give
        the item a wrong place. Raises Broken if an item does not fit. After an error, and if the caller does not
        iterate to the end, the caller must roll back."""
        client = self.clients[section.client]
        self._note(section.client, client)
        client.lows += section.lows
        for count, item in enumerate(section.items, start=1):
            if count % BREATH == 0:
                yield
            sequence = self.sequence_of(item)
            client.add(item.clock, item.length, sequence)
            if item.kind == TYPE and sequence != NOWHERE:
                client.types.append(item.clock)
                client.parents.append(self._new_type((section.client, item.clock), item.type, sequence))

    def sequence_of(self, item: Item) -> int:
        """The number of the sequence to which an item belongs, found from its parent and neighbours, which must exist.
        Raises Broken if they do not belong together. NOWHERE if they were deleted with their contents, or if the item
        names none, since it was deleted in this way itself."""
        if item.parent is not None:
            found = self._named(item.parent, item.key)
        elif item.origin is None:
            found = NOWHERE if item.right is None else self._beside(item.right, 0)
        else:
            found = self._beside(item.origin, 1)
            if item.right is not None and self._beside(item.right, 0) != found:
                raise Broken("apart")
        if found != NOWHERE:
            self._check_fit(item, found)
        return found

    def _check_fit(self, item: Item, sequence: int) -> None:
        """Raises Broken if the item may not be in the sequence with the number `sequence`. ▲ A map holds items with a
        key. An array holds items without a key, and neither text nor marks: yrs never ends reading an array with an
        emoji. A root is a text or a map; which one is not known before a tool asks.

        ▲ A text holds only text and marks, apart from items with a key. Libraries and views count the length of other
        items differently, so that people's words would be inserted in the wrong place.
        """
        kind = self.parents[sequence >> KEY_BITS].type
        if item.keyed != (sequence & KEY_MASK != 0):
            raise Broken("keyed")
        if (kind == MAP and not item.keyed) or (kind == ARRAY and (item.keyed or item.kind in (TEXT, MARK))):
            raise Broken("unfit")
        if kind in (NO_TYPE, TYPED_TEXT) and not item.keyed and item.kind in (EMBED, TYPE, VALUES):
            raise Broken("unfit")

    def _beside(self, ident: Id, after: int) -> int:
        """The sequence of the neighbour `ident`, which must exist. Raises Broken if the place before it (`after` 0) or
        after it (1) is inside a surrogate pair: ▲ yrs would count one character twice."""
        client = self.clients[ident[0]]
        if client.lows and _has(client.lows, ident[1] + after):
            raise Broken("half")
        return client.sequence(ident[1])

    def check_deleted(self, client: int, start: int, end: int) -> None:
        """Raises Broken if the deleted range of the clocks of `client` from `start` to before `end` cuts a surrogate
        pair in two. KeyError if the client is not known."""
        lows = self.clients[client].lows
        if lows and (_has(lows, start) or _has(lows, end)):
            raise Broken("half")

    def root(self, name: str) -> int:
        """The number of the root (a named, outermost part of the CRDT) with the name `name`; a root gets a number when
        it is first named."""
        found = self._roots.get(name)
        if found is None:
            found = self._roots[name] = len(self.parents)
            self.parents.append(Parent(name, None, NO_TYPE, 0))
        return found

    def key(self, name: str | None) -> int:
        """The number of the map key `name`, which it gets when it is first named; 0 for None, no key."""
        if name is None:
            return 0
        found = self._key_numbers.get(name)
        if found is None:
            found = self._key_numbers[name] = len(self.keys)
            self.keys.append(name)
        return found

    def _named(self, parent: str | Id, key: str | None) -> int:
        if isinstance(parent, str):
            return self.root(parent) << KEY_BITS | self.key(key)
        client = self.clients[parent[0]]
        number = client.parent(parent[1])
        if number is not None:
            return number << KEY_BITS | self.key(key)
        if client.sequence(parent[1]) == NOWHERE:
            return NOWHERE
        raise Broken("parent")

    def _new_type(self, ident: Id, kind: int, sequence: int) -> int:
        depth = self.parents[sequence >> KEY_BITS].depth + 1
        if depth > MAX_DEPTH:
            raise Broken("depth")
        self.parents.append(Parent(None, ident, kind, depth))
        return len(self.parents) - 1

    # -- taking back

    def mark(self) -> Mark:
        """A point for `rollback`."""
        return len(self._undo), len(self.parents), len(self.keys)

    def rollback(self, mark: Mark) -> None:
        """Takes back everything that was added to what is known of the object since `mark` was made."""
        undo, parents, keys = mark
        while len(self._undo) > undo:
            number, client, clock, runs, lows, types = self._undo.pop()
            if client is None:
                del self.clients[number]
                continue
            client.clock = clock
            del client.starts[runs:], client.sequences[runs:]
            del client.lows[lows:]
            del client.types[types:], client.parents[types:]
        for parent in self.parents[parents:]:
            if parent.name is not None:
                del self._roots[parent.name]
        del self.parents[parents:]
        for key in self.keys[keys:]:
            del self._key_numbers[key]
        del self.keys[keys:]

    def settle(self) -> None:
        """Commits what was added: earlier points are invalid from now on."""
        self._undo.clear()

    def _note(self, number: int, client: Client) -> None:
        runs, lows, types = len(client.starts), len(client.lows), len(client.types)
        self._undo.append((number, client, client.clock, runs, lows, types))


def _has(sorted_numbers: list[int], number: int) -> bool:
    at = bisect_left(sorted_numbers, number)
    return at < len(sorted_numbers) and sorted_numbers[at] == number
