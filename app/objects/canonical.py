# SPDX-License-Identifier: EUPL-1.2
"""The content of a shared object in one form: two copies that merged the same changes give the same bytes, however the
CRDT cut its runs. Two objects that only look alike give different bytes: an edit that names an item of one would be
lost in the other.

Reads the CRDT's own update format (lib0, version 1). An update with missing ranges, or with anything unknown, gives
None.
"""

import json
import struct
from collections.abc import Callable
from typing import Any

_GC, _DELETED, _JSON, _STRING, _ANY = 0, 1, 2, 4, 8
_SKIP = 10
_NAMED_TYPES = (3, 5)
"""XML elements and hooks have a name; none of our objects has them, and they are read all the same."""
_ORIGIN, _RIGHT, _KEY = 0x80, 0x40, 0x20
_WORDS = ("undefined", "big", "bytes", "list")
"""The first element of the array that replaces a value JSON does not have, or a list that would look like such an
array."""
Run = list[Any]
"""[clock, length, what, origin, right, parent, key, content]; ids are (client, clock) or None."""


def canonical(update: bytes) -> tuple[list[tuple[int, int]], list[tuple[int, list[list[int]]]], list[Any]] | None:
    """▲ Reads a whole document's update as (state vector, delete set, items), each sorted, so that two copies with the
    same content give equal results. None if the update is damaged or lacks a range of items."""
    found = _read(update)
    if found is None or not all(whole for whole, _ in found[0].values()):
        return None
    clients, deleted = found
    vector = sorted((client, runs[-1][0] + runs[-1][1]) for client, (_, runs) in clients.items() if runs)
    return vector, deleted, [[client, clients[client][1]] for client in sorted(clients)]


def same_content(one: bytes, other: bytes) -> bool:
    """Whether the updates `one` and `other`, of whole documents or not, have the same items and delete the same ones.
    False if one of them cannot be read."""
    first = _read(one)
    return first is not None and first == _read(other)


def _read(update: bytes) -> tuple[dict[int, tuple[bool, list[Run]]], list[tuple[int, list[list[int]]]]] | None:
    """Reads an update. Returns ({client: (whether its items are complete from clock 0 on, the items)}, deleted ranges
    by client); None if it is damaged."""
    try:
        read = _Reader(update)
        clients = {}
        for _ in range(read.uint()):
            count, client = read.uint(), read.uint()
            clients[client] = _runs(read, client, count)
        deleted = sorted((read.uint(), _ranges(read)) for _ in range(read.uint()))
    except (IndexError, ValueError, RecursionError, struct.error):
        return None
    return None if read.left else (clients, deleted)


def _runs(read: "_Reader", client: int, count: int) -> tuple[bool, list[Run]]:
    """Reads the next `count` items, all of the CRDT client number `client`. Returns (whether they are complete from
    clock 0 on, the items). Neighbouring items that could be one are joined, whether the CRDT had joined them or not.
    IndexError, ValueError, RecursionError or struct.error for damaged bytes."""
    clock, runs = read.uint(), list[Run]()
    whole = clock == 0
    for _ in range(count):
        info = read.byte()
        if info == _SKIP:
            whole = False
            clock += read.uint()
            continue
        run = _gone(clock, read.uint()) if info == _GC else _item(read, clock, info)
        clock += run[1]
        if not (runs and _join(client, runs[-1], run)):
            runs.append(run)
    return whole, runs


def _gone(clock: int, length: int) -> Run:
    """A run that was inside a deleted item: nothing of it is left but its ids."""
    return [clock, length, _GC, None, None, None, None, None]


def _item(read: "_Reader", clock: int, info: int) -> Run:
    origin = read.ident() if info & _ORIGIN else None
    right = read.ident() if info & _RIGHT else None
    parent: Any = None
    key = None
    if origin is None and right is None:
        parent = read.text() if read.uint() else read.ident()
        key = read.text() if info & _KEY else None
    what = info & 0x1F
    length, content = _content(read, what)
    return [clock, length, what, origin, right, parent, key, content]


