# SPDX-License-Identifier: EUPL-1.2
"""Which updates count, and what a judge knows as bytes, from app/objects/FORMAT.md alone. Each id is kept
separately."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tests.reader.grammar import Id, Unit, Update

NOWHERE: Any = "nowhere"
Verdict = tuple[int, str]
"""(position, "merged", "again", "late", or the code of what is void)."""


class Void(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Judge:
    """The judge of one object. A sequence is (parent, key), or NOWHERE; a parent is a root's name or a type's id."""

    owners: dict[int, bytes] = field(default_factory=dict)
    clocks: dict[int, int] = field(default_factory=dict)
    sequences: dict[Id, Any] = field(default_factory=dict)
    types: dict[Id, int] = field(default_factory=dict)
    lows: set[Id] = field(default_factory=set)
    waiting: dict[int, tuple[bytes, Update, Id]] = field(default_factory=dict)

    def offer(self, position: int, author: bytes, update: Update) -> list[Verdict]:
        clients = {unit.ident[0] for item in update.items for unit in item}
        if any(self.owners.get(client, author) != author for client in clients):
            return [(position, "foreign")]
        return [(position, self.judge(position, author, update)), *self.release()]

    def release(self) -> list[Verdict]:
        """The verdicts on what waited and lacks nothing any more."""
        out = []
        while ready := [p for p, (_, _, lacks) in self.waiting.items() if lacks in self.sequences]:
            author, update, _ = self.waiting.pop(min(ready))
            out.append((min(ready), self.judge(min(ready), author, update)))
        return [verdict for verdict in out if verdict[1] != "late"]  # it waits as before

    def cover(self, positions: Collection[int]) -> None:
        self.waiting = {position: late for position, late in self.waiting.items() if position not in positions}

    def judge(self, position: int, author: bytes, update: Update) -> str:
        ids = [unit.ident for item in update.items for unit in item]
        known = [ident in self.sequences for ident in ids]
        if ids and known[0]:
            return "again" if all(known) else "overlap"
        new = {client for client, _ in ids} - set(self.owners)
        self.owners |= dict.fromkeys(new, author)
        lacks = next((ident for ident in update.needed() if ident not in self.sequences), None)
        if lacks is not None:
            self.waiting[position] = author, update, lacks
            return "late"
        before = self.copy()
        try:
            for item in update.items:
                self.add(item)
            for client, start, end in update.deleted:
                if (client, start) in self.lows or (client, end) in self.lows:
                    raise Void("half")
        except Void as void:
            self.__dict__ |= before.__dict__
            for client in new:
                del self.owners[client]
            return void.code
        return "merged"

    def copy(self) -> "Judge":
        return Judge(
            dict(self.owners), dict(self.clocks), dict(self.sequences), dict(self.types), set(self.lows), self.waiting
        )

    def add(self, item: list[Unit]) -> None:
        first = item[0]
        sequence = self.sequence(first)
        for unit in item:
            self.sequences[unit.ident] = sequence
            self.clocks[unit.ident[0]] = unit.ident[1] + 1
            if unit.low:
                self.lows.add(unit.ident)
        if first.type is not None and sequence != NOWHERE:
            self.types[first.ident] = first.type
            if self.depth(first.ident) > 16:
                raise Void("depth")

    def sequence(self, unit: Unit) -> Any:
        if unit.parent is not None:
            found: Any = (unit.parent, unit.key)
            if isinstance(unit.parent, tuple) and unit.parent not in self.types:
                if self.sequences[unit.parent] != NOWHERE:
                    raise Void("parent")
                found = NOWHERE
        elif unit.left is None and unit.right is None:
            return NOWHERE
        else:
            if unit.left is not None and (unit.left[0], unit.left[1] + 1) in self.lows:
                raise Void("half")
            if unit.right is not None and unit.right in self.lows:
                raise Void("half")
            beside = [self.sequences[ident] for ident in (unit.left, unit.right) if ident is not None]
            if beside[0] != beside[-1]:
                raise Void("apart")
            found = beside[0]
        if found != NOWHERE:
            parent, key = found
            if unit.keyed != (key is not None):
                raise Void("keyed")
            kind = self.types.get(parent) if isinstance(parent, tuple) else None
            if (kind == 1 and not unit.keyed) or (kind == 0 and (unit.keyed or unit.kind in (4, 6))):
                raise Void("unfit")
            if kind in (None, 2) and not unit.keyed and unit.kind in (5, 7, 8):
                raise Void("unfit")
        return found

    def depth(self, ident: Id) -> int:
        depth = 0
        while isinstance(ident, tuple):
            depth += 1
            ident = self.sequences[ident][0]
        return depth

    def known(self) -> bytes:
        """What the judge knows, as bytes."""
        people = sorted(set(self.owners.values()))
        held = [sequence for sequence in self.sequences.values() if sequence != NOWHERE]
        roots = sorted({parent for parent, _ in held if isinstance(parent, str)})
        keys = sorted({key for _, key in held if key is not None})
        types = sorted(self.types)
        clients = sorted(self.owners)
        out = b"\1" + number(len(people)) + b"".join(people)
        for names in (roots, keys):
            out += number(len(names)) + b"".join(number(len(n.encode())) + n.encode() for n in names)
        out += number(len(types))
        for client, clock in types:
            out += number(clients.index(client)) + number(clock) + number(self.types[client, clock])
        out += number(len(clients))
        for client in clients:
            out += number(client) + number(people.index(self.owners[client]))
            out += self.runs(client, [*roots, *types], keys)
        return out

    def runs(self, client: int, parents: list[Any], keys: list[str]) -> bytes:
        runs: list[list[Any]] = []
        for clock in range(self.clocks.get(client, 0)):
            sequence = self.sequences[client, clock]
            if runs and runs[-1][1] == sequence:
                runs[-1][0] += 1
            else:
                runs.append([1, sequence])
        out = number(len(runs))
        for length, sequence in runs:
            out += number(length)
            if sequence == NOWHERE:
                out += number(0)
            else:
                parent, key = sequence
                out += number(parents.index(parent) + 1) + number(0 if key is None else keys.index(key) + 1)
        lows = sorted(clock for c, clock in self.lows if c == client)
        out += number(len(lows))
        return out + b"".join(number(low - before) for before, low in zip([0, *lows], lows, strict=False))


def number(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes((value & 127 | 128,))
        value >>= 7
    return out + bytes((value,))
