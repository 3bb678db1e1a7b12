# SPDX-License-Identifier: EUPL-1.2
"""The encodings inside a change's data: lib0, in which Yjs writes its updates, and the needed part of msgpack."""

import struct
from typing import Any

from tests.reader.people import must

WORDS = ("undefined", "big", "bytes", "list")
Id = tuple[int, int]


class Bytes:
    """lib0's encoding."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        must(self.at + count <= len(self.data), "truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def uint(self) -> int:
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def text(self) -> str:
        return self.take(self.uint()).decode("utf-8", "surrogatepass")

    def ident(self) -> Id:
        return self.uint(), self.uint()

    def value(self) -> Any:
        (kind,) = self.take(1)
        match kind:
            case 127:
                return ["undefined"]
            case 126:
                return None
            case 125:
                (byte,) = self.take(1)
                value, shift, sign = byte & 63, 6, -1 if byte & 64 else 1
                while byte & 128:
                    (byte,) = self.take(1)
                    value |= (byte & 127) << shift
                    shift += 7
                return sign * value
            case 124 | 123:
                return struct.unpack(">f" if kind == 124 else ">d", self.take(4 if kind == 124 else 8))[0]
            case 122:
                return ["big", int.from_bytes(self.take(8), "big", signed=True)]
            case 121 | 120:
                return kind == 120
            case 119:
                return self.text()
            case 118:
                return {self.text(): self.value() for _ in range(self.uint())}
            case 117:
                values = [self.value() for _ in range(self.uint())]
                return ["list", *values] if values and values[0] in WORDS else values
        must(kind == 116, "value")
        return ["bytes", self.take(self.uint()).hex()]


def msgpack(read: Bytes) -> Any:
    """A map of texts to texts, bytes, numbers, arrays and nil."""
    (head,) = read.take(1)
    if head < 0x80:
        return head
    if head & 0xF0 == 0x80:
        return {msgpack(read): msgpack(read) for _ in range(head & 15)}
    if head & 0xF0 == 0x90:
        return [msgpack(read) for _ in range(head & 15)]
    if head & 0xE0 == 0xA0:
        return read.take(head & 31).decode()
    if head & 0xE0 == 0xE0:
        return head - 256
    if head == 0xC0:
        return None
    if head in (0xC4, 0xC5, 0xC6):
        return read.take(int.from_bytes(read.take(1 << head - 0xC4), "big"))
    must(head in (0xD9, 0xDA, 0xCC, 0xCD), "msgpack")
    size = int.from_bytes(read.take(2 if head in (0xDA, 0xCD) else 1), "big")
    return read.take(size).decode() if head in (0xD9, 0xDA) else size
