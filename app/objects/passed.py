# SPDX-License-Identifier: EUPL-1.2
"""The hashes of the last updates that passed the grammar, the strict check of their form (app/objects/grammar.py).

An update of a colleague is checked when it is received, in pieces between which the event loop runs. Storing and
merging need the same check, but would run it in one piece: up to 0.3 s of the loop for an update of 192 KiB. They skip
it if the update's hash is here.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

MOST = 4096
"""How many updates are remembered of those whose sizes have the same number of bits. A slice has fewer updates."""
STRETCH = 256 * 1024
"""Bytes that are hashed in one piece."""

_passed: dict[int, OrderedDict[bytes, None]] = {}
"""Hashes of updates, by the number of bits of the update's size. ▲ For each such number the last MOST hashes are kept.
Otherwise thousands of tiny updates would push out the hash of a large one, and its long check would be made again."""


def remember(update: bytes) -> Iterator[None]:
    """Stores the hash of an update whose form the caller has checked and found valid, so that it is not checked again.
    Of updates whose sizes have the same number of bits, only the last MOST hashes are kept. A generator: it yields
    after each STRETCH bytes, so that other tasks can run. The hash is stored when it has ended."""
    found = hashlib.sha256()
    for at in range(0, len(update), STRETCH):
        if at:
            yield
        found.update(memoryview(update)[at : at + STRETCH])
    alike = _passed.setdefault(len(update).bit_length(), OrderedDict())
    alike[found.digest()] = None
    while len(alike) > MOST:
        alike.popitem(last=False)


def is_remembered(update: bytes) -> bool:
    """Whether these very bytes were given to `remember`. False also if their hash was dropped since: the caller then
    checks the bytes again."""
    return hashlib.sha256(update).digest() in _passed.get(len(update).bit_length(), ())
