# SPDX-License-Identifier: EUPL-1.2
"""How a person's old device admits a new one, with a server between them that only relays messages (protocol §11).

There are two methods with the same four messages. **By code**: the old device shows a secret, the person enters it at
the new one, and everything is encrypted under it. **By digits**, without a secret: the new device commits itself before
it receives anything from the old one, and both screens show six digits that a person compares.

```
1 new  its keys, name and system          (by digits: a commitment to them)
2 old  person, head of the log, which device asks
3 new  proof that it has its keys          (by digits: what it had committed itself to)
4 old  sealed to the new device: it is added
```

If the old device's log moves before message 4, the proof is for an older head. Then message 4 is preceded, as often as
needed, by

```
5 old  sealed to the new device: the log's newer head
6 new  proof that it has its keys, for that head
```

▲ A server in the middle has no secret to encrypt under. By digits it must choose its own digits before it knows those
of the other side, and it stays unnoticed once in a million. ▲ An encrypted message is bound to its method, its sender
and everything before it.
"""

import hmac
import os
from dataclasses import replace

from sync.crypto import seal
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey, verify
from sync.errors import Reject
from sync.ids import DevId, Hash
from sync.protocol.version import PAIR_MESSAGE_BYTES
from sync.trust.formats import fields
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import VERSION, Cover, NewDevice, OldDevice, PairingCode

NONCE_BYTES = 32
DIGITS = 6
_OLD, _NEW = "old", "new"


def _commitment(nonce: bytes, new: NewDevice) -> Hash:
    return H("enrol-commit", nonce, enc(new.fields()))


def _digits(agency: Hash, commit: bytes, old_nonce: bytes, old: OldDevice, new_nonce: bytes) -> str:
    """▲ The six digits that the person compares on both screens. They cover only values to which each device was bound
    before it knew the other one's nonce: the fingerprint of the agency's key (`agency`), the new device's commitment
    (`commit`), the old device's nonce and description (`old_nonce`, `old`), and the new device's nonce (`new_nonce`),
    to which `commit` binds it."""
    digest = H("enrol-digits", agency, commit, old_nonce, enc(old.fields()), new_nonce)
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}}"


