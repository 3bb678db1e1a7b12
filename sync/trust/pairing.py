# SPDX-License-Identifier: EUPL-1.2
"""How a person's old device lets a new one in, with a server between them that only relays (protocol §11).

Two ways, the same four messages: **by code**, a secret that the old device shows and the new one is given, under which
everything is sealed; **by digits**, without a secret: the new device commits itself before it hears from the old one,
and both screens show six digits that a person compares.

```
1 new  its keys, name and system          (by digits: a commitment to them)
2 old  person, head of the log, who asks
3 new  proof that it has its keys          (by digits: what it had committed itself to)
4 old  sealed to the new device: it is added
```
▲ A server in the middle has no secret to seal under; without one it must choose its digits before it knows the other
side's, and is found out but once in a million. ▲ What is sealed names its way, sender and everything before it.
"""

import hmac
import os
from dataclasses import dataclass, field

from sync.crypto import aead, seal
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey, verify
from sync.errors import Reject
from sync.ids import DevId, Hash, Uid
from sync.protocol.version import PAIR_BOX_BYTES, PAIR_MESSAGE_BYTES
from sync.trust import fields, letters
from sync.trust.agency import decode_record
from sync.trust.author import DeviceSecrets

VERSION = 1
SECRET_BITS = 120
CHECK_BITS = 10
CODE_LETTERS = 26
NAME_LIMIT = 64
NONCE_BYTES = 32
DIGITS = 6
_LABEL = "pairing"
_OLD, _NEW = "old", "new"


@dataclass(frozen=True, slots=True)
class PairingCode:
    """The secret that the old device shows: 26 letters, good once."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "PairingCode":
        return cls(os.urandom(SECRET_BITS // 8))

    def format(self) -> str:
        number = letters.checked(_LABEL, int.from_bytes(self.secret, "big"), SECRET_BITS, CHECK_BITS)
        return letters.write(number, CODE_LETTERS)

    @classmethod
    def parse(cls, text: str) -> "PairingCode":
        """The code as typed. Reject "code" if it is mistyped; one time in a thousand the other device finds out."""
        number = letters.check(_LABEL, letters.read(text, CODE_LETTERS), SECRET_BITS, CHECK_BITS)
        return cls(number.to_bytes(SECRET_BITS // 8, "big"))

    @property
    def box(self) -> bytes:
        """16 B under which the server brings the two together; it says nothing of the secret."""
        return kdf(self.secret, "enrol-box", length=PAIR_BOX_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """What the new device says of itself."""

    sign_pk: bytes
    kem_pk: bytes
    name: str
    system: str

    def fields(self) -> list[object]:
        return [self.sign_pk, self.kem_pk, self.name, self.system]

    @classmethod
    def read(cls, value: object) -> "NewDevice":
        sign_pk, kem_pk, name, system = fields.array(value, 4, "new device")
        return cls(
            sign_pk=fields.raw(sign_pk, 32, "new device"),
            kem_pk=fields.raw(kem_pk, seal.PUBLIC_BYTES, "new device"),
            name=fields.text(name, NAME_LIMIT, "new device"),
            system=fields.text(system, NAME_LIMIT, "new device"),
        )

    @property
    def keys(self) -> list[object]:
        """As `dev_add` and its proof have them."""
        return [self.sign_pk, self.kem_pk]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDevice:
    """What the old device says: whose log it is, where it stands, and who adds. `record`: the staff record, encoded."""

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


class _Cover:
    """Under what messages travel: sealed with the secret, or bare. Each sealed one covers all before it."""

    def __init__(self, agency: Hash, code: PairingCode | None) -> None:
        self._code = code
        self._transcript = H("enrol", agency)

    def put(self, role: str, body: list[object]) -> bytes:
        sent = plain = enc([VERSION, *body])
        if self._code is not None:
            sent = aead.seal(self._key(role), self._context(role), plain)
        self._transcript = H("enrol", self._transcript, sent)
        return sent

    def take(self, role: str, sent: bytes, count: int) -> list[object]:
        """Reject "enrol" if it does not open: a wrong code, another agency's server, or one in the middle."""
        plain = sent
        if self._code is not None:
            try:
                plain = aead.open_(self._key(role), self._context(role), sent)
            except Reject as e:
                raise Reject("enrol", role) from e
        version, *body = fields.array(dec(plain, limit=PAIR_MESSAGE_BYTES), count + 1, "pairing")
        fields.version(version, VERSION, "pairing")
        self._transcript = H("enrol", self._transcript, sent)
        return body

    def _key(self, role: str) -> bytes:
        assert self._code is not None  # noqa: S101 - asked for only then
        return kdf(self._code.secret, "enrol", role, self._transcript)

    def _context(self, role: str) -> list[object]:
        return ["enrol", role, self._transcript]


def _commitment(nonce: bytes, new: NewDevice) -> Hash:
    return H("enrol-commit", nonce, enc(new.fields()))


def _digits(agency: Hash, commit: bytes, old_nonce: bytes, old: OldDevice, new_nonce: bytes) -> str:
    """▲ Over what each side was bound to before it knew the other's nonce, and nothing that could be chosen later."""
    digest = H("enrol-digits", agency, commit, old_nonce, enc(old.fields()), new_nonce)
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}}"


