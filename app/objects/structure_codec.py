# SPDX-License-Identifier: EUPL-1.2
"""A structure as bytes, in one form whatever the order in which it was learned: a judge's state on disk, and what a
baseline, a snapshot or a successor says beside its update. FORMAT.md has every byte."""

from collections.abc import Callable

from app.objects.grammar import TYPED_TEXT, Id
from app.objects.lib0 import MAX_CLIENT, MAX_CLOCK, BadUpdate, Reader
from app.objects.structure import KEY_BITS, KEY_MASK, NOWHERE, Client, Parent, Structure
from app.objects.values import MAX_DEPTH

VERSION = 1
_UID_BYTES = 16


def encode(structure: Structure) -> bytes:
    """The one encoding of what a structure says."""
    out = bytearray((VERSION,))
    put = _writer(out)
    numbers = sorted(structure.clients)
    at = {number: index for index, number in enumerate(numbers)}
    people = sorted({client.owner for client in structure.clients.values()})
    roots = sorted(parent.name for parent in structure.parents if parent.name is not None)
    types = sorted((parent.ident, parent.type) for parent in structure.parents if parent.ident is not None)
    keys = sorted(structure.keys[1:])
    _put_people_and_names(out, put, people, roots, keys)
    put(len(types))
    for (client, clock), kind in types:
        put(at[client], clock, kind)
    places = {name: index for index, name in enumerate(roots, start=1)}
    idents = {ident: index for index, (ident, _) in enumerate(types, start=len(roots) + 1)}
    parents = [places[p.name] if p.name is not None else idents[p.ident or (0, 0)] for p in structure.parents]
    order = {key: index for index, key in enumerate(keys, start=1)}
    key_numbers = [0, *(order[key] for key in structure.keys[1:])]
    whose = {uid: index for index, uid in enumerate(people)}
    put(len(numbers))
    for number in numbers:
        client_ = structure.clients[number]
        put(number, whose[client_.owner])
        _put_runs(put, client_, parents, key_numbers)
    return bytes(out)


def decode(data: bytes) -> Structure:
    """The structure; BadUpdate "structure" for any bytes but its one encoding, or one that cannot be."""
    try:
        structure = _Decoding(data).run()
    except BadUpdate as bad:
        raise BadUpdate("structure", bad.at) from bad
    if encode(structure) != data:
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


def _put_people_and_names(
    out: bytearray, put: Callable[..., None], people: list[bytes], roots: list[str], keys: list[str]
) -> None:
    put(len(people))
    for uid in people:
        out += uid
    for names in (roots, keys):
        put(len(names))
        for name in names:
            data = name.encode()
            put(len(data))
            out += data


def _put_runs(put: Callable[..., None], client: Client, parents: list[int], keys: list[int]) -> None:
    put(len(client.starts))
    ends = [*client.starts[1:], client.clock][: len(client.starts)]
    for start, end, sequence in zip(client.starts, ends, client.sequences, strict=True):
        if sequence == NOWHERE:
            put(end - start, 0)
        else:
            put(end - start, parents[sequence >> KEY_BITS], keys[sequence & KEY_MASK])
    put(len(client.lows))
    before = 0
    for low in client.lows:
        put(low - before)
        before = low


class _Decoding:
    def __init__(self, data: bytes) -> None:
        self._read = Reader(data)
        self._structure = Structure()

    def run(self) -> Structure:
        read, structure = self._read, self._structure
        if read.byte() != VERSION:
            raise BadUpdate("structure")
        people = [read.take(_UID_BYTES) for _ in range(read.count(_UID_BYTES))]
        for _ in range(read.count()):
            structure.root(read.text())
        for _ in range(read.count()):
            structure.key(read.text())
        types = [(read.number(), read.number(), read.number()) for _ in range(read.count(3))]
        for _ in range(read.count(4)):
            self._client(people, len(structure.keys), len(types))
        if read.at != read.end:
            raise BadUpdate("trailing", read.at)
        self._add_types(types)
        return structure

    def _client(self, people: list[bytes], keys: int, types: int) -> None:
        read = self._read
        number, owner = read.number(MAX_CLIENT), read.number()
        if owner >= len(people) or number in self._structure.clients:
            raise BadUpdate("structure", read.at)
        client = self._structure.claim(number, people[owner])
        parents = len(self._structure.parents) + types
        for _ in range(read.count(2)):
            length, parent = read.number(), read.number()
            key = read.number() if parent else 0
            if not length or client.clock + length >= MAX_CLOCK or parent > parents or key >= keys:
                raise BadUpdate("structure", read.at)
            client.add(client.clock, length, (parent - 1) << KEY_BITS | key if parent else NOWHERE)
        low = 0
        for _ in range(read.count()):
            low += read.number()
            if not low or low >= client.clock or (client.lows and low == client.lows[-1]):
                raise BadUpdate("structure", read.at)
            client.lows.append(low)

    def _add_types(self, types: list[tuple[int, int, int]]) -> None:
        """Gives types their depths, once all are known; a cycle of them is refused."""
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
        for number in range(roots, len(structure.parents)):
            structure.parents[number] = structure.parents[number]._replace(depth=_depth(number, roots, inside))


def _depth(number: int, roots: int, inside: list[int]) -> int:
    depth = 0
    while number >= roots:
        depth += 1
        number = inside[number - roots]
        if depth > MAX_DEPTH:
            raise BadUpdate("depth")
    return depth
