# SPDX-License-Identifier: EUPL-1.2
"""Files as encrypted parts. Each part has its own random key and id; order, lengths and hashes are in the manifest
(§8).

Manifest: `enc([1, size, [[part id, key, H(ciphertext), length], …]])`. It is sent inside an encrypted op, or as the
content of another blob if it is too long for one op.
"""

import os
from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.errors import BugError, Reject
from sync.ids import Hash, PartId, RoomId
from sync.protocol.version import PART_BYTES
from sync.trust.formats import fields
from sync.trust.room.envelope import padded_size

VERSION = 1
_MANIFEST_LIMIT = 190 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One encrypted part of a file, as the manifest lists it: its id (`part`), its own key, and the hash of its
    ciphertext (`digest`). `length` is the length of its plaintext without padding, in bytes."""

    part: PartId
    key: bytes
    digest: Hash
    length: int

    def __repr__(self) -> str:
        return f"Part({self.part.hex()}, {self.length})"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list of a file's encrypted parts (`parts`, in their order in the file), from which a reader fetches and
    decrypts them, and the file's own size in bytes, without padding (`size`)."""

    size: int
    parts: tuple[Part, ...]

    def encode(self) -> bytes:
        return enc([VERSION, self.size, [[p.part, p.key, p.digest, p.length] for p in self.parts]])

    @classmethod
    def decode(cls, data: bytes) -> "Manifest":
        """Decodes a manifest. Reject "malformed" for another shape, if the lengths of the parts do not add up to the
        size, or if a part is over 4 MiB or listed twice; "encoding", "oversize", "format" or "old-format" for bytes
        that are no manifest of this version."""
        version, size, rows = fields.array(dec(data, limit=_MANIFEST_LIMIT), 3, "manifest")
        fields.version(version, VERSION, "manifest")
        parts = []
        for row in fields.items(rows, "manifest"):
            ident, key, digest, length = fields.array(row, 4, "manifest")
            parts.append(
                Part(
                    PartId(fields.raw(ident, 16, "part")),
                    fields.raw(key, 32, "part"),
                    Hash(fields.raw(digest, 32, "part")),
                    fields.u64(length, "part"),
                )
            )
        if any(p.length > PART_BYTES for p in parts) or sum(p.length for p in parts) != size:
            raise Reject("malformed", "manifest lengths")
        if len({p.part for p in parts}) != len(parts):
            raise Reject("malformed", "manifest parts")
        return cls(fields.u64(size, "manifest"), tuple(parts))


def _last_size(length: int) -> int:
    """The padded length of a file's last part."""
    return min(padded_size(max(length, 1)), PART_BYTES)


def most_sealed(length: int) -> int:
    """No part of `length` bytes has more than so many when it is encrypted."""
    padded = max(length, _last_size(length))
    return padded + padded // 256 + 1024  # each piece of the ciphertext has a tag


def encrypt_part(room: RoomId, plain: bytes, *, last: bool) -> tuple[Part, bytes]:
    """Encrypts `plain`, a part of a file, under a fresh key, bound to the room. Returns the part's row for the
    manifest, and its ciphertext. Only the `last` part of a file is padded. 4 MiB takes 5 ms, so call this in a thread.
    BugError for more than 4 MiB, which no manifest may list."""
    if len(plain) > PART_BYTES:
        raise BugError("part too long")
    key, ident = os.urandom(32), PartId(os.urandom(16))
    padded = plain.ljust(_last_size(len(plain)), b"\0") if last else plain
    sealed = aead.encrypt(key, ["part", room, ident], padded)
    return Part(ident, key, H(sealed), len(plain)), sealed


def decrypt_part(room: RoomId, part: Part, sealed: bytes) -> bytes:
    """Decrypts `sealed`, the ciphertext of `part`, and removes the padding. ▲ Reject "blob-hash" if `sealed` is not the
    ciphertext that the manifest names, "decrypt" or "padding" if its maker encrypted or padded it wrongly."""
    if H(sealed) != part.digest:
        raise Reject("blob-hash", part.part.hex())
    padded = aead.decrypt(part.key, ["part", room, part.part], sealed)
    if len(padded) not in (part.length, _last_size(part.length)) or padded.count(0, part.length) != (
        len(padded) - part.length
    ):
        raise Reject("padding", part.part.hex())
    return padded[: part.length]