def _content(read: "_Reader", what: int) -> tuple[int, Any]:
    """Reads the content of an item of kind `what` (the CRDT's number for text, a map, …). Returns (its length in the
    CRDT's units, the content). ValueError for an unknown kind."""
    match what:
        case 1:
            return read.uint(), None
        case 2:
            values = [read.text() for _ in range(read.uint())]
            return len(values), values
        case 3:
            return 1, read.blob().hex()
        case 4:
            text = read.text()
            return len(text.encode("utf-16-le")) // 2, text
        case 5:
            return 1, json.loads(read.text())
        case 6:
            return 1, [read.text(), json.loads(read.text())]
        case 7:
            kind = read.uint()
            return 1, [kind, read.text() if kind in _NAMED_TYPES else None]
        case 8:
            values = [read.any() for _ in range(read.uint())]
            return len(values), values
        case 9:
            return 1, [read.text(), read.any()]
    raise ValueError("content")


def _join(client: int, before: Run, run: Run) -> bool:
    """Joins the item `run` to `before`, the item before it of the same client `client`, if no reader of the document
    could distinguish the two from one item. Returns whether it did."""
    if run[2] != before[2]:
        return False
    if run[2] == _GC:
        before[1] += run[1]
        return True
    if run[2] not in (_DELETED, _STRING, _ANY, _JSON):
        return False
    if run[3] != (client, run[0] - 1) or run[4] != before[4]:
        return False
    before[1] += run[1]
    if run[2] != _DELETED:
        before[7] = before[7] + run[7]
    return True


def _ranges(read: "_Reader") -> list[list[int]]:
    """Reads one CRDT client's ranges of deleted clocks from a delete set. Returns them as [from, length], sorted;
    ranges that touch or overlap are joined."""
    out: list[list[int]] = []
    for clock, length in sorted((read.uint(), read.uint()) for _ in range(read.uint())):
        if out and clock <= out[-1][0] + out[-1][1]:
            out[-1][1] = max(out[-1][1], clock + length - out[-1][0])
        else:
            out.append([clock, length])
    return out


class _Reader:
    """Reads numbers, texts and values in lib0, the encoding of CRDT updates, from the beginning of some bytes.
    IndexError past their end; ValueError for an unknown kind of value, a number that is too long or a damaged text."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def uint(self) -> int:
        data, at = self._data, self._at
        value = data[at]
        at += 1
        if value >= 0x80:
            value &= 0x7F
            shift = 7
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
                if shift > 63:
                    raise ValueError("number")
        self._at = at
        return value

    def ident(self) -> tuple[int, int]:
        return self.uint(), self.uint()

    def blob(self) -> bytes:
        return self._take(self.uint())

    def text(self) -> str:
        return self._take(self.uint()).decode("utf-8", "surrogatepass")

    def any(self) -> Any:
        kinds: dict[int, Callable[[], Any]] = {
            127: lambda: ["undefined"],
            126: lambda: None,
            125: self._int,
            124: lambda: struct.unpack(">f", self._take(4))[0],
            123: lambda: struct.unpack(">d", self._take(8))[0],
            122: lambda: ["big", struct.unpack(">q", self._take(8))[0]],
            121: lambda: False,
            120: lambda: True,
            119: self.text,
            118: lambda: {self.text(): self.any() for _ in range(self.uint())},
            117: self._list,
            116: lambda: ["bytes", self.blob().hex()],
        }
        found = kinds.get(self.byte())
        if found is None:
            raise ValueError("value")
        return found()

    def _list(self) -> list[Any]:
        """Reads a list. A value that JSON lacks is replaced by an array such as ["bytes", hex]. ▲ A list that would
        look like such an array is returned with "list" before its values: nobody then attests (confirms) a snapshot
        that has one of them in place of the other."""
        values = [self.any() for _ in range(self.uint())]
        return ["list", *values] if values and values[0] in _WORDS else values

    def _int(self) -> int:
        """Reads a signed number: the first byte has six bits and the sign, each further one seven bits. ValueError if
        it is longer than nine bytes."""
        byte = self.byte()
        sign = -1 if byte & 0x40 else 1
        value, shift = byte & 0x3F, 6
        while byte & 0x80:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise ValueError("number")
        return sign * value

    def _take(self, length: int) -> bytes:
        if length > self.left:
            raise IndexError
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken
