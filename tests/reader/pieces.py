# SPDX-License-Identifier: EUPL-1.2
"""Changes of an object that merges, and their pieces put together, from app/objects/FORMAT.md alone."""

from dataclasses import dataclass, field
from typing import Any

from tests.reader.grammar import Strict, Update, read
from tests.reader.judge import Judge, Verdict
from tests.reader.lib0 import Bytes, msgpack
from tests.reader.people import must
from tests.reader.primitives import Refused

Outcome = tuple[int, list[int], str]
"""(position, the positions of all its changes, the verdict)."""
NOTHING = "malformed"
"""Data that is no record of ours: it has no effect."""


@dataclass
class Group:
    count: int
    pieces: dict[int, tuple[int, Any]] = field(default_factory=dict)
    """By index: (position, record)."""


@dataclass
class Changes:
    """The changes of one object, taken in the order of their positions."""

    judge: Judge = field(default_factory=Judge)
    groups: dict[tuple[bytes, bytes], Group] = field(default_factory=dict)
    parts: dict[int, tuple[list[int], bytes, bytes]] = field(default_factory=dict)
    """By position: (the positions of all its changes, update, begun)."""
    merged: list[tuple[bytes, bytes]] = field(default_factory=list)

    def take(self, position: int, author: bytes, data: bytes) -> list[Outcome]:
        try:
            record = decode(data)
        except Refused as refused:
            return [(position, [position], refused.args[0])]
        if record["type"] == "update":
            return self.offer(position, [position], author, record["update"], record.get("begun", b""))
        key = author, record["group"]
        group = self.groups.setdefault(key, Group(record["count"]))
        if record["count"] != group.count or record["index"] in group.pieces:
            return [(position, [position], "piece")]
        group.pieces[record["index"]] = position, record
        if len(group.pieces) < group.count:
            return [(position, [position], "late")]
        found = [group.pieces[index] for index in range(group.count)]
        update, begun = (b"".join(record.get(name, b"") for _, record in found) for name in ("update", "begun"))
        out = self.offer(position, sorted(at for at, _ in found), author, update, begun)
        del self.groups[key]
        return out

    def cover(self, upto: int) -> None:
        """A prune covers these positions: what waits there, or has a piece there, is left out."""
        self.judge.cover({at for at in self.judge.waiting if min(self.parts[at][0]) <= upto})
        first = {key: min(at for at, _ in group.pieces.values()) for key, group in self.groups.items()}
        self.groups = {key: group for key, group in self.groups.items() if first[key] > upto}

    def offer(self, position: int, parts: list[int], author: bytes, update: bytes, begun: bytes) -> list[Outcome]:
        if begun:
            if self.judge.owners:
                return [(position, parts, "state")]
            self.begin(update, begun)
            self.parts[position] = parts, update, begun
            return self.noted([(position, "merged"), *self.judge.release()])
        try:
            content = read(update)
        except Refused:
            return [(position, parts, "damaged-update")]
        if self.is_reserved(content, author):
            return [(position, parts, "foreign")]
        self.parts[position] = parts, update, b""
        return self.noted(self.judge.offer(position, author, content))

    def noted(self, found: list[Verdict]) -> list[Outcome]:
        self.merged += [self.parts[at][1:] for at, verdict in found if verdict == "merged"]
        return [(at, self.parts[at][0], verdict) for at, verdict in found]

    def begin(self, update: bytes, begun: bytes) -> None:
        """A state: all of its ids are there, and whose they are is beside it."""
        _, _, known = msgpack(Bytes(begun))
        for item in read(update, state=True).items:
            self.judge.add(item)
        self.judge.owners = owners(known)

    def is_reserved(self, content: Update, author: bytes) -> bool:
        """Whether an incomplete group of another author has a client that nobody owns yet."""
        reserved: dict[int, tuple[int, bytes]] = {}
        for (whose, _), group in self.groups.items():
            at, record = group.pieces.get(0, (0, None))
            client = begins_with(record["update"]) if record is not None else None
            if client is not None:
                reserved[client] = min(reserved.get(client, (at, whose)), (at, whose))
        new = {unit.ident[0] for item in content.items for unit in item} - set(self.judge.owners)
        return any(reserved[client][1] != author for client in new & set(reserved))


def decode(data: bytes) -> Any:
    """The record in a change's data. Refused with "format-newer" or NOTHING for any other data."""
    must(len(data) <= 192 * 1024 and bool(data), NOTHING)
    must(data[0] == 1, "format-newer")
    try:
        record = msgpack(Bytes(data[1:]))
    except (Refused, IndexError, ValueError) as e:
        raise Refused(NOTHING) from e
    must(isinstance(record, dict) and isinstance(record.get("type"), str), NOTHING)
    must(record["type"] in ("update", "piece"), "format-newer")
    must(isinstance(record.get("update"), bytes) and isinstance(record.get("begun", b""), bytes), NOTHING)
    if record["type"] == "piece":
        index, count, group = record.get("index"), record.get("count"), record.get("group")
        must(isinstance(index, int) and isinstance(count, int) and 0 <= index < count <= 400, NOTHING)
        must(isinstance(group, bytes) and len(group) == 16, NOTHING)
    else:
        must(isinstance(record.get("title"), str | None), NOTHING)
    return record


def owners(known: bytes) -> dict[int, bytes]:
    """Whose each client is, of what a judge knows."""
    reader = Strict(known)
    must(reader.byte() == 1, "known")
    people = [reader.take(16) for _ in range(reader.number())]
    for _ in ("roots", "keys"):
        for _ in range(reader.number()):
            reader.text()
    for _ in range(reader.number()):
        _ = reader.number(), reader.number(), reader.number()
    out = dict[int, bytes]()
    for _ in range(reader.number()):
        client = reader.number(2**53)
        out[client] = people[reader.number()]
        for _ in range(reader.number()):
            _, parent = reader.number(), reader.number()
            _ = reader.number() if parent else 0
        for _ in range(reader.number()):
            reader.number()
    must(reader.at == len(known), "known")
    return out


def begins_with(piece: bytes) -> int | None:
    """The client of the one section with which an update begins; None if there is none, or several."""
    reader = Strict(piece)
    try:
        if reader.number() != 1:
            return None
        reader.number()
        return reader.number(2**53)
    except Refused:
        return None
