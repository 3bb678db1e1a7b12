# SPDX-License-Identifier: EUPL-1.2
"""The encrypted note of a removal: why the person was removed, for the members who stay (protocol §5).

The key comes from the epoch that the removal itself makes. The server has no key, and the removed person gets none.
"""

from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import kdf
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.trust import fields
from sync.trust.envelope import pad, unpad

MAX_REASON = 280
"""Code points. The padded and encrypted note of such a text has at most 2,120 of the 4,096 bytes that an entry allows.
"""
_LIMIT = 4096
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedNote:
    """A removal's note as its entry carries it, with what it is bound to. `epoch`: the one that the entry makes."""

    epoch: int
    by: Uid
    subject: Uid
    sealed: bytes

    def encode(self) -> bytes:
        """For the owner of the engine, to whom it is opaque."""
        return enc([self.epoch, self.by, self.subject, self.sealed])

    @classmethod
    def decode(cls, raw: bytes) -> "SealedNote":
        """Reads what `encode` gave; Reject."""
        e, by, subject, sealed = fields.array(dec(raw, limit=2 * _LIMIT), 4, "note")
        return cls(
            epoch=fields.u64(e, "note"),
            by=Uid(fields.raw(by, 16, "note")),
            subject=Uid(fields.raw(subject, 16, "note")),
            sealed=fields.blob(sealed, _LIMIT, "note"),
        )


def seal_note(k: bytes, room: RoomId, epoch: int, by: Uid, subject: Uid, text: str) -> bytes:
    """Encrypts `text` under the content key `k` of `epoch`. ▲ An empty text is encrypted and padded too: otherwise the
    server would see whether a reason was given."""
    payload = pad(enc([_VERSION, text[:MAX_REASON]]))
    return aead.seal(kdf(k, "note", room, epoch), _context(room, epoch, by, subject), payload)


def open_note(k: bytes, room: RoomId, note: SealedNote) -> str:
    """The text; Reject if anything differs. ▲ The note is bound to its author and to the removed person: nobody can
    repeat it under another entry."""
    context = _context(room, note.epoch, note.by, note.subject)
    return read_note(unpad(aead.open_(kdf(k, "note", room, note.epoch), context, note.sealed)))


def read_note(payload: bytes) -> str:
    """The text in a note's decrypted payload; Reject."""
    version, text = fields.array(dec(payload, limit=_LIMIT), 2, "note")
    if version != _VERSION or type(text) is not str or len(text) > MAX_REASON:
        raise Reject("malformed", "note")
    return text


def _context(room: RoomId, epoch: int, by: Uid, subject: Uid) -> list[object]:
    return ["note", room, epoch, by, subject]
