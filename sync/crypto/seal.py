# SPDX-License-Identifier: EUPL-1.2
"""Sealing to a person: HPKE base mode (RFC 9180) with ML-KEM-768 + X25519, HKDF-SHA256 and AES-256-GCM.

Hybrid only. The classical suite is only in the tests; nothing here negotiates.
"""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from sync.errors import Reject

SUITE_HYBRID = 2
PUBLIC_BYTES = 1184 + 32
OVERHEAD_BYTES = 1088 + 32 + 16
"""How much longer a sealed message is than its plaintext: the ML-KEM and X25519 parts, and the tag."""
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class KemKey:
    """A private key that opens sealed messages, made from `seed` (32 B), which SHAKE256 expands to 64 + 32 bytes of key
    material. Everybody who has `public` (1216 B) can seal a message to it."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        material = hashlib.shake_256(seed).digest(96)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(material[:64])
        x25519 = X25519PrivateKey.from_private_bytes(material[64:])
        self._key = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.seed = seed
        self.public: bytes = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()

    def open(self, info: bytes, sealed: bytes) -> bytes:
        """Opens the message `sealed`. Reject "decrypt" if it was not sealed to this key with the same `info`."""
        try:
            return bytes(_SUITE.decrypt(sealed, self._key, info))
        except (InvalidTag, ValueError) as e:
            raise Reject("decrypt") from e

    def __repr__(self) -> str:
        return "KemKey(…)"


def seal_to(public: bytes, info: bytes, message: bytes) -> bytes:
    """Encrypts `message` so that only the holder of the private key of `public` (1216 B) can open it, with the same
    `info`, which is not in the result. A message of 32 B becomes 1168 B. Takes about 60 µs and holds the GIL."""
    return bytes(_SUITE.encrypt(message, _loaded(public), info))


def check_public(public: bytes) -> None:
    """▲ Reject "bad-key" if nothing can be sealed to the public key `public`. One such key would block every rotation
    of a room's keys."""
    if len(public) != PUBLIC_BYTES:
        raise Reject("bad-key", "sealing key")
    try:
        seal_to(public, b"check", b"")
    except ValueError as e:
        raise Reject("bad-key", "sealing key") from e


@lru_cache(maxsize=4096)
def _loaded(public: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:1184]), X25519PublicKey.from_public_bytes(public[1184:])
    )
