# SPDX-License-Identifier: EUPL-1.2
"""A CRDT update as a structure: read from bytes, changed freely, written again. It checks nothing: the writer writes
whatever stands in the structure, also what no program would."""

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

GC, DELETED, JSON, BINARY, TEXT, EMBED, MARK, TYPE, VALUES, DOC, SKIP = range(11)
Id = tuple[int, int]
_BYTE = [bytes((byte,)) for byte in range(256)]


@dataclass(slots=True)
class Block:
    """One run of a client's ids. `content` depends on `kind`: a length, a text, [key, text], a type, values."""

    kind: int
    content: Any
    origin: Id | None = None
    right: Id | None = None
    parent: str | Id | None = None
    key: str | None = None
    flags: int = 0
    """Bits that are set besides those that follow from the fields: 0x20 where a neighbour gives the key."""
    written: bytes = b""
    """Its bytes, if they are kept: then `write` takes these. Only a `copy` of such a block may be changed."""

    def copy(self) -> "Block":
        """One that may be changed: it keeps no bytes."""
        return Block(self.kind, self.content, self.origin, self.right, self.parent, self.key, self.flags)

    @property
    def length(self) -> int:
        """How many ids it takes up."""
        match self.kind:
            case 0 | 1 | 10:
                return int(self.content)
            case 4:
                if self.content.isascii():
                    return len(self.content)
                return len(self.content.encode("utf-16-le", "surrogatepass")) // 2
            case 2 | 8:
                return len(self.content)
        return 1


@dataclass(slots=True)
class Section:
    """One client's blocks, from `clock` on."""

    client: int
    clock: int
    blocks: list[Block]

    @property
    def end(self) -> int:
        """The clock behind the last block."""
        return self.clock + sum(block.length for block in self.blocks)


@dataclass(slots=True)
class Blocks:
    """A whole update. `deletes`: clients with their [clock, length]."""

    sections: list[Section] = field(default_factory=list)
    deletes: list[tuple[int, list[list[int]]]] = field(default_factory=list)

    def copy(self) -> "Blocks":
        """One that can be changed without this one."""
        sections = [Section(s.client, s.clock, [b.copy() for b in s.blocks]) for s in self.sections]
        return Blocks(sections, [(client, [list(r) for r in ranges]) for client, ranges in self.deletes])


@lru_cache(1 << 14)
def number(value: int) -> bytes:
    """lib0's unsigned number. Kept, since clients, clocks and short lengths come again and again."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value: str | bytes) -> bytes:
    """A length and the text."""
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return number(len(data)) + data


def value_bytes(value: Any) -> bytes:
    """A value ("any") as yrs writes it; bytes stand for an already written value."""
    match value:
        case bytes():
            return value
        case None:
            return b"\x7e"
        case bool():
            return b"\x78" if value else b"\x79"
        case int():
            return b"\x7d" + _signed(value)
        case float():
            return b"\x7b" + struct.pack(">d", value)
        case str():
            return b"\x77" + text(value)
        case list():
            return b"\x75" + number(len(value)) + b"".join(map(value_bytes, value))
        case dict():
            inside = b"".join(text(k) + value_bytes(v) for k, v in value.items())
            return b"\x76" + number(len(value)) + inside
    raise TypeError(type(value))


def write(blocks: Blocks) -> bytes:
    """The update's bytes."""
    out = [number(len(blocks.sections))]
    for section in blocks.sections:
        out += [number(len(section.blocks)), number(section.client), number(section.clock)]
        out += [block.written or _block(block) for block in section.blocks]
    out.append(number(len(blocks.deletes)))
    for client, ranges in blocks.deletes:
        out += [number(client), number(len(ranges)), *(number(n) for r in ranges for n in r)]
    return b"".join(out)


def sealed(block: Block) -> Block:
    """The same block, which keeps its bytes from now on."""
    block.written = _block(block)
    return block


