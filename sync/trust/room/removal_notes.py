# SPDX-License-Identifier: EUPL-1.2
"""The encrypted note of a removal: its reason, for the members who stay (protocol §5).

The key is derived from the epoch that the removal makes. Neither the server nor the removed person has that epoch.
"""

from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import kdf
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.trust.formats import fields
from sync.trust.room.envelope import pad, unpad

MAX_REASON = 280
"""Longest reason, in code points. Padded and encrypted it takes at most 2,120 bytes; an entry allows 4,096."""
_LIMIT = 4096
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedNote:
    """The encrypted note of a removal (`sealed`), with the values that it is bound to: the epoch that the removal made,
    the member who removed (`by`), and the removed person (`subject`)."""

    epoch: int
    by: Uid
    subject: Uid
    sealed: bytes

    def encode(self) -> bytes:
        """The bytes that the engine's owner stores (`RoomEvent.note`)."""
        return enc([self.epoch, self.by, self.subject, self.sealed])

    @classmethod
    def decode(cls, raw: bytes) -> "EncryptedNote":
        """Reads the bytes that `encode` made: the epoch, both persons and the sealed note. Reject "malformed",
        "encoding" or "oversize" if they are damaged."""
        e, by, subject, sealed = fields.array(dec(raw, limit=2 * _LIMIT), 4, "note")
        return cls(
            epoch=fields.u64(e, "note"),
            by=Uid(fields.raw(by, 16, "note")),
            subject=Uid(fields.raw(subject, 16, "note")),
            sealed=fields.blob(sealed, _LIMIT, "note"),
        )


def encrypt_note(k: bytes, room: RoomId, epoch: int, by: Uid, subject: Uid, text: str) -> bytes:
    """Encrypts `text`, cut after MAX_REASON code points, under the content key `k` of `epoch`: why the member `by`
    removes `subject`. ▲ An empty text is padded and encrypted too. Otherwise the server would see whether a reason was
    given."""
    payload = pad(enc([_VERSION, text[:MAX_REASON]]))
    return aead.encrypt(kdf(k, "note", room, epoch), _context(room, epoch, by, subject), payload)


def decrypt_note(k: bytes, room: RoomId, note: EncryptedNote) -> str:
    """Decrypts a note, the reason for a removal, with the content key `k` of its epoch. Reject "decrypt" if the key, or
    anything that the note is bound to, differs; "padding", "malformed", "encoding" or "oversize" if its author wrote
    another form. ▲ The note is bound to its author and to the removed person, so that nobody can repeat it in another
    entry."""
    context = _context(room, note.epoch, note.by, note.subject)
    return read_note(unpad(aead.decrypt(kdf(k, "note", room, note.epoch), context, note.sealed)))


def read_note(payload: bytes) -> str:
    """Reads the text in a note's decrypted `payload`. Reject "malformed" for any other form and for a text above
    MAX_REASON, "format" or "old-format" for another version, "encoding" or "oversize" for other bytes."""
    version, text = fields.array(dec(payload, limit=_LIMIT), 2, "note")
    fields.version(version, _VERSION, "note")
    if type(text) is not str or len(text) > MAX_REASON:
        raise Reject("malformed", "note")
    return text


def _context(room: RoomId, epoch: int, by: Uid, subject: Uid) -> list[object]:
    return ["note", room, epoch, by, subject]
