# SPDX-License-Identifier: EUPL-1.2
"""The agency's key. It certifies the server and one-time invitations, and through an invitation who a person is.

An activation code carries the key's fingerprint, so that a client trusts only the agency that invited its person.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.signatures import SigningKey, check_public, verify
from sync.errors import Reject
from sync.ids import Hash
from sync.trust.formats import code_letters, fields

CODE_VERSION = 1
FINGERPRINT_BYTES = 16
_CODE_BYTES = 1 + 16 + FINGERPRINT_BYTES + 2
CODE_LETTERS = -(-_CODE_BYTES * 8 // 5)
_CERT_LIMIT = 1024
RECORD_BYTES = 4096
"""The longest staff record, encoded."""


def agency_fingerprint(agency_pk: bytes) -> Hash:
    """The fingerprint of an agency key, 32 B; an activation code carries the first 16."""
    return H("agency", agency_pk)


def record_hash(salt: bytes, record: bytes) -> Hash:
    """The hash of `record`, an encoded staff record, with `salt`. The agency's entry in a person's log holds this hash
    alone; salt and record are stored beside the log, so that they can be erased."""
    return H(enc(["staff", salt, record]))


def encode_record(record: Mapping[str, str]) -> bytes:
    """Encodes a staff record: "name", "title", "unit", optionally "initials"."""
    return enc(dict(record))


def decode_record(data: bytes) -> dict[str, str]:
    """Decodes a staff record: texts by name, at most 64 characters a name and 512 a text. Reject "malformed" for any
    other shape, or if it has no "name"; "encoding" or "oversize" for bytes that cannot be decoded."""
    value = dec(data, limit=RECORD_BYTES)
    if type(value) is not dict or "name" not in value:
        raise Reject("malformed", "staff record")
    return {fields.text(k, 64, "staff record"): fields.text(v, 512, "staff record") for k, v in value.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteCert:
    """The agency's certificate of an invitation. The holder of the one-time key `invite_pk` may bind one person's log
    to the staff record with the hash `record_hash`, until `not_after_ms`."""

    invite_pk: bytes
    record_hash: Hash
    not_after_ms: int

    @classmethod
    def check(cls, agency_pk: bytes, body: bytes, sig: bytes) -> "InviteCert":
        """Verifies and decodes an invitation's certificate `body`. Reject "signature" unless `sig` is the signature of
        the agency with the public key `agency_pk` over it; "bad-key" for a weak key in it; "malformed", "encoding" or
        "oversize" for a body of another form. Whether it has expired is not checked."""
        verify(agency_pk, "invite", body, sig)
        pk, record, until = fields.array(dec(body, limit=_CERT_LIMIT), 3, "invite")
        cert = cls(
            invite_pk=fields.raw(pk, 32, "invite"),
            record_hash=Hash(fields.raw(record, 32, "invite")),
            not_after_ms=fields.u64(until, "invite"),
        )
        check_public(cert.invite_pk)
        return cert


class Agency:
    """The agency's private key, with which the agency certifies its server and its invitations, and signs its own
    entries in people's logs (such as the revocation of a device). Made from `seed` (32 B). It is kept off the server
    where the agency can do so."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.pk = self._key.public
        self.fingerprint = agency_fingerprint(self.pk)

    @property
    def key(self) -> SigningKey:
        """The key for signing entries of a user log as the agency."""
        return self._key

    def certify_server(self, server_pk: bytes, not_after_ms: int) -> tuple[bytes, bytes]:
        """Makes a server certificate, signed by the agency's key: (body, sig). It is valid for `server_pk`, the
        server's receipt-signing key, until `not_after_ms`."""
        body = enc([server_pk, not_after_ms])
        return body, self._key.sign("server", body)

    def certify_invite(self, invite_pk: bytes, record: Hash, not_after_ms: int) -> tuple[bytes, bytes]:
        """Makes the certificate of an invitation, signed by the agency's key: (body, sig). Until `not_after_ms` the
        one-time key `invite_pk` may bind one person, whose staff record has the hash `record`."""
        body = enc([invite_pk, record, not_after_ms])
        return body, self._key.sign("invite", body)


