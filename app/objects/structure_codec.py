# SPDX-License-Identifier: EUPL-1.2
"""A structure as bytes, in one form whatever the order in which it was learned: a judge's state on disk, and the
structure beside the update of a baseline, snapshot or successor. FORMAT.md has every byte."""

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from app.objects.grammar import TYPED_TEXT, Id
from app.objects.lib0 import MAX_CLIENT, MAX_CLOCK, BadUpdate, Reader
from app.objects.structure import BREATH, KEY_BITS, KEY_MASK, NOWHERE, Client, Parent, Structure
from app.objects.values import MAX_DEPTH
from sync.pieces import finished

VERSION = 1
_UID_BYTES = 16

T = TypeVar("T")


def encode(structure: Structure) -> bytes:
    """The one encoding of a structure."""
    return finished(encoding(structure))


def encoding(structure: Structure) -> Generator[None, None, bytes]:
    """Encodes a structure, as `encode` does, but as a generator: other tasks can run between its steps. It returns the
    bytes. The structure must not change meanwhile."""
    out = bytearray((VERSION,))
    put = _writer(out)
    numbers = sorted(structure.clients)
    people = sorted({client.owner for client in structure.clients.values()})
    roots = sorted(parent.name for parent in structure.parents if parent.name is not None)
    types = sorted((parent.ident, parent.type) for parent in structure.parents if parent.ident is not None)
    keys = sorted(structure.keys[1:])
    yield
    _put_names(out, put, people, roots)
    yield from _put_keys(out, put, keys)
    yield from _put_types(put, types, numbers)
    places = {name: index for index, name in enumerate(roots, start=1)}
    idents = {ident: index for index, (ident, _) in enumerate(types, start=len(roots) + 1)}
    parents = [places[p.name] if p.name is not None else idents[p.ident or (0, 0)] for p in structure.parents]
    yield
    order = {key: index for index, key in enumerate(keys, start=1)}
    key_numbers = [0, *(order[key] for key in structure.keys[1:])]
    whose = {uid: index for index, uid in enumerate(people)}
    put(len(numbers))
    for count, number in enumerate(numbers, start=1):
        client = structure.clients[number]
        put(number, whose[client.owner])
        yield from _put_runs(put, client, parents, key_numbers)
        if count % BREATH == 0:
            yield
    return bytes(out)


def decode(data: bytes) -> Structure:
    """Decodes a structure. BadUpdate "structure" for bytes that `encode` would not give, or an impossible structure."""
    return finished(decoding(data))


def decoding(data: bytes) -> Generator[None, None, Structure]:
    """Decodes a structure, as `decode` does, but as a generator: other tasks can run between its steps. It returns the
    structure. BadUpdate "structure" for bytes that `encode` would not give, or an impossible structure."""
    try:
        structure = yield from _Decoding(data).run()
    except BadUpdate as bad:
        raise BadUpdate("structure", bad.at) from bad
    again = yield from encoding(structure)
    if again != data:
        raise BadUpdate("structure")
    return structure


def _writer(out: bytearray) -> Callable[..., None]:
    def put(*numbers: int) -> None:
        for number in numbers:
            while number >= 0x80:
                out.append(number & 0x7F | 0x80)
                number >>= 7
            out.append(number)

    return put


def _put_names(out: bytearray, put: Callable[..., None], people: list[bytes], roots: list[str]) -> None:
    put(len(people))
    for uid in people:
        out += uid
    put(len(roots))
    for name in roots:
        put(len(name.encode()))
        out += name.encode()


def _put_keys(out: bytearray, put: Callable[..., None], keys: list[str]) -> Iterator[None]:
    put(len(keys))
    for count, key in enumerate(keys, start=1):
        data = key.encode()
        put(len(data))
        out += data
        if count % BREATH == 0:
            yield


def _put_types(put: Callable[..., None], types: list[tuple[Id, int]], numbers: list[int]) -> Iterator[None]:
    at = {number: index for index, number in enumerate(numbers)}
    put(len(types))
    for count, ((client, clock), kind) in enumerate(types, start=1):
        put(at[client], clock, kind)
        if count % BREATH == 0:
            yield