class Entering:
    """The new device in the pairing: makes the messages that it sends, and checks those of the person's old device.
    Sends nothing itself. Reject, mostly "enrol", for a message that does not verify. The numbers of the messages are
    those of the protocol (see the module).

    `agency` is the fingerprint of the agency key that the new device's server showed. `code` is None if the person
    compares digits instead. `secrets` are this device's own; `name` and `system` describe it to the old one.
    """

    def __init__(self, agency: Hash, secrets: DeviceSecrets, name: str, system: str, code: PairingCode | None) -> None:
        self._agency = agency
        self._signing, self._kem = SigningKey(secrets.sign), KemKey(secrets.kem)
        self._me = NewDevice(sign_pk=self._signing.public, kem_pk=self._kem.public, name=name, system=system)
        self._cover = Cover(agency, code)
        self._by_code = code is not None
        self._nonce = os.urandom(NONCE_BYTES)
        self.old: OldDevice | None = None
        """The old device as message 2 described it, with the newest head that this device has proved its keys for."""
        self.heads: list[tuple[int, Hash]] = []
        """Every head of the log that the old device named: (seq, head), from message 2 and each message 5."""
        self.digits = ""
        """The digits to compare; only by digits, after message 2."""

    def first(self) -> bytes:
        """Makes message 1 of the pairing: this device's keys, name and system. If the person compares digits instead of
        typing a code, it is only a commitment (hash) to them."""
        body: list[object] = [self._me.fields()] if self._by_code else [_commitment(self._nonce, self._me)]
        return self._cover.put(_NEW, body)

    def answer(self, second: bytes) -> bytes:
        """Reads message 2 (`second`), in which the old device states whose device this is to become, and the newest
        entry of that person's log; stores it in `old`. Makes message 3: this device's signature for that entry, a proof
        that it has its private keys. If the person compares digits instead of typing a code, message 3 also holds the
        description to which message 1 committed, and `digits` is set. Reject "enrol" if message 2 does not decrypt, or
        its person and log do not fit, "bad-key" if nothing can be sealed to the old device, "malformed", "encoding",
        "oversize", "format" or "old-format" for another form."""
        described, nonce = self._cover.take(_OLD, second, 2)
        old_nonce = fields.raw(nonce, 0 if self._by_code else NONCE_BYTES, "nonce")
        self.old = old = OldDevice.read(described)
        proof = self._prove(old)
        if self._by_code:
            return self._cover.put(_NEW, [proof])
        commit = _commitment(self._nonce, self._me)
        self.digits = _digits(self._agency, commit, old_nonce, old, self._nonce)
        hidden = seal.seal_to(old.kem_pk, enc(["enrol-new", old.uid, old.dev]), enc(self._me.fields()))
        return self._cover.put(_NEW, [proof, self._nonce, hidden])

    def _prove(self, old: OldDevice) -> bytes:
        self.heads.append((old.seq, old.head))
        return self._signing.sign("dev-proof", [old.uid, old.head, self._me.keys, old.dev])

    def prove_again(self, fifth: bytes) -> bytes | None:
        """Reads `fifth`, message 5: the person's log has got newer entries since this device proved its keys. Makes
        message 6, a proof of the same keys for the new head. None if `fifth` is not a message 5 for this device; it may
        then be message 4, with which the pairing ends.

        ▲ A log only grows: Reject "enrol" for a head that is not above every head that was proved for, and also before
        message 2. Reject "malformed", "encoding", "oversize", "format" or "old-format" if `fifth` opens to something
        else.
        """
        opened = self._open("enrol-moved", fifth)
        if opened is None:
            return None
        seq, head = fields.u64(opened[0], "moved"), Hash(fields.raw(opened[1], 32, "moved"))
        assert self.old is not None  # noqa: S101 - else nothing opens
        if seq <= self.old.seq:
            raise Reject("enrol", "moved")
        self._cover.note(fifth)
        self.old = replace(self.old, seq=seq, head=head)
        return self._cover.put(_NEW, [self._prove(self.old)])

    def done(self, fourth: bytes) -> tuple[int, DevId]:
        """Reads `fourth`, message 4, with which the pairing ends. Returns the number of the log entry that added this
        device, and this device's id; the caller must verify both in the person's log. Reject "enrol" if the message is
        not for this device, or before message 2; "malformed", "encoding", "oversize", "format" or "old-format" if it
        opens to something else."""
        opened = self._open("enrol-done", fourth)
        if opened is None:
            raise Reject("enrol", "done")
        return fields.u64(opened[0], "done"), DevId(fields.raw(opened[1], 16, "done"))

    def _open(self, label: str, message: bytes) -> list[object] | None:
        """The two fields of a `message` that the old device sealed to this one, for the purpose `label`; None if it
        does not open. Reject "enrol" if message 2 has not been read yet, and "malformed", "encoding", "oversize",
        "format" or "old-format" if it opens to something else."""
        if self.old is None:
            raise Reject("enrol", "order")
        try:
            opened = self._kem.open(enc([label, self.old.uid, self.old.dev]), message)
        except Reject:
            return None
        version, *body = fields.array(dec(opened, limit=64), 3, label)
        fields.version(version, VERSION, "pairing")
        return body


