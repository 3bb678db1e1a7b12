# SPDX-License-Identifier: EUPL-1.2
"""Reads over the values in a CRDT's update: lib0's own ("any"). It checks their form and keeps none.

It does not recurse: it counts how deep a value is. It stops after `PIECE` steps, and in long texts.
"""

import hashlib
import struct
from collections.abc import Generator, Iterator

from app.objects.lib0 import STRETCH, BadUpdate, Reader

MAX_DEPTH = 16
"""How deep a value may lie in lists and maps."""

_FLOAT, _DOUBLE = struct.Struct(">f"), struct.Struct(">d")
_LARGEST_FLOAT = 3.4028235677973366e38
"""From here on a double cannot be a 32-bit float."""


def skip_value(read: Reader) -> Iterator[None]:
    """Checks that the next value, with all that a list or map in it holds, is valid, and moves the reader behind it.
    BadUpdate otherwise. Works in steps: other tasks can run where it yields."""
    stack: list[tuple[list[int], set[str | bytes] | None]] = []  # ([members left], the keys of a map so far)
    while True:
        kind = read.byte()
        if kind == 117 or kind == 118:
            if len(stack) == MAX_DEPTH:
                raise BadUpdate("depth", read.at)
            stack.append(([read.count(kind - 116)], set() if kind == 118 else None))
        elif kind == 119:
            yield from skip_text(read)
        else:
            _plain(read, kind)
        while stack and not stack[-1][0][0]:
            stack.pop()
        if read.tired(7):
            yield
        if not stack:
            return
        left, keys = stack[-1]
        left[0] -= 1
        if keys is not None:
            new_key(keys, (yield from _key(read)), read.at)


def skip_text(read: Reader) -> Iterator[None]:
    """Checks that the next text (its length, then UTF-8) is valid, and moves the reader behind it. BadUpdate otherwise.
    Works in steps: other tasks can run where it yields."""
    start = read.at
    for _ in read.texts(start, read.size()):
        if read.tired():
            yield


def _key(read: Reader) -> Generator[None, None, str | bytes]:
    """Reads a map's key and returns it; of one over STRETCH bytes the SHA-256, so that it can be compared without being
    kept. Nobody can make a second key with the same hash. BadUpdate if it is no text. Works in steps."""
    start = read.at
    size = read.size()
    if size <= STRETCH:
        return read.stretch(start, size)
    whole = hashlib.sha256()
    for part in read.texts(start, size):
        whole.update(part.encode())
        if read.tired(50):
            yield
    return whole.digest()


def new_key(keys: set[str | bytes], key: str | bytes, at: int) -> None:
    """▲ Adds a map's key to `keys`. BadUpdate "twice", naming the byte `at`, if it is there already: libraries may
    differ in which of two values counts."""
    before = len(keys)
    keys.add(key)
    if len(keys) == before:
        raise BadUpdate("twice", at)


def _plain(read: Reader, kind: int) -> None:
    """Checks a value that is no list, map or text, and moves behind it. `kind`: its first byte, which was read.
    BadUpdate if it is not valid."""
    if kind == 125:
        _integer(read)
    elif kind == 123:
        _double(read)
    elif kind == 124:
        _float(read)
    elif kind == 122:
        read.take(8)
    elif kind == 116:
        size = read.size()
        read.at += size
    elif not (120 <= kind <= 121 or 126 <= kind <= 127):
        raise BadUpdate("value", read.at - 1)


def _integer(read: Reader) -> None:
    """Checks a whole number in its one form: a sign and six bits, then seven at a time, no zero at the end, no -0.
    BadUpdate in any other form ("number"), or above 53 bits ("limit")."""
    start = read.at
    byte = read.byte()
    if byte < 0x80:
        if byte == 0x40:
            raise BadUpdate("number", start)
        return
    shift = 6
    while (byte := read.byte()) >= 0x80:
        shift += 7
        if shift > 48:
            raise BadUpdate("limit", start)
    if not byte:
        raise BadUpdate("number", start)
    if byte << shift >= 1 << 53:
        raise BadUpdate("limit", start)


def _float(read: Reader) -> None:
    """Checks a 32-bit float. BadUpdate for NaN alone: infinity is valid, and so are whole numbers, which yrs 0.28
    writes in this form and other libraries as integers."""
    start = read.at
    (value,) = _FLOAT.unpack(read.take(4))
    if value != value:
        raise BadUpdate("number", start)


def _double(read: Reader) -> None:
    """Checks a 64-bit float. BadUpdate if it is infinite, or if a 32-bit float has its value; NaN is valid."""
    start = read.at
    (value,) = _DOUBLE.unpack(read.take(8))
    small = abs(value) < _LARGEST_FLOAT and _FLOAT.unpack(_FLOAT.pack(value))[0] == value
    if small or abs(value) == float("inf"):
        raise BadUpdate("number", start)
