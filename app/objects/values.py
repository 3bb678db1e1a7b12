# SPDX-License-Identifier: EUPL-1.2
"""Reads over the values in a CRDT's update: lib0's own ("any") and JSON. It judges their form and keeps none.

Neither recurses: how deep a value lies is counted. Both stop every `BREATH` steps, so that a caller can let the loop
run; a step takes some microseconds at most.
"""

import json
import re
import struct
from collections.abc import Iterator

from app.objects.lib0 import BadUpdate, Reader

MAX_DEPTH = 16
"""How deep a value may lie in lists and maps."""
BREATH = 200

_FLOAT, _DOUBLE = struct.Struct(">f"), struct.Struct(">d")
_LARGEST_FLOAT = 3.4028235677973366e38
"""From here on a double is no 32-bit float any more."""
_TOKEN = re.compile(
    r'[ \t\n\r]*(?:([\[\]{},:])|("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?+([eE][+-]?[0-9]++)?+)|(?:true|false|null))"
)
_REST = re.compile(r"[ \t\n\r]*\Z")
_SIMPLE = frozenset(("true", "false", "null"))


def skip_value(read: Reader) -> Iterator[None]:
    """Reads over one value."""
    kind = read.byte()
    if kind != 117 and kind != 118:
        _plain(read, kind)
        return
    stack: list[tuple[list[int], set[str] | None]] = []  # ([members left], the keys of a map so far)
    steps = 0
    while True:
        if kind == 117 or kind == 118:
            if len(stack) == MAX_DEPTH:
                raise BadUpdate("depth", read.at)
            stack.append(([read.count(kind - 116)], set() if kind == 118 else None))
        else:
            _plain(read, kind)
        while stack and not stack[-1][0][0]:
            stack.pop()
        if not stack:
            return
        left, keys = stack[-1]
        left[0] -= 1
        if keys is not None:
            _new_key(keys, read.text(), read.at)
        kind = read.byte()
        steps += 1
        if steps % BREATH == 0:
            yield


def skip_json(read: Reader) -> Iterator[None]:
    """Reads over one text that is JSON."""
    start = read.at
    text = read.text()
    if text in _SIMPLE:
        return
    at = steps = 0
    stack: list[set[str] | None] = []  # a map's keys so far, None for a list
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadUpdate("json", start)
        at, mark = found.end(), found[1]
        if mark == "[" or mark == "{":
            if len(stack) == MAX_DEPTH:
                raise BadUpdate("depth", start)
            stack.append(set() if mark == "{" else None)
            at, done = _closed(text, at, stack)
        elif mark:
            raise BadUpdate("json", start)
        else:
            _check_scalar(found, start)
            done = True
        while done and stack:
            at, done = _next_member(text, at, stack, start)
        if done:
            break
        if stack and stack[-1] is not None:
            at = _json_key(text, at, stack[-1], start)
        read.spend(1)
        steps += 1
        if steps % BREATH == 0:
            yield
    if not _REST.match(text, at):
        raise BadUpdate("json", start)


def _closed(text: str, at: int, stack: list[set[str] | None]) -> tuple[int, bool]:
    """Whether a list or map that has just begun ends at once: (where it goes on, whether)."""
    found = _TOKEN.match(text, at)
    if found is not None and found[1] == ("]" if stack[-1] is None else "}"):
        stack.pop()
        return found.end(), True
    return at, False


def _next_member(text: str, at: int, stack: list[set[str] | None], start: int) -> tuple[int, bool]:
    """After a member: a comma, or the end of what it stands in. (where it goes on, whether that ended)."""
    found = _TOKEN.match(text, at)
    mark = found[1] if found is not None else None
    if found is None or mark not in (",", "]" if stack[-1] is None else "}"):
        raise BadUpdate("json", start)
    if mark == ",":
        return found.end(), False
    stack.pop()
    return found.end(), True


def _json_key(text: str, at: int, keys: set[str], start: int) -> int:
    found = _TOKEN.match(text, at)
    if found is None or found[2] is None:
        raise BadUpdate("json", start)
    _new_key(keys, _characters(found[2], start), start)
    found = _TOKEN.match(text, found.end())
    if found is None or found[1] != ":":
        raise BadUpdate("json", start)
    return found.end()


def _check_scalar(found: re.Match[str], start: int) -> None:
    if found[2] is not None:
        _characters(found[2], start)
    elif found[3] is not None:
        whole = found[4] is None and found[5] is None
        if len(found[3]) > 18 and whole and not -(2**63) <= _whole(found[3], start) < 2**63:
            raise BadUpdate("json", start)
        if abs(float(found[3])) == float("inf"):
            raise BadUpdate("json", start)


def _whole(text: str, start: int) -> int:
    if len(text) > 20:
        raise BadUpdate("json", start)
    return int(text)


def _characters(quoted: str, start: int) -> str:
    """What a JSON text says; a surrogate by itself, written as an escape, is none."""
    if "\\" not in quoted:
        return quoted
    said = str(json.loads(quoted))
    if not said.isascii():
        try:
            said.encode()
        except UnicodeEncodeError:
            raise BadUpdate("json", start) from None
    return f'"{said}"'


def _new_key(keys: set[str], key: str, at: int) -> None:
    """▲ A key comes once in a map: libraries may differ in which of two counts."""
    before = len(keys)
    keys.add(key)
    if len(keys) == before:
        raise BadUpdate("twice", at)


def _plain(read: Reader, kind: int) -> None:
    """A value that holds no others, after its first byte."""
    if kind == 119:
        read.text()
    elif kind == 125:
        _integer(read)
    elif kind == 123:
        _double(read)
    elif kind == 124:
        _float(read)
    elif kind == 122:
        read.take(8)
    elif kind == 116:
        read.take(read.number())
    elif not (120 <= kind <= 121 or 126 <= kind <= 127):
        raise BadUpdate("value", read.at - 1)


def _integer(read: Reader) -> None:
    """A whole number of less than 53 bits: a sign and six bits, then seven at a time, no zero at the end, no -0."""
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
    """A 32-bit float. Whole numbers too: yrs 0.28 writes them so, other libraries as whole ones."""
    start = read.at
    (value,) = _FLOAT.unpack(read.take(4))
    if value != value:
        raise BadUpdate("number", start)


def _double(read: Reader) -> None:
    """A 64-bit float, for what no 32-bit float says."""
    start = read.at
    (value,) = _DOUBLE.unpack(read.take(8))
    small = abs(value) < _LARGEST_FLOAT and _FLOAT.unpack(_FLOAT.pack(value))[0] == value
    if small or abs(value) == float("inf"):
        raise BadUpdate("number", start)
