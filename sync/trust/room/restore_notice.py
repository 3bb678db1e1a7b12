# SPDX-License-Identifier: EUPL-1.2
"""The server's signed statement that it was restored from a backup (protocol §10). It explains why the server shows
less than it promised, and excuses no other deviation.

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
"""How long an item that already had its time may still have been on its way to the disk when the backup was made."""
CLOCK_AHEAD_MS = 86_400_000
"""How far the clock that gave an item its time may have been ahead of the clock that dated the restore. It is as much
as a server's clock can be set ahead without its operator's confirmation (clock_guard.py)."""
_LIMIT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The server's signed statement that it was restored from a backup at `t`, and that the backup was made at
    `backup_t` (both by the server's clock, ms). `body` is what was signed, `sig` the signature."""

    t: int
    backup_t: int
    body: bytes
    sig: bytes

    @classmethod
    def sign(cls, server_key: SigningKey, fingerprint: bytes, t: int, backup_t: int) -> "Restored":
        """Makes and signs a new statement, for the agency whose key has this `fingerprint`. `t` is the time of the
        restore, `backup_t` that of the backup (ms)."""
        body = enc([VERSION, fingerprint, t, backup_t, os.urandom(16)])
        return cls(t=t, backup_t=backup_t, body=body, sig=server_key.sign(DOMAIN, body))

    @classmethod
    def check(cls, server_pk: bytes, fingerprint: bytes, body: bytes, sig: bytes) -> "Restored":
        """Reads the statement in `body`. Reject "signature" unless `sig` is the signature of the server with the public
        key `server_pk` over it, "agency" if it is for an agency whose key has another fingerprint than `fingerprint`,
        "malformed" for another form or a backup later than the restore, "format", "old-format", "oversize" or
        "encoding" for bytes that are no such statement."""
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
        """The statement as evidence: `enc([1, body, sig])`."""
        return enc([VERSION, self.body, self.sig])

    def explains(self, lost_t: int, promised_t: int) -> bool:
        """▲ Whether the server may have lost by this restore items of a room that it had acknowledged. `lost_t` is the
        time of the first lost item, `promised_t` that of the newest item of the room that the server ever acknowledged
        to this device; both in ms, by the server's clock.

        The first lost item must be from LAG_MS before the backup or later: earlier items were on the disk when the
        backup was made. The newest acknowledged one must not be from more than CLOCK_AHEAD_MS after the restore: then
        the server lost it in another way. Otherwise one old statement would excuse every later loss.
        """
        return lost_t + LAG_MS >= self.backup_t and promised_t <= self.t + CLOCK_AHEAD_MS