class Admitting:
    """The old device in the pairing: checks the messages of the new device and makes the answers. The numbers of the
    messages are those of the protocol.

    `agency` is the fingerprint of the agency's key, `kem` this device's private sealing key. `code` is None if the
    person compares digits instead.
    """

    def __init__(self, agency: Hash, kem: KemKey, code: PairingCode | None) -> None:
        self._agency = agency
        self._kem = kem
        self._cover = Cover(agency, code)
        self._by_code = code is not None
        self._nonce = b"" if code is not None else os.urandom(NONCE_BYTES)
        self._commit = b""
        self._old: OldDevice | None = None
        self.new: NewDevice | None = None
        """The device that asks to be added: by code known after message 1, by digits after message 3."""
        self.proof = b""
        self.proved: Hash | None = None
        """The head of the log that `proof` is for."""
        self.digits = ""
        """The digits to compare; only by digits, after message 3."""

    def receive_first(self, first: bytes) -> None:
        """Reads `first`, message 1 of the pairing: the new device's keys, name and system, or, if the person compares
        digits instead of typing a code, a commitment (hash) to them. Stores them. Reject "enrol" if the new device does
        not have the code; "malformed", "encoding", "oversize", "format" or "old-format" for a message of another form.
        Whether the keys are usable is not checked."""
        body = self._cover.take(_NEW, first, 1)
        if self._by_code:
            self.new = NewDevice.read(body[0])
        else:
            self._commit = fields.raw(body[0], 32, "commitment")

    def describe(self, old: OldDevice) -> bytes:
        """Makes message 2, which states this device, its person and the newest entry of the person's log (`old`). It is
        encrypted, unless the person compares digits instead of typing a code. Nothing is checked here, nor that message
        1 was read before."""
        self._old = old
        return self._cover.put(_OLD, [old.fields(), self._nonce])

    def check(self, third: bytes) -> None:
        """Reads `third`, message 3, and verifies the new device's proof that it has its private keys. Stores it in
        `proof`, for the entry that adds the device. If the person compares digits instead of typing a code, sets `new`
        and `digits`. Reject "enrol" if the message does not decrypt, does not match the commitment in message 1, or
        comes before message 2; "signature" if the proof is wrong; "malformed", "encoding", "oversize", "format" or
        "old-format" for a message of another form."""
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
        assert self.new is not None  # noqa: S101 - by code `receive_first` has set it
        self._verify(proof)

    def _verify(self, proof: object) -> None:
        """▲ Verifies `proof`: the new device's signature that it has its keys, for the newest head of the log that this
        device has sent it. Stores it, for the entry that adds the device. Reject "signature" if it is wrong,
        "malformed" if it is not 64 bytes, "enrol" before message 2 or before the device's keys are known (by code from
        message 1, by digits from message 3)."""
        if self.new is None or self._old is None:
            raise Reject("enrol", "order")
        old, signed = self._old, fields.raw(proof, 64, "proof")
        verify(self.new.sign_pk, "dev-proof", [old.uid, old.head, self.new.keys, old.dev], signed)
        self.proof, self.proved = signed, old.head

    def ask_again(self, seq: int, head: Hash) -> bytes:
        """Makes message 5, sealed to the new device: the person's log has grown since that device proved its keys, and
        its newest entry has the number `seq` and the hash `head`. The new device must prove its keys again, for this
        head; no older proof is accepted any more. Reject "enrol" before message 2, or before the new device's keys are
        known (by code from message 1, by digits from message 3). ValueError if nothing can be sealed to its key."""
        message = self._seal("enrol-moved", seq, head)
        assert self._old is not None  # noqa: S101 - else nothing is sealed
        self._old = replace(self._old, seq=seq, head=head)
        self._cover.note(message)
        return message

    def check_again(self, sixth: bytes) -> None:
        """Reads `sixth`, message 6: the new device's proof of its keys for the head in message 5. Stores it, for the
        entry that adds the device. Reject "enrol" if the message does not decrypt, "signature" if it is not a proof of
        the same keys for that head, "malformed", "encoding", "oversize", "format" or "old-format" for a message of
        another form."""
        (proof,) = self._cover.take(_NEW, sixth, 1)
        self._verify(proof)

    def done(self, seq: int, dev: DevId) -> bytes:
        """Makes message 4: the device is added, by entry `seq`, as device `dev`."""
        return self._seal("enrol-done", seq, dev)

    def _seal(self, label: str, seq: int, what: bytes) -> bytes:
        if self.new is None or self._old is None:
            raise Reject("enrol", "order")
        info = enc([label, self._old.uid, self._old.dev])
        return seal.seal_to(self.new.kem_pk, info, enc([VERSION, seq, what]))
