# SPDX-License-Identifier: EUPL-1.2
"""Authenticated encryption: C2SP chunked encryption with AES-256-GCM (random salt, key commitment, truncation-safe)."""

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from sync.crypto.encoding import enc
from sync.errors import Reject


def encrypt(key: bytes, ctx: list[object], plaintext: bytes) -> bytes:
    """Encrypts `plaintext` under a 32-byte key, bound to `enc(ctx)`."""
    sealing = Cobblestone256Encryptor(key, enc(ctx))
    return sealing.update(plaintext) + sealing.finalize()


def decrypt(key: bytes, ctx: list[object], sealed: bytes) -> bytes:
    """Decrypts the whole plaintext. Reject "decrypt" if anything differs; the error gives no further reason, and no
    plaintext is returned before everything is checked."""
    try:
        opening = Cobblestone256Decryptor(key, enc(ctx))
        return opening.update(sealed) + opening.finalize()
    except (InvalidTag, ValueError) as e:
        raise Reject("decrypt") from e
