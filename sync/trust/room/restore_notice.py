# SPDX-License-Identifier: EUPL-1.2
"""The server's signed word that it was restored from a backup (protocol §10): it explains why it shows less than it
promised, and excuses nothing else.

`body = enc([1, agency fingerprint 32, restored ms, backup ms, nonce 16])`, signed by the server, domain "restored".
"""

import os
from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.crypto.signatures import SigningKey, verify
from sync.errors import Reject
from sync.trust.formats import fields

DOMAIN = "restored"
VERSION = 1
LAG_MS = 60_000
"""How long what was given a time may have been on its way to the disk when the backup was made."""
_LIMIT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """When the server was restored and from a backup of when (its clock, ms)."""

    t: int
    backup_t: int
    body: bytes
    sig: bytes

    @classmethod
    def sign(cls, server_key: SigningKey, fingerprint: bytes, t: int, backup_t: int) -> "Restored":
        """A new statement."""
        body = enc([VERSION, fingerprint, t, backup_t, os.urandom(16)])
        return cls(t=t, backup_t=backup_t, body=body, sig=server_key.sign(DOMAIN, body))

    @classmethod
    def check(cls, server_pk: bytes, fingerprint: bytes, body: bytes, sig: bytes) -> "Restored":
        """The statement, if this server signed it for this agency. Reject "signature", "malformed", "format",
        "encoding" or "agency"."""
        verify(server_pk, DOMAIN, body, sig)
        version, agency, t, backup_t, nonce = fields.array(dec(body, limit=_LIMIT), 5, "restored")
        fields.version(version, VERSION, "restored")
        fields.raw(nonce, 16, "restored")
        if agency != fingerprint:
            raise Reject("agency", "restored")
        statement = cls(
            t=fields.counter(t, "restored"), backup_t=fields.counter(backup_t, "restored"), body=body, sig=sig
        )
        if statement.backup_t > statement.t:
            raise Reject("malformed", "restored")
        return statement

    def encode(self) -> bytes:
        """As evidence: `enc([1, body, sig])`."""
        return enc([VERSION, self.body, self.sig])

    def explains(self, promised_t: int) -> bool:
        """▲ Whether what was promised at `promised_t` may be gone with the backup: not what was on the disk when that
        was made. A server that dropped it hides behind no restore."""
        return promised_t + LAG_MS >= self.backup_t
