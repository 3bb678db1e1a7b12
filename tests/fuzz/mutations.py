# SPDX-License-Identifier: EUPL-1.2
"""Changes that inputs get before a decoder sees them: bytes at random, and values inside an encoding that stays valid.

Bytes alone rarely get past the strict encoding; a changed value reaches the checks behind it.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from sync.crypto.encoding import dec, enc
from sync.errors import BugError, SyncError

LIMIT = 1 << 20
_NUMBERS = (0, 1, 2, 23, 24, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
_VALUES: tuple[Any, ...] = (None, True, False, b"", "", [], {}, bytes(16), bytes(32), b"\xff" * 32, "å🙂", "root")


def mutate(rng: Random, data: bytes, seeds: list[bytes], most: int = 64 * 1024) -> bytes:
    """`data` with one to four changes."""
    for _ in range(1 << rng.randrange(3)):
        data = rng.choice((_bytes, _bytes, _cbor, _cbor, _msgpack))(rng, data, seeds)
    return data[:most]


def _bytes(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    end = min(len(data), at + (1 << rng.randrange(8)))
    match rng.randrange(8):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:at] + data[at:end] * rng.choice((2, 3, 40)) + data[end:]
        case 3:
            return data[:at] + rng.randbytes(1 << rng.randrange(6)) + data[end:]
        case 4:
            other = rng.choice(seeds)
            return data[:at] + other[rng.randint(0, len(other)) :]
        case 5:
            return data[:at] + rng.choice(_NUMBERS).to_bytes(8, "big")[-(1 << rng.randrange(4)) :] + data[at:]
        case _:
            if at == len(data):
                return data + rng.randbytes(1)
            return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def _cbor(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    try:
        return enc(_changed(rng, dec(data, limit=LIMIT), lambda raw: _cbor(rng, raw, seeds)))
    except (BugError, SyncError):  # no encoding, or none any more
        return _bytes(rng, data, seeds)


def _msgpack(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    """Records of the application begin with one byte of version; frames do not."""
    for skip in (1, 0):
        try:
            value = msgspec.msgpack.decode(data[skip:])
            changed = _changed(rng, value, lambda raw: _bytes(rng, raw, seeds))
            return data[:skip] + msgspec.msgpack.encode(changed)
        except (msgspec.MsgspecError, UnicodeError, OverflowError, TypeError, ValueError, RecursionError):
            continue
    return _bytes(rng, data, seeds)


def _changed(rng: Random, value: Any, inside: Callable[[bytes], bytes]) -> Any:
    """The value with one of its members changed, at any depth."""
    if isinstance(value, list | dict) and value and rng.random() < 0.85:
        if isinstance(value, dict):
            key = rng.choice(list(value))
            match rng.randrange(6):
                case 0:
                    return {k: v for k, v in value.items() if k != key}
                case 1:
                    return value | {rng.choice((key, 2, 4, "x")): rng.choice(_VALUES)}
                case _:
                    return value | {key: _changed(rng, value[key], inside)}
        at = rng.randrange(len(value))
        match rng.randrange(10):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + [value[at]] * rng.choice((2, 3, 300)) + value[at + 1 :]
            case 2:
                other = rng.randrange(len(value))
                return [value[other] if i == at else value[at] if i == other else v for i, v in enumerate(value)]
            case _:
                return [_changed(rng, v, inside) if i == at else v for i, v in enumerate(value)]
    return _another(rng, value, inside)


def _another(rng: Random, value: Any, inside: Callable[[bytes], bytes]) -> Any:
    choice = rng.randrange(6)
    if isinstance(value, bytes) and value and choice < 4:
        if choice < 2:
            return inside(value)
        return value + rng.randbytes(1) if choice == 2 else value[:-1]
    if isinstance(value, str) and choice < 3:
        return (value * 70, value[1:], value + "\0å\u202e")[choice]
    if type(value) is int and choice < 4:
        return rng.choice((*_NUMBERS, value + 1, max(0, value - 1)))
    return rng.choice((*_VALUES, *_NUMBERS))