def _put_runs(put: Callable[..., None], client: Client, parents: list[int], keys: list[int]) -> Iterator[None]:
    put(len(client.starts))
    ends = [*client.starts[1:], client.clock][: len(client.starts)]
    for count, (start, end, sequence) in enumerate(zip(client.starts, ends, client.sequences, strict=True), start=1):
        if sequence == NOWHERE:
            put(end - start, 0)
        else:
            put(end - start, parents[sequence >> KEY_BITS], keys[sequence & KEY_MASK])
        if count % BREATH == 0:
            yield
    put(len(client.lows))
    before = 0
    for count, low in enumerate(client.lows, start=1):
        put(low - before)
        before = low
        if count % (3 * BREATH) == 0:
            yield


class _Decoding:
    def __init__(self, data: bytes) -> None:
        self._read = Reader(data)
        self._structure = Structure()

    def run(self) -> Generator[None, None, Structure]:
        read, structure = self._read, self._structure
        if read.byte() != VERSION:
            raise BadUpdate("structure")
        people = [read.take(_UID_BYTES) for _ in range(read.count(_UID_BYTES))]
        yield from self._each(lambda: structure.root(read.text()), 1)
        yield from self._each(lambda: structure.key(read.text()), 1)
        types = yield from self._each(lambda: (read.number(), read.number(), read.number()), 3)
        for _ in range(read.count(4)):
            yield from self._client(people, len(structure.keys), len(types))
        if read.at != read.end:
            raise BadUpdate("trailing", read.at)
        yield from self._add_types(types)
        return structure

    def _each(self, one: Callable[[], T], least_bytes: int) -> Generator[None, None, list[T]]:
        out = []
        for count in range(self._read.count(least_bytes)):
            out.append(one())
            if count % BREATH == 0:
                yield
        return out

    def _client(self, people: list[bytes], keys: int, types: int) -> Iterator[None]:
        read = self._read
        number, owner = read.number(MAX_CLIENT), read.number()
        if owner >= len(people) or number in self._structure.clients:
            raise BadUpdate("structure", read.at)
        client = self._structure.claim(number, people[owner])
        parents = len(self._structure.parents) + types
        for count in range(read.count(2)):
            length, parent = read.number(), read.number()
            key = read.number() if parent else 0
            if not length or client.clock + length >= MAX_CLOCK or parent > parents or key >= keys:
                raise BadUpdate("structure", read.at)
            client.add(client.clock, length, (parent - 1) << KEY_BITS | key if parent else NOWHERE)
            if count % BREATH == 0:
                yield
        yield from self._lows(client)

    def _lows(self, client: Client) -> Iterator[None]:
        read, low = self._read, 0
        for count in range(read.count()):
            low += read.number()
            if not low or low >= client.clock or (client.lows and low == client.lows[-1]):
                raise BadUpdate("structure", read.at)
            client.lows.append(low)
            if count % (3 * BREATH) == 0:
                yield

    def _add_types(self, types: list[tuple[int, int, int]]) -> Iterator[None]:
        """Adds the nested types and computes how deep each is, once all are known. `types`: (index of its client among
        the ascending numbers, clock, kind). BadUpdate for an unknown kind, an id that is not there, types that contain
        each other in a cycle, and types too deep in others."""
        structure, roots = self._structure, len(self._structure.parents)
        numbers = sorted(structure.clients)
        inside: list[int] = []
        for index, clock, kind in types:
            client = structure.clients[numbers[index]] if index < len(numbers) else None
            if client is None or clock >= client.clock or kind > TYPED_TEXT or client.sequence(clock) == NOWHERE:
                raise BadUpdate("structure")
            inside.append(client.sequence(clock) >> KEY_BITS)
            ident: Id = (numbers[index], clock)
            structure.parents.append(Parent(None, ident, kind, 0))
            client.types.append(clock)
            client.parents.append(len(structure.parents) - 1)
            if len(inside) % BREATH == 0:
                yield
        for number in range(roots, len(structure.parents)):
            structure.parents[number] = structure.parents[number]._replace(depth=_depth(number, roots, inside))
            if number % BREATH == 0:
                yield


def _depth(number: int, roots: int, inside: list[int]) -> int:
    depth = 0
    while number >= roots:
        depth += 1
        number = inside[number - roots]
        if depth > MAX_DEPTH:
            raise BadUpdate("depth")
    return depth
