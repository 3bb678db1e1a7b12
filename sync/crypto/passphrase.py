# SPDX-License-Identifier: EUPL-1.2
"""Derives a key from a passphrase: Argon2id (RFC 9106)."""

import os
import unicodedata
from dataclasses import dataclass
from threading import Lock

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sync.errors import Reject

MIN_MEMORY_KIB = 64 * 1024
MAX_MEMORY_KIB = 1024 * 1024
_ONE_AT_A_TIME = Lock()
"""OpenSSL computes the lanes in threads of its own: three derivations at one time waited for each other for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Params:
    """The salt (16 B) and the cost of one Argon2id derivation: `memory_kib`, `passes` and `lanes`. They are stored in
    clear beside the key that the passphrase protects, so that the same passphrase derives the same key again."""

    salt: bytes
    memory_kib: int = 256 * 1024
    passes: int = 3
    lanes: int = 4

    @classmethod
    def fresh(cls) -> "Argon2Params":
        """The default cost (0.3 s on two cores) with a new salt."""
        return cls(salt=os.urandom(16))


def derive(passphrase: str, params: Argon2Params) -> bytes:
    """Derives a key of 32 bytes from `passphrase` (in NFC, so that an å gives the same key however it is composed), at
    the cost that `params` state. Slow, so call it in a thread. Reject "argon2-params" outside 64 MiB–1 GiB, 1–16 passes
    or 1–16 lanes, so that a hostile file cannot choose the cost."""
    if not MIN_MEMORY_KIB <= params.memory_kib <= MAX_MEMORY_KIB or not (
        1 <= params.passes <= 16 and 1 <= params.lanes <= 16
    ):
        raise Reject("argon2-params")
    text = unicodedata.normalize("NFC", passphrase).encode()
    kdf = Argon2id(
        salt=params.salt, length=32, iterations=params.passes, lanes=params.lanes, memory_cost=params.memory_kib
    )
    with _ONE_AT_A_TIME:
        return kdf.derive(text)
