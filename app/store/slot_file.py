# SPDX-License-Identifier: EUPL-1.2
"""Encodes and decodes the file of a key slot (FORMAT.md). Opening slots, and adding and removing them, is in
keyslots.py."""

import struct
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.core.files import open_file
from app.errors import SlotDamaged
from sync.crypto.passphrase import Argon2Params

MAGIC = b"KNSLOT"
VERSION = 1
_HEAD = struct.Struct(">6sBBH")
_ARGON = struct.Struct(">16sIII")
MAX_SLOT_BYTES = 4096


class SlotKind(StrEnum):
    """The kinds of key slots, that is, of methods to unlock the store. The value is the file's name."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a kind, not a passphrase
    KEYRING = "keyring"
    CARD = "card"


_NUMBER = {SlotKind.PASSPHRASE: 1, SlotKind.KEYRING: 2, SlotKind.CARD: 3}


@dataclass(frozen=True, slots=True)
class Slot:
    """What a key slot's file holds: its kind, the parameters by which its wrapping key is found, and the database's key
    encrypted under that wrapping key."""

    kind: SlotKind
    params: bytes
    sealed: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The bytes of the file."""
        return _HEAD.pack(MAGIC, VERSION, _NUMBER[self.kind], len(self.params)) + self.params + self.sealed

    @classmethod
    def parse(cls, kind: SlotKind, data: bytes) -> "Slot":
        """Reads the bytes of a file that should hold a slot of this kind. SlotDamaged for anything else. Nothing is
        decrypted."""
        if len(data) < _HEAD.size or len(data) > MAX_SLOT_BYTES:
            raise SlotDamaged()
        magic, version, number, length = _HEAD.unpack_from(data)
        if magic != MAGIC or version != VERSION or number != _NUMBER[kind] or len(data) < _HEAD.size + length:
            raise SlotDamaged()
        return cls(kind, data[_HEAD.size : _HEAD.size + length], data[_HEAD.size + length :])


def read_slot_file(path: Path) -> bytes:
    """The bytes of a slot's file, or of a small one beside it. Those of a file that is too large are cut at
    MAX_SLOT_BYTES + 1, which `Slot.parse` refuses. OSError, also if it is no ordinary file. ▲ It never waits, and fills
    no memory: the curtain asks for the unlock methods before it falls."""
    file, _ = open_file(path)
    with file:
        return file.read(MAX_SLOT_BYTES + 1)


def pack_argon(argon: Argon2Params) -> bytes:
    """The parameters of a passphrase slot."""
    return _ARGON.pack(argon.salt, argon.memory_kib, argon.passes, argon.lanes)


def parse_argon(params: bytes) -> Argon2Params:
    """Reads what `pack_argon` returned. SlotDamaged for another length. The cost is not checked here: `derive` does."""
    if len(params) != _ARGON.size:
        raise SlotDamaged()
    salt, memory_kib, passes, lanes = _ARGON.unpack(params)
    return Argon2Params(salt=salt, memory_kib=memory_kib, passes=passes, lanes=lanes)
