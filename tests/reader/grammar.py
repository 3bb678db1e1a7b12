# SPDX-License-Identifier: EUPL-1.2
"""The grammar of updates, read id by id from app/objects/FORMAT.md alone, without regard to speed."""

import json
import math
import struct
from dataclasses import dataclass, field
from typing import Any

from tests.reader.people import must

Id = tuple[int, int]
MARKS = ("bold", "italic", "underline", "strike", "link", "heading", "list", "indent", "quote")


@dataclass(frozen=True)
class Unit:
    """One id. `left` and `right` are its neighbours; except for an item's first id, the left one is the id before."""

    ident: Id
    kind: int
    keyed: bool
    left: Id | None
    right: Id | None
    parent: Any
    key: str | None
    low: bool
    type: int | None


@dataclass
class Update:
    """The content of an update. `items`: the ids of each item; `named`: the ids that it names, in the order of the
    page."""

    items: list[list[Unit]] = field(default_factory=list)
    named: list[Id] = field(default_factory=list)
    deleted: list[tuple[int, int, int]] = field(default_factory=list)

    def needed(self) -> list[Id]:
        own = {unit.ident for item in self.items for unit in item}
        return [ident for ident in self.named if ident not in own]


class Strict:
    """lib0, with exactly one form for each value."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        must(self.at + size <= len(self.data), "truncated")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, limit: int = 2**31) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                must(byte != 0 or shift == 0, "number")
                must(value < limit, "limit")
                return value
            shift += 7

    def count(self, least: int) -> int:
        value = self.number()
        must(value * least <= len(self.data) - self.at, "truncated")
        return value

    def text(self) -> str:
        try:
            return self.take(self.number()).decode()
        except UnicodeDecodeError:
            must(False, "text")
            raise

    def ident(self) -> Id:
        return self.number(2**53), self.number()

    def value(self, depth: int = 0) -> None:
        kind = self.byte()
        must(116 <= kind <= 127, "value")
        must(kind not in (117, 118) or depth < 16, "depth")
        if kind == 125:
            self._whole()
        elif kind == 124:
            must(not math.isnan(struct.unpack(">f", self.take(4))[0]), "number")
        elif kind == 123:
            number = struct.unpack(">d", self.take(8))[0]
            must(not _single(number), "number")
        elif kind == 122:
            self.take(8)
        elif kind == 119:
            self.text()
        elif kind == 118:
            count = self.count(2)
            keys = set()
            for _ in range(count):
                key = self.text()
                must(key not in keys, "twice")
                keys.add(key)
                self.value(depth + 1)
        elif kind == 117:
            for _ in range(self.count(1)):
                self.value(depth + 1)
        elif kind == 116:
            self.take(self.number())

    def _whole(self) -> None:
        byte = self.byte()
        value, shift = byte & 63, 6
        must(byte != 64, "number")
        while byte >= 128:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            must(byte != 0, "number")
        must(value < 2**53, "limit")


def _single(number: float) -> bool:
    """Whether a 32-bit float represents the number exactly."""
    try:
        return bool(struct.unpack(">f", struct.pack(">f", number))[0] == number)
    except OverflowError:
        return False


def check_json(text: str) -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        must(len({key for key, _ in found}) == len(found), "twice")
        return dict(found)

    def constant(_: str) -> None:
        must(False, "json")

    def real(text: str) -> float:
        must(not math.isinf(float(text)), "json")
        return float(text)

    def whole(text: str) -> int:
        must(len(text) <= 20 and -(2**63) <= int(text) < 2**63, "json")
        return int(text)

    try:
        held = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=real, parse_int=whole)
    except (json.JSONDecodeError, RecursionError):
        must(False, "json")
    must(not text.startswith("\ufeff"), "json")
    level = [held]
    for _ in range(16):
        level = [inner for outer in level for inner in _inside(outer)]
    must(all(not isinstance(left, list | dict) for left in level), "depth")
    try:
        json.dumps(held, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        must(False, "json")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def read(data: bytes, *, state: bool = False) -> Update:
    """An update that keeps all rules; otherwise Refused."""
    bytes_, update, roots = Strict(data), Update(), set[str]()
    before = 2**53
    sections = bytes_.count(4)
    must(state or sections < 2, "clients")
    for _ in range(sections):
        count, client, clock = bytes_.count(2), bytes_.number(2**53), bytes_.number()
        must(count > 0, "empty")
        must(not state or clock == 0, "hole")
        must(client < before, "order")
        before = client
        if clock:
            update.named.append((client, clock - 1))
        depths: dict[Id, int] = {}
        for _ in range(count):
            item = _item(bytes_, client, clock, update, roots, depths)
            must(item != [], "empty")
            clock += len(item)
            must(clock < 2**31, "limit")
            update.items.append(item)
    seen = set()
    for _ in range(bytes_.count(4)):
        client = bytes_.number(2**53)
        must(client not in seen, "order")
        seen.add(client)
        _ranges(bytes_, client, update)
    must(bytes_.at == len(data), "trailing")
    for item in update.items:
        if item[0].kind == 8 and item[0].keyed and len(item) > 1:
            must(all(_is_deleted(unit.ident, update) for unit in item), "several")
    must(len(roots) <= 8192 and all(len(name.encode()) <= 64 for name in roots), "root")
    return update


def _is_deleted(ident: Id, update: Update) -> bool:
    return any(client == ident[0] and start <= ident[1] < end for client, start, end in update.deleted)


def _ranges(bytes_: Strict, client: int, update: Update) -> None:
    count = bytes_.count(2)
    must(count > 0, "empty")
    last = -1
    for _ in range(count):
        clock, length = bytes_.number(), bytes_.number()
        must(length > 0, "empty")
        must(clock + length < 2**31, "limit")
        must(clock > last, "order")
        last = clock + length
        update.deleted.append((client, clock, clock + length))
        update.named.append((client, clock + length - 1))


def _item(
    bytes_: Strict, client: int, clock: int, update: Update, roots: set[str], depths: dict[Id, int]
) -> list[Unit]:
    info = bytes_.byte()
    if info == 0:
        length = bytes_.number()
        must(length < 2**20, "limit")  # no vector has more: this reader keeps each id by itself
        return [Unit((client, clock + n), 0, False, None, None, None, None, False, None) for n in range(length)]
    kind, keyed = info & 15, bool(info & 32)
    must(not info & 16 and kind in (1, 4, 5, 6, 7, 8), "kind")
    must(not keyed or kind not in (4, 6), "keyed")
    origin = bytes_.ident() if info & 128 else None
    right = bytes_.ident() if info & 64 else None
    parent: Any = None
    key = None
    if origin is None and right is None:
        named = bytes_.number()
        must(named < 2, "parent")
        parent = bytes_.text() if named else bytes_.ident()
        if isinstance(parent, str):
            roots.add(parent)
        key = bytes_.text() if keyed else None
    names = [ident for ident in (origin, right, parent) if isinstance(ident, tuple)]
    must(all(c != client or k < clock for c, k in names), "forward")
    update.named += names
    lows, type_ = _content(bytes_, kind)
    if type_ is not None:
        depths[client, clock] = depths.get(parent, 0) + 1
        must(depths[client, clock] <= 16, "depth")
    units = []
    for n, low in enumerate(lows):
        left = origin if n == 0 else (client, clock + n - 1)
        units.append(Unit((client, clock + n), kind, keyed, left, right, parent, key, low, type_))
    return units


def _content(bytes_: Strict, kind: int) -> tuple[list[bool], int | None]:
    """(for each id whether it is the second half of a pair, the type of the item or None)."""
    if kind == 1:
        length = bytes_.number()
        must(length < 2**20, "limit")
        return [False] * length, None
    if kind == 4:
        units = bytes_.text().encode("utf-16-be")
        return [units[i] & 0xFC == 0xDC for i in range(0, len(units), 2)], None
    if kind == 7:
        type_ = bytes_.byte()
        must(type_ < 3, "type")
        return [False], type_
    if kind == 8:
        count = bytes_.count(1)
        for _ in range(count):
            bytes_.value()
        return [False] * count, None
    name = bytes_.text() if kind == 6 else ""
    before = bytes_.at
    check_json(bytes_.text())
    if kind == 6:
        must(name in MARKS or (len(name) == 1 and "a" <= name <= "z"), "mark")
        must(bytes_.at - before <= (8192 if name == "link" else 64), "mark")
    return [False], None
