# SPDX-License-Identifier: EUPL-1.2
"""The contents of pairing messages: the descriptions of the new and the old device, the code that the old device shows,
and how messages are encrypted (protocol §11). The order of the messages is in pairing_protocol.py."""

import os
from dataclasses import dataclass, field

from sync.crypto import aead, seal
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.errors import Reject
from sync.ids import DevId, Hash, Uid
from sync.protocol.version import PAIR_BOX_BYTES, PAIR_MESSAGE_BYTES
from sync.trust.formats import code_letters, fields
from sync.trust.person.agency import decode_record

VERSION = 1
SECRET_BITS = 120
CHECK_BITS = 10
CODE_LETTERS = 26
NAME_LIMIT = 64
_LABEL = "pairing"


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A secret that a person's old device shows as 26 letters, and that the person types at the new one. Good for one
    pairing of two devices."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "PairingCode":
        return cls(os.urandom(SECRET_BITS // 8))

    def format(self) -> str:
        number = code_letters.checked(_LABEL, int.from_bytes(self.secret, "big"), SECRET_BITS, CHECK_BITS)
        return code_letters.write(number, CODE_LETTERS)

    @classmethod
    def parse(cls, text: str) -> "PairingCode":
        """Reads `text`, a code as the person typed it at the new device. Case, spaces and dashes do not matter. Reject
        "code" if it is mistyped. One mistake in a thousand passes here; the code then names no box at the server, which
        refuses the pairing."""
        number = code_letters.check(_LABEL, code_letters.read(text, CODE_LETTERS), SECRET_BITS, CHECK_BITS)
        return cls(number.to_bytes(SECRET_BITS // 8, "big"))

    @property
    def box(self) -> bytes:
        """The name (16 B), derived from this pairing code, of the box at the server that the old device opens and the
        new one joins. Through the box the server relays their messages. The name reveals nothing of the secret."""
        return kdf(self.secret, "enrol-box", length=PAIR_BOX_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """The description that a new device gives of itself, so that the person's old device can add it: its public signing
    and sealing keys, its name, and its operating system."""

    sign_pk: bytes
    kem_pk: bytes
    name: str
    system: str

    def fields(self) -> list[object]:
        return [self.sign_pk, self.kem_pk, self.name, self.system]

    @classmethod
    def read(cls, value: object) -> "NewDevice":
        """Reads the description. Reject "malformed" for another shape, ▲ "bad-key" for a sealing key that nothing can
        be sealed to: otherwise the old device would fail only after its person has admitted the new one."""
        sign_pk, kem_pk, name, system = fields.array(value, 4, "new device")
        new = cls(
            sign_pk=fields.raw(sign_pk, 32, "new device"),
            kem_pk=fields.raw(kem_pk, seal.PUBLIC_BYTES, "new device"),
            name=fields.text(name, NAME_LIMIT, "new device"),
            system=fields.text(system, NAME_LIMIT, "new device"),
        )
        seal.check_public(new.kem_pk)
        return new

    @property
    def keys(self) -> list[object]:
        """The two public keys in the form of `dev_add` and its proof."""
        return [self.sign_pk, self.kem_pk]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDevice:
    """What a person's old device states to the new one: the person (`uid`, and the hash of the first entry of their
    log, `genesis`), the newest entry of the log (`seq`, its hash `head`), the device that adds (`dev`, and its public
    sealing key), and the person's encoded staff record."""

    uid: Uid
    genesis: Hash
    seq: int
    head: Hash
    dev: DevId
    kem_pk: bytes
    record: bytes

    def fields(self) -> list[object]:
        return [self.uid, self.genesis, self.seq, self.head, self.dev, self.kem_pk, self.record]

    @classmethod
    def read(cls, value: object) -> "OldDevice":
        uid, genesis, seq, head, dev, kem_pk, record = fields.array(value, 7, "old device")
        old = cls(
            uid=Uid(fields.raw(uid, 16, "old device")),
            genesis=Hash(fields.raw(genesis, 32, "old device")),
            seq=fields.u64(seq, "old device"),
            head=Hash(fields.raw(head, 32, "old device")),
            dev=DevId(fields.raw(dev, 16, "old device")),
            kem_pk=fields.raw(kem_pk, seal.PUBLIC_BYTES, "old device"),
            record=fields.blob(record, 4096, "old device"),
        )
        if old.uid != old.genesis[:16]:
            raise Reject("enrol", "old device")
        seal.check_public(old.kem_pk)
        decode_record(old.record)
        return old


class Cover:
    """Encrypts and decrypts the messages between the two devices of a pairing, with the secret of `code`. Without a
    code (`code` is None: the person compares digits instead) they are sent in clear. An encrypted message is bound to
    all messages before it, and to the fingerprint of the agency's key (`agency`); one in clear is not."""

    def __init__(self, agency: Hash, code: PairingCode | None) -> None:
        self._code = code
        self._transcript = H("enrol-transcript", agency)

    def put(self, role: str, body: list[object]) -> bytes:
        sent = plain = enc([VERSION, *body])
        if self._code is not None:
            sent = aead.encrypt(self._key(role), self._context(role), plain)
        self.note(sent)
        return sent

    def note(self, sent: bytes) -> None:
        """Includes the message `sent` in what all following encrypted messages are bound to. This class calls it for
        each message that it makes or reads. It is called from outside only for message 5 (the person's log has grown),
        which is sealed to the new device's key instead. Message 4, the last one, is not included."""
        self._transcript = H("enrol-transcript", self._transcript, sent)

    def take(self, role: str, sent: bytes, count: int) -> list[object]:
        """Decrypts the message `sent` by the device `role` ("old" or "new"), and returns its `count` fields. All later
        encrypted messages are then bound to it. Without a code nothing is encrypted. Reject "enrol" if the message does
        not decrypt: the code is wrong, the server belongs to another agency, or the server tries to be the man in the
        middle. Reject "malformed", "encoding", "oversize", "format" or "old-format" for fields of another shape or
        version."""
        plain = sent
        if self._code is not None:
            try:
                plain = aead.decrypt(self._key(role), self._context(role), sent)
            except Reject as e:
                raise Reject("enrol", role) from e
        version, *body = fields.array(dec(plain, limit=PAIR_MESSAGE_BYTES), count + 1, "pairing")
        fields.version(version, VERSION, "pairing")
        self.note(sent)
        return body

    def _key(self, role: str) -> bytes:
        assert self._code is not None  # noqa: S101 - asked for only then
        return kdf(self._code.secret, "enrol", role, self._transcript)

    def _context(self, role: str) -> list[object]:
        return ["enrol", role, self._transcript]
