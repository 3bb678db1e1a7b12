# SPDX-License-Identifier: EUPL-1.2
"""Deterministic CBOR (RFC 8949 §4.2.1), strict in both directions: each value has exactly one encoding.

Not a general CBOR library: unsigned 64-bit integers, byte strings, text, booleans, null, arrays, and maps whose keys
are all u64 or all text. No tags, floats, negatives or indefinite lengths; depth at most 8.
"""

from collections.abc import Iterator, Mapping, Sequence

from sync.errors import BugError, Reject

Value = int | bytes | str | bool | None | Sequence["Value"] | Mapping[int, "Value"] | Mapping[str, "Value"]

MAX_DEPTH = 8
MAX_U64 = 2**64 - 1

_SMALL = tuple(tuple(bytes((major << 5 | n,)) for n in range(24)) for major in range(8))


def enc(value: object) -> bytes:
    """Encodes `value` as CBOR. BugError for a type, a number, a map key or a depth that this module's subset of CBOR
    does not have, and for text that is not Unicode."""
    out: list[bytes] = []
    _write(value, out.append, 0)
    return b"".join(out)


def dec(data: bytes, *, limit: int) -> object:
    """Decodes the CBOR in `data`: arrays become lists, maps become dicts. Each value has only one accepted encoding:
    Reject "encoding" for any other bytes. Reject "oversize" if `data` is longer than `limit` bytes."""
    if len(data) > limit:
        raise Reject("oversize", "encoding")
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, UnicodeDecodeError) as e:
        raise Reject("encoding", "truncated or not UTF-8") from e
    if end != len(data):
        raise Reject("encoding", "trailing bytes")
    return value


def each(data: bytes, *, limit: int) -> Iterator[tuple[object, bytes]]:
    """Decodes the array in `data` item by item. Yields each item with the bytes that it was read from. Reject
    "oversize" if `data` is longer than `limit` bytes, "encoding" for bytes that are no strict encoding of an array. The
    bytes of an item are checked only when the item is reached, so a Reject may follow items that were already
    yielded."""
    if len(data) > limit:
        raise Reject("oversize", "encoding")
    try:
        count, at = _array(data)
        for _ in range(count):
            start = at
            item, at = _read(data, at, 1)
            yield item, data[start:at]
    except (IndexError, UnicodeDecodeError) as e:
        raise Reject("encoding", "truncated or not UTF-8") from e
    if at != len(data):
        raise Reject("encoding", "trailing bytes")


def _array(data: bytes) -> tuple[int, int]:
    """Reads the head of the array that `data` begins with: the number of its items, and the offset of the first one.
    Reject "encoding" if `data` begins with something else, or is too short for so many items."""
    first = data[0]
    size = 1 + (1 << ((first & 31) - 24) if first & 31 >= 24 else 0)
    if first >> 5 != ARRAY or size > 9:
        raise Reject("encoding", "no array")
    count, _ = _read(bytes((first & 31,)) + data[1:size], 0, 0)  # an array's head is that of a number
    if not isinstance(count, int) or count > len(data) - size:
        raise Reject("encoding", "truncated")
    return count, size


ARRAY = 4
"""The major type of an array, for `head`."""


def head(major: int, n: int) -> bytes:
    """The first bytes of a CBOR item (RFC 8949 §3), in their shortest form: its type `major` (0 to 7) and the number
    `n`, which is the value of an integer, the length of a string, or the count of an array. With `ARRAY`, a caller can
    join an array from items that are already encoded."""
    if n < 24:
        return _SMALL[major][n]
    if n < 0x100:
        return bytes((major << 5 | 24, n))
    if n < 0x10000:
        return bytes((major << 5 | 25,)) + n.to_bytes(2, "big")
    if n < 0x100000000:
        return bytes((major << 5 | 26,)) + n.to_bytes(4, "big")
    return bytes((major << 5 | 27,)) + n.to_bytes(8, "big")


def _write(value: object, put, depth: int) -> None:  # type: ignore[no-untyped-def]  # put: list.append, hot path
    kind = type(value)
    if kind is bytes:
        put(head(2, len(value)))  # type: ignore[arg-type]  # kind says so
        put(value)
    elif kind is int:
        if not 0 <= value <= MAX_U64:  # type: ignore[operator]
            raise BugError("integer outside u64")
        put(head(0, value))  # type: ignore[arg-type]
    elif kind is list or kind is tuple:
        if depth >= MAX_DEPTH:
            raise BugError("encoding too deep")
        put(head(4, len(value)))  # type: ignore[arg-type]
        for item in value:  # type: ignore[attr-defined]
            _write(item, put, depth + 1)
    elif kind is str:
        try:
            raw = value.encode()  # type: ignore[attr-defined]
        except UnicodeEncodeError as e:
            raise BugError("text is not Unicode") from e
        put(head(3, len(raw)))
        put(raw)
    elif value is None:
        put(b"\xf6")
    elif value is True:
        put(b"\xf5")
    elif value is False:
        put(b"\xf4")
    elif kind is dict:
        _write_map(value, put, depth)  # type: ignore[arg-type]
    else:
        raise BugError(f"cannot encode {kind.__name__}")


def _write_map(value: dict[object, object], put, depth: int) -> None:  # type: ignore[no-untyped-def]
    if depth >= MAX_DEPTH:
        raise BugError("encoding too deep")
    if len({type(k) for k in value}) > 1 or any(type(k) not in (int, str) for k in value):
        raise BugError("map keys must be all u64 or all text")
    put(head(5, len(value)))
    for key, item in sorted((enc(k), v) for k, v in value.items()):
        put(key)
        _write(item, put, depth + 1)


def _read(data: bytes, at: int, depth: int) -> tuple[object, int]:
    first = data[at]
    major, low = first >> 5, first & 31
    at += 1
    if major == 7:
        if first == 0xF6:
            return None, at
        if first in (0xF4, 0xF5):
            return first == 0xF5, at
        raise Reject("encoding", "float or simple value")
    if low < 24:
        n = low
    elif low <= 27:
        size = 1 << (low - 24)
        n = int.from_bytes(data[at : at + size], "big")
        if at + size > len(data) or n < (24 if size == 1 else 1 << (4 * size)):
            raise Reject("encoding", "integer not shortest or truncated")
        at += size
    else:
        raise Reject("encoding", "indefinite length")
    if major == 0:
        return n, at
    if major == 2 or major == 3:
        end = at + n
        if end > len(data):
            raise Reject("encoding", "truncated")
        raw = data[at:end]
        return (raw if major == 2 else raw.decode()), end
    if depth >= MAX_DEPTH:
        raise Reject("encoding", "too deep")
    if n > len(data) - at:
        raise Reject("encoding", "truncated")
    if major == 4:
        items = []
        for _ in range(n):
            item, at = _read(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        return _read_map(data, at, n, depth)
    raise Reject("encoding", "tag or negative")


def _read_map(data: bytes, at: int, n: int, depth: int) -> tuple[object, int]:
    out: dict[object, object] = {}
    last, kind = b"", None
    for _ in range(n):
        start = at
        key, at = _read(data, at, depth + 1)
        raw = data[start:at]
        if type(key) not in (int, str) or (kind is not None and type(key) is not kind) or raw <= last:
            raise Reject("encoding", "map keys")
        last, kind = raw, type(key)
        out[key], at = _read(data, at, depth + 1)
    return out, at
