# SPDX-License-Identifier: EUPL-1.2
"""Reads decoded CBOR with types: a value of a wrong shape is a Reject "malformed" that names the field."""

from collections.abc import Iterable

from sync.errors import Reject
from sync.protocol.version import MAX_TIME_MS

Ext = dict[int, bytes]


def array(value: object, length: int, where: str) -> list[object]:
    """A list of exactly `length` items."""
    if type(value) is not list or len(value) != length:
        raise Reject("malformed", where)
    return value


def items(value: object, where: str, most: int = 100_000) -> list[object]:
    """A list of any length up to `most`."""
    if type(value) is not list or len(value) > most:
        raise Reject("malformed", where)
    return value


def u64(value: object, where: str) -> int:
    if type(value) is not int:
        raise Reject("malformed", where)
    return value


def counter(value: object, where: str) -> int:
    """A u64 below 2^63, for numbers that are stored in a database column."""
    if type(value) is not int or value >> 63:
        raise Reject("malformed", where)
    return value


def time(value: object, where: str) -> int:
    """A time in ms since 1970 UTC, at most MAX_TIME_MS. ▲ A later time could not be shown anywhere."""
    if type(value) is not int or value > MAX_TIME_MS:
        raise Reject("malformed", where)
    return value


def version(value: object, known: int, where: str) -> None:
    """Reject "format" for a newer version or for no version, "old-format" for one that is no longer read. `True` is
    refused too: it equals 1 in Python, but it is encoded in other bytes."""
    if type(value) is not int or value > known:
        raise Reject("format", where)
    if value < known:
        raise Reject("old-format", where)


def flag(value: object, where: str) -> bool:
    if type(value) is not bool:
        raise Reject("malformed", where)
    return value


def raw(value: object, size: int | Iterable[int], where: str) -> bytes:
    """A byte string of one of the given sizes."""
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if type(value) is not bytes or len(value) not in sizes:
        raise Reject("malformed", where)
    return value


def blob(value: object, most: int, where: str) -> bytes:
    """A byte string of at most `most` bytes."""
    if type(value) is not bytes or len(value) > most:
        raise Reject("malformed", where)
    return value


def text(value: object, most: int, where: str) -> str:
    if type(value) is not str or len(value) > most:
        raise Reject("malformed", where)
    return value


def ext(value: object) -> Ext:
    """Extensions {u16: bytes}: odd ids are ignored but hashed; ▲ an even id is refused: none is known yet."""
    even = even_ext(value)
    if even:
        raise Reject("format", f"ext {even[0]}")
    return value  # type: ignore[return-value]  # even_ext checked it


def even_ext(value: object) -> tuple[int, ...]:
    """The even ids among extensions. Only a client that knows them may accept the item. Reject "malformed"."""
    if value == {}:
        return ()
    if type(value) is not dict:
        raise Reject("malformed", "ext")
    for key, item in value.items():
        if type(key) is not int or key > 0xFFFF or type(item) is not bytes:
            raise Reject("malformed", "ext")
    return tuple(key for key in value if key % 2 == 0)


def extension(value: object, ident: int) -> bytes:
    """The bytes of one extension among those that `even_ext` has read; empty if there is none."""
    found = value.get(ident, b"") if isinstance(value, dict) else b""
    return found if type(found) is bytes else b""


def position(value: object, where: str) -> tuple[int, bytes]:
    """A [number, hash] pair."""
    number, digest = array(value, 2, where)
    return u64(number, where), raw(digest, 32, where)
