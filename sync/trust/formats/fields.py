# SPDX-License-Identifier: EUPL-1.2
"""Reads decoded CBOR with types: a value of a wrong shape is a Reject "malformed" that names the field (`where`)."""

from collections.abc import Iterable

from sync.errors import Reject
from sync.protocol.version import MAX_TIME_MS

Ext = dict[int, bytes]


def array(value: object, length: int, where: str) -> list[object]:
    """Returns `value` if it is a list of exactly `length` items. Otherwise Reject "malformed", which names the field
    `where`."""
    if type(value) is not list or len(value) != length:
        raise Reject("malformed", where)
    return value


def items(value: object, where: str, most: int = 100_000) -> list[object]:
    """Returns `value` if it is a list of at most `most` items. Otherwise Reject "malformed", which names the field
    `where`."""
    if type(value) is not list or len(value) > most:
        raise Reject("malformed", where)
    return value


def u64(value: object, where: str) -> int:
    if type(value) is not int:
        raise Reject("malformed", where)
    return value


def counter(value: object, where: str) -> int:
    """Returns `value` if it is an integer from 0 to 2^63 - 1, for numbers that are stored in a database column.
    Otherwise, and also for True and False, Reject "malformed", which names the field `where`."""
    if type(value) is not int or value >> 63:
        raise Reject("malformed", where)
    return value


def time(value: object, where: str) -> int:
    """Returns `value` if it is an integer of at most MAX_TIME_MS, as a time in ms since 1970 UTC. Otherwise Reject
    "malformed", which names the field `where`. ▲ A later time could not be shown anywhere. That it is not negative is
    not checked: the decoder of CBOR refuses negative numbers."""
    if type(value) is not int or value > MAX_TIME_MS:
        raise Reject("malformed", where)
    return value


def version(value: object, known: int, where: str) -> None:
    """Checks that `value`, the version that a format states, is `known`, the only one that this program reads. Reject
    "format" if it is newer or no number, "old-format" if it is older; the error names the field `where`. `True` is
    refused too: it equals 1 in Python, but it is encoded in other bytes."""
    if type(value) is not int or value > known:
        raise Reject("format", where)
    if value < known:
        raise Reject("old-format", where)


def versioned(value: object, known: int, length: int, where: str) -> list[object]:
    """Returns what follows the version in `value`, a list of `length` items of which the first is its version. The
    version is checked first, whatever else the list has: Reject "format" if it is newer than `known`, the only one that
    this program reads, or no number, "old-format" if it is older. Reject "malformed" if `value` is no list, is empty or
    has another length. The error names the field `where`."""
    parts = items(value, where)
    if parts:
        version(parts[0], known, where)
    return array(parts, length, where)[1:]


def flag(value: object, where: str) -> bool:
    if type(value) is not bool:
        raise Reject("malformed", where)
    return value


def raw(value: object, size: int | Iterable[int], where: str) -> bytes:
    """Returns `value` if it is a byte string whose length is `size`, or one of several sizes. Otherwise Reject
    "malformed", which names the field `where`."""
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if type(value) is not bytes or len(value) not in sizes:
        raise Reject("malformed", where)
    return value


def blob(value: object, most: int, where: str) -> bytes:
    """Returns `value` if it is a byte string of at most `most` bytes. Otherwise Reject "malformed", which names the
    field `where`."""
    if type(value) is not bytes or len(value) > most:
        raise Reject("malformed", where)
    return value


def text(value: object, most: int, where: str) -> str:
    if type(value) is not str or len(value) > most:
        raise Reject("malformed", where)
    return value


def ext(value: object) -> Ext:
    """Checks the extensions of an entry of a person's log, a map from a number below 2^16 to bytes, and returns `value`
    as it is. Odd numbers are ignored (they are part of what is signed). ▲ Reject "format" for an even number, since
    this program knows none for such entries. Reject "malformed" for any other shape. Entries and changes of rooms use
    `even_ext` instead."""
    even = even_ext(value)
    if even:
        raise Reject("format", f"ext {even[0]}")
    return value  # type: ignore[return-value]  # even_ext checked it


def even_ext(value: object) -> tuple[int, ...]:
    """Checks the extensions of a signed item of a room, a map from a number below 2^16 to bytes, and returns the even
    numbers in the map's order; () if there are none. Only a client that knows all of these may accept the item. Reject
    "malformed" for any other shape."""
    if value == {}:
        return ()
    if type(value) is not dict:
        raise Reject("malformed", "ext")
    for key, item in value.items():
        if type(key) is not int or key > 0xFFFF or type(item) is not bytes:
            raise Reject("malformed", "ext")
    return tuple(key for key in value if key % 2 == 0)


def extension(value: object, ident: int) -> bytes:
    """Returns the bytes of the extension with the number `ident` in `value`, the map of a signed item's extensions
    (number to bytes); b"" if the item does not have it. Nothing is raised: b"" also if `value` is no such map, which
    `even_ext` has checked before."""
    found = value.get(ident, b"") if isinstance(value, dict) else b""
    return found if type(found) is bytes else b""


def position(value: object, where: str) -> tuple[int, bytes]:
    """Reads a position in a room or a log: `value` is a list of a number and a hash (32 B). Returns both. The number
    has no upper bound here; CBOR allows 0 to 2^64 - 1. Reject "malformed", which names the field `where`, for any other
    shape."""
    number, digest = array(value, 2, where)
    return u64(number, where), raw(digest, 32, where)
