# SPDX-License-Identifier: EUPL-1.2
"""Authenticated encryption: C2SP chunked encryption with AES-256-GCM (random salt, key commitment, truncation-safe)."""

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from sync.crypto.encoding import enc
from sync.errors import Reject


def encrypt(key: bytes, ctx: list[object], plaintext: bytes) -> bytes:
    """Encrypts `plaintext` under `key` (32 B). The result is bound to `ctx`, a list of values that are not encrypted
    and not in it: `decrypt` needs an equal list. A random salt is drawn at each call."""
    sealing = Cobblestone256Encryptor(key, enc(ctx))
    return sealing.update(plaintext) + sealing.finalize()


def decrypt(key: bytes, ctx: list[object], sealed: bytes) -> bytes:
    """Decrypts `sealed`, the result of `encrypt`, with the same `key` and an equal `ctx`. Reject "decrypt" if anything
    differs; the error gives no further reason, and no plaintext is returned before everything is checked."""
    try:
        opening = Cobblestone256Decryptor(key, enc(ctx))
        return opening.update(sealed) + opening.finalize()
    except (InvalidTag, ValueError) as e:
        raise Reject("decrypt") from e