class Entering:
    """The new device's side. `agency` is the fingerprint of the agency key that its server showed."""

    def __init__(self, agency: Hash, secrets: DeviceSecrets, name: str, system: str, code: PairingCode | None) -> None:
        self._agency = agency
        self._signing, self._kem = SigningKey(secrets.sign), KemKey(secrets.kem)
        self._me = NewDevice(sign_pk=self._signing.public, kem_pk=self._kem.public, name=name, system=system)
        self._cover = _Cover(agency, code)
        self._by_code = code is not None
        self._nonce = os.urandom(NONCE_BYTES)
        self.old: OldDevice | None = None
        self.digits = ""
        """What to compare, by digits only, once message 2 has come."""

    def first(self) -> bytes:
        """Message 1."""
        body: list[object] = [self._me.fields()] if self._by_code else [_commitment(self._nonce, self._me)]
        return self._cover.put(_NEW, body)

    def answer(self, second: bytes) -> bytes:
        """Message 3, after message 2 told whose device this is to be."""
        told, nonce = self._cover.take(_OLD, second, 2)
        old_nonce = fields.raw(nonce, 0 if self._by_code else NONCE_BYTES, "nonce")
        self.old = old = OldDevice.read(told)
        proof = self._signing.sign("dev-proof", [old.uid, old.head, self._me.keys, old.dev])
        if self._by_code:
            return self._cover.put(_NEW, [proof])
        commit = _commitment(self._nonce, self._me)
        self.digits = _digits(self._agency, commit, old_nonce, old, self._nonce)
        hidden = seal.seal_to(old.kem_pk, enc(["enrol-new", old.uid, old.dev]), enc(self._me.fields()))
        return self._cover.put(_NEW, [proof, self._nonce, hidden])

    def done(self, fourth: bytes) -> tuple[int, DevId]:
        """The entry by which this device was added, and its id. Reject "enrol" if message 4 is not for it."""
        if self.old is None:
            raise Reject("enrol", "order")
        try:
            opened = self._kem.open(enc(["enrol-done", self.old.uid, self.old.dev]), fourth)
        except Reject as e:
            raise Reject("enrol", "done") from e
        version, seq, dev = fields.array(dec(opened, limit=64), 3, "done")
        fields.version(version, VERSION, "pairing")
        return fields.u64(seq, "done"), DevId(fields.raw(dev, 16, "done"))


class Admitting:
    """The old device's side. `kem` is its own sealing key. If the log moves before the end, a new attempt begins."""

    def __init__(self, agency: Hash, kem: KemKey, code: PairingCode | None) -> None:
        self._agency = agency
        self._kem = kem
        self._cover = _Cover(agency, code)
        self._by_code = code is not None
        self._nonce = b"" if code is not None else os.urandom(NONCE_BYTES)
        self._commit = b""
        self._old: OldDevice | None = None
        self.new: NewDevice | None = None
        """Who wants to come in: by code after message 1, by digits after message 3."""
        self.proof = b""
        self.digits = ""
        """What to compare, by digits only, once message 3 has come."""

    def hear(self, first: bytes) -> None:
        """Message 1."""
        body = self._cover.take(_NEW, first, 1)
        if self._by_code:
            self.new = NewDevice.read(body[0])
        else:
            self._commit = fields.raw(body[0], 32, "commitment")

    def tell(self, old: OldDevice) -> bytes:
        """Message 2."""
        self._old = old
        return self._cover.put(_OLD, [old.fields(), self._nonce])

    def check(self, third: bytes) -> None:
        """Message 3. Reject "enrol" if it is not what message 1 promised, "signature" without the keys."""
        old = self._old
        if old is None:
            raise Reject("enrol", "order")
        if self._by_code:
            (proof,) = self._cover.take(_NEW, third, 1)
        else:
            proof, nonce, hidden = self._cover.take(_NEW, third, 3)
            nonce = fields.raw(nonce, NONCE_BYTES, "nonce")
            try:
                opened = self._kem.open(enc(["enrol-new", old.uid, old.dev]), fields.blob(hidden, 4096, "new device"))
            except Reject as e:
                raise Reject("enrol", "new device") from e
            new = NewDevice.read(dec(opened, limit=PAIR_MESSAGE_BYTES))
            if not hmac.compare_digest(_commitment(nonce, new), self._commit):
                raise Reject("enrol", "commitment")
            self.new = new
            self.digits = _digits(self._agency, self._commit, self._nonce, old, nonce)
        assert self.new is not None  # noqa: S101 - by code `hear` has set it
        self.proof = fields.raw(proof, 64, "proof")
        verify(self.new.sign_pk, "dev-proof", [old.uid, old.head, self.new.keys, old.dev], self.proof)

    def done(self, seq: int, dev: DevId) -> bytes:
        """Message 4: it is added, by entry `seq`, as device `dev`."""
        if self.new is None or self._old is None:
            raise Reject("enrol", "order")
        info = enc(["enrol-done", self._old.uid, self._old.dev])
        return seal.seal_to(self.new.kem_pk, info, enc([VERSION, seq, dev]))
