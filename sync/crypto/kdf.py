# SPDX-License-Identifier: EUPL-1.2
"""Hashing and key derivation: SHA-256 and HKDF-Expand, always with a label."""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sync.crypto.encoding import enc
from sync.ids import Hash

LABEL = "kansli/v1"
_SHA256 = hashes.SHA256()


def H(*parts: bytes | str) -> Hash:
    """SHA-256 over the `parts`, concatenated without separators; text is encoded as UTF-8."""
    return Hash(hashlib.sha256(b"".join([p.encode() if isinstance(p, str) else p for p in parts])).digest())


def kdf(key: bytes, label: str, *context: object, length: int = 32) -> bytes:
    """Derives `length` bytes from `key` with HKDF-Expand-SHA256 (RFC 5869 §2.3). `label` names what they are for, and
    `context` has the values that they are bound to: the info is `enc(["kansli/v1", label, …context])`."""
    return HKDFExpand(_SHA256, length, enc([LABEL, label, *context])).derive(key)
