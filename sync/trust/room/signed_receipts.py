# SPDX-License-Identifier: EUPL-1.2
"""The server's signed statement that a room was at a position; a later lie is detected by it (protocol §4, §10).

A `Proof` is such a receipt with the agency's certificate of the key that signed it. It convinces anybody who has the
agency's public key, long after the connection on which it was received.
"""

from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.crypto.signatures import SigningKey, verify
from sync.errors import Reject
from sync.protocol.messages import Receipt, Signed
from sync.trust.formats import fields
from sync.trust.formats.items import Item
from sync.trust.person.agency import verify_server_cert

DOMAIN = "receipt"
VERSION = 1
MAX_N = 2**53
"""Higher positions and times are refused. No database column holds all of u64."""
_PROOF_LIMIT = 1024


def sign(server_key: SigningKey, room: bytes, n: int, rh: bytes, t: int) -> bytes:
    """The server's signature over `[room, n, rh_n, t_n]`."""
    return server_key.sign(DOMAIN, [room, n, rh, t])


def check(server_pk: bytes, receipt: Receipt) -> None:
    """Reject "signature" unless the server signed the receipt with the private key of `server_pk`. A receipt with
    impossible values is refused in the same manner and causes no other error."""
    r = receipt
    sized = len(r.room) == 16 and len(r.rh) == 32 and len(r.sig) == 64
    if not sized or not 0 < r.n <= MAX_N or not 0 <= r.t <= MAX_N:
        raise Reject("signature", "receipt")
    verify(server_pk, DOMAIN, [r.room, r.n, r.rh, r.t], r.sig)


def contradict(one: Receipt, other: Receipt) -> bool:
    """▲ Whether two valid receipts prove that the server signed two histories: the same position of a room with two
    different running hashes."""
    return (one.room, one.n) == (other.room, other.n) and one.rh != other.rh


@dataclass(frozen=True, slots=True)
class Proof:
    """A `receipt`, the server's signature on a position of a room, together with `cert`, the agency's certificate of
    the server's key."""

    receipt: Receipt
    cert: Signed

    def encode(self) -> bytes:
        r = self.receipt
        return enc([VERSION, r.room, r.n, r.rh, r.t, r.sig, self.cert.body, self.cert.sig])

    @classmethod
    def decode(cls, data: bytes) -> "Proof":
        """Decodes a proof and checks its shape only; `check` verifies the signatures. Reject "malformed", "encoding" or
        "oversize" for bytes that are no proof, "format" or "old-format" for a proof of another version."""
        version, room, n, rh, t, sig, cert, cert_sig = fields.array(dec(data, limit=_PROOF_LIMIT), 8, "proof")
        fields.version(version, VERSION, "proof")
        receipt = Receipt(
            fields.raw(room, 16, "proof"),
            fields.counter(n, "proof"),
            fields.raw(rh, 32, "proof"),
            fields.counter(t, "proof"),
            fields.raw(sig, 64, "proof"),
        )
        return cls(receipt, Signed(fields.blob(cert, 256, "proof"), fields.raw(cert_sig, 64, "proof")))

    def check(self, agency_pk: bytes) -> None:
        """Reject "signature" unless the agency with the public key `agency_pk` certified the server's key, and that key
        signed the receipt; "bad-key" for a weak key of either, "malformed", "encoding" or "oversize" for a certificate
        of another form. ▲ A proof is valid beyond the certificate's time."""
        check(verify_server_cert(agency_pk, self.cert.body, self.cert.sig, now_ms=0), self.receipt)


def claim(items: list[Item]) -> bytes:
    """Encodes signed items, without their content, as evidence that the caller keeps when it stops a room: the entry or
    batch whose author names in `seen` another history than the server showed this device, or whose signature is false.
    Nothing is checked here."""
    return enc([VERSION, [[i.n, i.t, i.kind, i.body, i.sig] for i in items]])