def parse(data: bytes) -> Blocks:
    """An update that a tool wrote; ValueError or IndexError for anything else."""
    read = _Bytes(data)
    sections = []
    for _ in range(read.number()):
        count, client, clock = read.number(), read.number(), read.number()
        sections.append(Section(client, clock, [_read_block(read) for _ in range(count)]))
    deletes = []
    for _ in range(read.number()):
        client = read.number()
        deletes.append((client, [[read.number(), read.number()] for _ in range(read.number())]))
    if read.at != len(data):
        raise ValueError("trailing")
    return Blocks(sections, deletes)


def _block(block: Block) -> bytes:
    kind, origin, right = block.kind, block.origin, block.right
    if kind in (GC, SKIP):
        return _BYTE[kind | block.flags] + number(block.content)
    info = kind | block.flags
    if origin is not None and right is not None:
        ids = number(origin[0]) + number(origin[1]) + number(right[0]) + number(right[1])
        return _BYTE[info | 0xC0] + ids + _content(block)
    if origin is not None:
        return _BYTE[info | 0x80] + number(origin[0]) + number(origin[1]) + _content(block)
    if right is not None:
        return _BYTE[info | 0x40] + number(right[0]) + number(right[1]) + _content(block)
    parent, key = block.parent, b""
    if block.key is not None:
        info, key = info | 0x20, text(block.key)
    if isinstance(parent, tuple):
        return b"".join((_BYTE[info], b"\0", number(parent[0]), number(parent[1]), key, _content(block)))
    return b"".join((_BYTE[info], b"\1", text(parent or ""), key, _content(block)))


def _content(block: Block) -> bytes:
    match block.kind:
        case 1:
            return number(block.content)
        case 2:
            return number(len(block.content)) + b"".join(map(text, block.content))
        case 6:
            return text(block.content[0]) + text(block.content[1])
        case 7:
            return bytes((block.content,))
        case 8:
            return number(len(block.content)) + b"".join(map(value_bytes, block.content))
        case 9:
            return text("guid") + value_bytes(block.content)
    return text(block.content)


def _read_block(read: "_Bytes") -> Block:
    info = read.byte()
    if info in (GC, SKIP):
        return Block(info, read.number())
    kind = info & 0x0F
    origin = read.ident() if info & 0x80 else None
    right = read.ident() if info & 0x40 else None
    parent: str | Id | None = None
    key = None
    if origin is None and right is None:
        parent = read.text() if read.number() else read.ident()
        key = read.text() if info & 0x20 else None
    return Block(kind, _read_content(read, kind), origin, right, parent, key, info & (0x30 if parent is None else 0x10))


def _read_content(read: "_Bytes", kind: int) -> Any:
    match kind:
        case 1:
            return read.number()
        case 4 | 5:
            return read.text()
        case 6:
            return [read.text(), read.text()]
        case 7:
            return read.byte()
        case 8:
            return [read.value() for _ in range(read.number())]
    raise ValueError("content")


def _signed(value: int) -> bytes:
    size, sign = abs(value), 0x40 if value < 0 else 0
    first = size & 0x3F | sign
    return bytes((first | 0x80,)) + number(size >> 6) if size > 0x3F else bytes((first,))


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        return self.take(self.number()).decode()

    def ident(self) -> Id:
        return self.number(), self.number()

    def value(self) -> Any:
        """A value as Python has it, or its bytes where Python has none."""
        start, kind = self.at, self.byte()
        match kind:
            case 126:
                return None
            case 120 | 121:
                return kind == 120
            case 119:
                return self.text()
            case 118:
                return {self.text(): self.value() for _ in range(self.number())}
            case 117:
                return [self.value() for _ in range(self.number())]
            case 125:
                while self.byte() >= 0x80:
                    pass
            case 116:
                self.take(self.number())
            case _:
                self.take({127: 0, 124: 4, 123: 8, 122: 8}[kind])
        return self.data[start : self.at]