def verify_server_cert(agency_pk: bytes, body: bytes, sig: bytes, now_ms: int) -> bytes:
    """Verifies the certificate `body`, in which the agency states the server's receipt-signing key, and returns that
    public key. `agency_pk` is the agency's public key, `sig` its signature. Reject "signature" if the agency did not
    sign it, "expired" if it ended before `now_ms` (0 skips this check), "bad-key" for a weak key of the agency or the
    server, "malformed", "encoding" or "oversize" for a body of another form."""
    check_public(agency_pk)
    verify(agency_pk, "server", body, sig)
    server_pk, until_ms = _server_cert(body)
    if until_ms < now_ms:
        raise Reject("expired", "server certificate")
    check_public(server_pk)
    return server_pk


def hello_proof(nonce: bytes, client_nonce: bytes, agency: Hash | bytes, address: str, time_ms: int) -> list[object]:
    """The values that the server signs, under the domain "hello", when a client connects: the server's `nonce`, the
    client's `client_nonce`, the fingerprint of the agency's key (`agency`, 32 B), the `address` that the client
    dialled, and the server's time (`time_ms`). The proof is good for one connection, one agency and one address, so
    that it cannot be passed on."""
    return [nonce, client_nonce, agency, address, time_ms]


def server_cert_until_ms(body: bytes) -> int:
    """When a server's certificate, already verified, ends (ms)."""
    return _server_cert(body)[1]


def _server_cert(body: bytes) -> tuple[bytes, int]:
    pk, until = fields.array(dec(body, limit=_CERT_LIMIT), 2, "server certificate")
    return fields.raw(pk, 32, "server certificate"), fields.u64(until, "server certificate")


@dataclass(frozen=True, slots=True)
class SignInCode:
    """An activation code, which a new colleague types once: a one-time secret (`seed`, 16 B), from which the
    invitation's key is derived, and the first 16 bytes of the fingerprint of the agency's key (`agency`), so that the
    client trusts no other agency."""

    seed: bytes
    agency: bytes

    def __repr__(self) -> str:
        return "SignInCode(…)"

    @classmethod
    def fresh(cls, agency_pk: bytes) -> "SignInCode":
        return cls(os.urandom(16), agency_fingerprint(agency_pk)[:FINGERPRINT_BYTES])

    @property
    def key(self) -> SigningKey:
        """The one-time key that signs this person's binding and has no other use."""
        return SigningKey(kdf(self.seed, "invite"))

    def format(self) -> str:
        """Formats the activation code as a new colleague types it: Crockford base32 in groups of four letters, with a
        dash between two groups. It encodes the version, the one-time secret, 16 bytes of the agency key's fingerprint,
        and two bytes of checksum. `parse` reads it."""
        raw = bytes((CODE_VERSION,)) + self.seed + self.agency
        raw += H("code", raw)[:2]
        return code_letters.write(int.from_bytes(raw, "big"), CODE_LETTERS)

    @classmethod
    def parse(cls, text: str) -> "SignInCode":
        """Reads `text`, an activation code as a person typed it: a one-time secret and the first 16 bytes of the
        fingerprint of the agency's key. Case, spaces and dashes do not matter. Reject "code" if it is mistyped (its
        length, a letter or the checksum is wrong) or of an unknown version."""
        number = code_letters.read(text, CODE_LETTERS)
        raw = number.to_bytes(_CODE_BYTES, "big")
        if H("code", raw[:-2])[:2] != raw[-2:] or raw[0] != CODE_VERSION:
            raise Reject("code", "checksum")
        return cls(raw[1:17], raw[17:33])


def invite_id(invite_pk: bytes) -> bytes:
    """The id of an invitation, 16 B, which is the `by` of a binding entry."""
    return H("invite", invite_pk)[:16]
