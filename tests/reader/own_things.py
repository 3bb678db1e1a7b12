# SPDX-License-Identifier: EUPL-1.2
"""A person's own things, read from app/own/FORMAT.md and app/objects/FORMAT.md alone: what counts of what the person's
devices wrote in all objects of all years."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.reader import objects
from tests.reader.objects import TYPE, VALUES, Item
from tests.reader.pieces import Changes

Value = list[Any]
REGISTERS = ("rooms", "sections", "settings")
MOST = 2**53
LONGEST_KEY = 200


@dataclass
class OwnThings:
    """The values of all devices in all objects: by root, key and device, in no order. `devices`: the ids of all devices
    that the person has or had, in hex."""

    devices: Sequence[str]
    values: dict[str, dict[str, dict[str, list[Value]]]] = field(default_factory=dict)
    years: list[int] = field(default_factory=list)

    def take(self, changes: Sequence[tuple[bytes, bytes]]) -> None:
        """Takes an object by its changes (author, data), in the order of their positions."""
        taken = Changes()
        for position, (author, data) in enumerate(changes, start=1):
            taken.take(position, author, data)
        crdt = objects.Crdt()
        for update, _ in taken.merged:
            crdt.merge(update)
        crdt.settle()
        self.years.append(_map(crdt, "about").get("year", 0))
        for root in (*REGISTERS, "reads", "drafts", "notices", "reminders"):
            for dev, entries in _map(crdt, root).items():
                for key, value in entries.items() if isinstance(entries, dict) and dev in self.devices else ():
                    if isinstance(value, list) and len(key) <= LONGEST_KEY:
                        self.values.setdefault(root, {}).setdefault(key, {}).setdefault(dev, []).append(value)

    # -- what counts

    def reads(self, room: Sequence[str]) -> dict[str, tuple[int, int, list[int]]]:
        """By series: (generation, position, left). `room`: the hash at each position of the room of all series, from 0
        on, as far as the reader has it."""
        found = {}
        for key, values in self._of("reads"):
            marks = [(v[0], v[1], v[3] if len(v) > 3 else []) for v in values if len(v) > 2 and _is_there(room, *v[:3])]
            marks = [m for m in marks if isinstance(m[2], list) and len(m[2]) <= 64 and _whole(*m[2])]
            if not marks:
                continue
            generation = max(mark[0] for mark in marks)
            marks = [mark for mark in marks if mark[0] == generation]
            read = {n for _, upto, left in marks for n in range(upto + 1) if n not in left}
            upto = max(mark[1] for mark in marks)
            found[key] = generation, upto, [n for n in range(upto + 1) if n not in read]
        return found

    def registers(self, root: str) -> dict[str, Value]:
        found = {}
        for key, values in self._of(root):
            stamped = [value for value in values if len(value) > 1 and _whole(value[0])]
            if stamped:
                found[key] = max(stamped, key=lambda value: (value[0], packed(value[1:])))
        return found

    def notices(self) -> dict[str, Value]:
        found = {}
        for key, values in self._of("notices"):
            whole = [value for value in values if len(value) > 2 and _whole(*value[:3])]
            if whole:
                found[key] = max(whole, key=lambda value: value[:3])
        return found

    def reminders(self) -> dict[str, Value]:
        found = {}
        for key, values in self._of("reminders"):
            whole = [value for value in values if len(value) > 3 and _whole(*value[:4])]
            if whole:
                found[key] = max(whole, key=lambda value: (value[:3], packed(value[3:])))
        return found

    def drafts(self) -> dict[str, list[Value]]:
        """By place: [device, stamp, content], the latest first."""
        found = {}
        for key, devices in self.values.get("drafts", {}).items():
            stamped = {dev: [v for v in values if len(v) > 1 and _whole(v[0])] for dev, values in devices.items()}
            latest = {dev: max(values, key=lambda v: v[0]) for dev, values in stamped.items() if values}
            drafts = [
                [dev, value[0], value[1]]
                for dev, value in latest.items()
                if _is_content(value[1])
                and not any(_replaces(other, dev, value[0]) for by, other in latest.items() if by != dev)
            ]
            if drafts:
                found[key] = sorted(drafts, key=lambda draft: (draft[1], draft[0]), reverse=True)
        return found

    def _of(self, root: str) -> list[tuple[str, list[Value]]]:
        return [(key, [v for vs in devices.values() for v in vs]) for key, devices in self.values.get(root, {}).items()]


def packed(value: Any) -> bytes:
    """MessagePack in its shortest form, of what values hold."""
    match value:
        case None | True | False:
            return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
        case int():
            for head, bits in ((0xCC, 8), (0xCD, 16), (0xCE, 32), (0xCF, 64)):
                if value < 128 or value < 1 << bits:
                    return bytes((value,)) if value < 128 else bytes((head,)) + value.to_bytes(bits // 8, "big")
        case str():
            data = value.encode()
            short = bytes((0xA0 | len(data),)) if len(data) < 32 else b"\xd9" + bytes((len(data),))
            return (short if len(data) < 256 else b"\xda" + len(data).to_bytes(2, "big")) + data
        case list() if len(value) < 16:
            return bytes((0x90 | len(value),)) + b"".join(map(packed, value))
    raise AssertionError(f"no vector has {type(value).__name__} here")


def _is_there(room: Sequence[str], generation: Any, position: Any, named: Any) -> bool:
    return _whole(generation, position) and position < len(room) and room[position] == named


def _replaces(value: Value, dev: str, stamp: int) -> bool:
    """Whether a draft names that of `dev`, whose highest stamp is `stamp`: a higher one names nothing."""
    named = value[2] if len(value) > 2 and isinstance(value[2], dict) else {}
    return _whole(named.get(dev, -1)) and named[dev] == stamp


def _is_content(content: Any) -> bool:
    text = content.get("text") if isinstance(content, dict) else None
    return isinstance(text, str) and len(text) <= 20_000


def _whole(*numbers: Any) -> bool:
    return all(type(number) is int and 0 <= number < MOST for number in numbers)


# -- maps of the CRDT


def _map(crdt: objects.Crdt, parent: Any) -> dict[str, Any]:
    """What a map holds; `parent` is a root's name, or the id of an item that is a type."""
    found = {}
    for (at, key), row in crdt.sequences.items():
        if at == parent and key is not None and not row[-1].deleted:
            found[key] = _content(crdt, row[-1])
    return found


def _content(crdt: objects.Crdt, item: Item) -> Any:
    if item.what == TYPE:
        return _map(crdt, item.ident)
    return plain(item.content) if item.what == VALUES else None


def plain(value: Any) -> Any:
    """A value as its program means it: tests/reader/lib0.py names the types that JSON does not have."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, list):
        return value
    if value and value[0] == "big":
        return value[1]
    return [plain(each) for each in (value[1:] if value and value[0] == "list" else value)]
