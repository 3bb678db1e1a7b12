# SPDX-License-Identifier: EUPL-1.2
"""Documents and boards, read from app/objects/FORMAT.md and the published description of Yjs alone.

It reads updates (version 1), puts their items in order as Yjs does, and writes the string whose hash is attested.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.reader.lib0 import Bytes, Id
from tests.reader.people import must
from tests.reader.pieces import decode

GONE, DELETED, TEXTS, EMBED, MARK, TYPE, TEXT, VALUES = 0, 1, 2, 5, 6, 7, 4, 8


@dataclass
class Item:
    """One clock value of an item."""

    ident: Id
    what: int
    origin: Id | None
    right: Id | None
    parent: Any
    key: str | None
    content: Any
    deleted: bool = False
    place: Any = None
    """The sequence that the item is in: (parent, key)."""


@dataclass
class Crdt:
    """The object that all updates make together."""

    items: dict[int, list[Item]] = field(default_factory=dict)
    sequences: dict[Any, list[Item]] = field(default_factory=dict)
    """Items in their order, by (parent, key); the newest value of a key is last."""
    waiting: dict[Id, Item] = field(default_factory=dict)
    gone: set[Id] = field(default_factory=set)

    def merge(self, update: bytes) -> None:
        read = Bytes(update)
        for _ in range(read.uint()):
            count, client, clock = read.uint(), read.uint(), read.uint()
            for _ in range(count):
                clock = self._struct(read, client, clock)
        for _ in range(read.uint()):
            client = read.uint()
            for _ in range(read.uint()):
                clock, length = read.uint(), read.uint()
                self.gone |= {(client, c) for c in range(clock, clock + length)}
        must(read.at == len(update), "update")
        while sum(self._place(self.waiting[i]) for i in sorted(self.waiting)):
            pass

    def at(self, ident: Id) -> Item | None:
        known = self.items.get(ident[0], [])
        return known[ident[1]] if ident[1] < len(known) else None

    def _struct(self, read: Bytes, client: int, clock: int) -> int:
        (info,) = read.take(1)
        if info in (GONE, 10):
            units: list[Any] = [None] * read.uint()
            if info == 10:  # a hole
                return clock + len(units)
            origin = right = parent = key = None
        else:
            origin = read.ident() if info & 0x80 else None
            right = read.ident() if info & 0x40 else None
            parent = key = None
            if origin is None and right is None:
                parent = read.text() if read.uint() else read.ident()
                key = read.text() if info & 0x20 else None
            units = _units(read, info & 31)
        for i, unit in enumerate(units):
            ident = (client, clock + i)
            left = origin if i == 0 else (client, clock + i - 1)
            self.waiting.setdefault(ident, Item(ident, info & 31, left, right, parent if i == 0 else None, key, unit))
            if self.at(ident) is not None:
                del self.waiting[ident]
        return clock + len(units)

    def _place(self, item: Item) -> bool:
        """Inserts an item where Yjs would, if everything that it depends on is present."""
        client, clock = item.ident
        known = self.items.setdefault(client, [])
        needs = [i for i in (item.origin, item.right, item.parent) if isinstance(i, tuple)]
        if len(known) != clock or any(self.at(i) is None for i in needs):
            return False
        del self.waiting[item.ident]
        known.append(item)
        beside = next((found.place for i in (item.origin, item.right) if i is not None and (found := self.at(i))), None)
        item.place = beside or (item.parent, item.key)
        if item.what == GONE or any((found := self.at(i)) is not None and found.what == GONE for i in needs):
            item.what, item.content, item.place = GONE, None, ("gone", None)
            return True
        row = self.sequences.setdefault(item.place, [])
        row.insert(self._index(row, item), item)
        return True

    def _index(self, row: list[Item], item: Item) -> int:
        """The item's index among the concurrent items between origin and right, in the order of YATA."""
        ids = {x.ident: i for i, x in enumerate(row)}
        at = ids[item.origin] + 1 if item.origin is not None else 0
        end = ids[item.right] if item.right is not None else len(row)
        before: set[Id] = set()
        same: set[Id] = set()
        for i in range(at, end):
            other = row[i]
            before.add(other.ident)
            same.add(other.ident)
            if other.origin == item.origin:
                if other.ident[0] < item.ident[0]:
                    at, same = i + 1, set()
                elif other.right == item.right:
                    break
            elif other.origin is not None and other.origin in before:
                if other.origin not in same:
                    at, same = i + 1, set()
            else:
                break
        return at

    def settle(self) -> None:
        """Deletes the items in the delete set, those that another value of their key replaced, and everything inside
        either."""
        must(not self.waiting and all(self.at(ident) for ident in self.gone), "a hole")
        for (_, key), row in self.sequences.items():
            if key is not None:
                self.gone |= {item.ident for item in row[:-1]}
        todo = list(self.gone)
        while todo:
            found = self.at(todo.pop())
            if found is None or found.what != TYPE:
                continue
            inner = [i.ident for (parent, _), row in self.sequences.items() if parent == found.ident for i in row]
            for ident in inner:
                child = self.at(ident)
                assert child is not None
                self.gone.add(ident)
                todo.append(ident)
        for ident in self.gone:
            item = self.at(ident)
            assert item is not None
            item.deleted = True
        for known in self.items.values():
            for item in known:
                if item.deleted and item.what != GONE:
                    inside = isinstance(item.place[0], tuple) and (above := self.at(item.place[0])) and above.deleted
                    item.what = GONE if inside else DELETED

    # -- what is attested

    def canonical(self) -> str:
        """The string whose hash is attested."""
        self.settle()
        vector = [[client, len(known)] for client, known in sorted(self.items.items()) if known]
        deleted: dict[int, list[list[int]]] = {}
        for client, clock in sorted(self.gone):
            rows = deleted.setdefault(client, [])
            if rows and sum(rows[-1]) == clock:
                rows[-1][1] += 1
            else:
                rows.append([clock, 1])
        items = [[client, _joined_runs(known)] for client, known in sorted(self.items.items())]
        value = [vector, [[c, rows] for c, rows in deleted.items()], items]
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _units(read: Bytes, what: int) -> list[Any]:
    """The content of each clock value that an item takes."""
    match what:
        case 1:
            return [None] * read.uint()
        case 2:
            return [read.text() for _ in range(read.uint())]
        case 3:
            return [read.take(read.uint()).hex()]
        case 4:
            data = read.text().encode("utf-16-be", "surrogatepass")
            return [data[i : i + 2].decode("utf-16-be", "surrogatepass") for i in range(0, len(data), 2)]
        case 5:
            return [json.loads(read.text())]
        case 6:
            return [[read.text(), json.loads(read.text())]]
        case 7:
            kind = read.uint()
            return [[kind, read.text() if kind in (3, 5) else None]]
        case 8:
            return [read.value() for _ in range(read.uint())]
    must(what == 9, "item")
    return [[read.text(), read.value()]]


def _joined_runs(items: list[Item]) -> list[list[Any]]:
    """Runs joined as the page defines, from the single clock values of one client."""
    runs: list[list[Any]] = []
    for item in items:
        bare = item.what == GONE
        content = None if bare or item.what == DELETED else item.content
        if not bare and item.what in (VALUES, TEXTS):
            content = [content]
        row = [item.ident[1], 1, item.what, item.origin, item.right, item.parent, item.key, content]
        if bare:
            row[3:] = [None] * 5
        elif item.origin is not None or item.right is not None:
            row[5:7] = [None, None]
        last = runs[-1] if runs else None
        follows = row[3] == (item.ident[0], row[0] - 1) and last is not None and last[4] == row[4]
        if last is not None and last[2] == row[2] and (bare or (row[2] in (1, 2, 4, 8) and follows)):
            last[1] += 1
            if content is not None:
                last[7] += content
        else:
            runs.append(row)
    for run in runs:
        if run[2] == TEXT:
            run[7] = _joined(run[7])
    return runs


def _joined(text: str) -> str:
    """UTF-16 units as characters."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


# -- changes


def updates(changes: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes, bytes]]:
    """The updates in changes' (author, data), with pieces joined: (author, update, the bytes beside a state)."""
    out, groups = [], dict[tuple[bytes, bytes], dict[int, Any]]()
    for author, data in changes:
        record = decode(data)
        if record["type"] == "update":
            out.append((author, record["update"], record.get("begun", b"")))
            continue
        group = groups.setdefault((author, record["group"]), {})
        group.setdefault(record["index"], record)
        if len(group) == record["count"]:
            pieces = [group[i] for i in sorted(group)]
            update, beside = (b"".join(p.get(name, b"") for p in pieces) for name in ("update", "begun"))
            out.append((author, update, beside))
    return out
