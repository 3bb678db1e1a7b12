# SPDX-License-Identifier: EUPL-1.2
"""One entry of a user log, encoded and decoded (protocol §3). user_log.py says which entry may follow which.

Body: `[1, uid | null, seq, prev, by, time, type, payload, ext]`; id = H("user-log" ‖ body); signed over the id.
"""

from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import DevId, Hash
from sync.protocol.version import MAX_USER_ENTRY_BYTES
from sync.trust.formats import fields

VERSION = 1
DOMAIN = "user-log"
ROOT = "root"
AGENCY = "agency"
TYPES = frozenset(
    ("genesis", "binding", "dev_add", "dev_rekey", "dev_revoke", "puk_rotate", "root_rotate", "recovery_set", "reset")
)


@dataclass(frozen=True, slots=True)
class UserEntry:
    """One decoded entry of a person's user log (the signed list of their devices and keys), number `seq` from 0. `prev`
    is the hash of the entry before (zeros in the first), `ident` that of this one. `by` is the signer: the 16 B id of a
    device, or of an invitation (an activation code, which signs a binding), or "root" or "agency". `type` is one of
    TYPES, `payload` its content, not checked here. `uid`, the person's id, is None in the first entry, since it is made
    from that entry's hash. `time` in ms is the signer's claim."""

    uid: bytes | None
    seq: int
    prev: bytes
    by: bytes | str
    time: int
    type: str
    payload: object
    ident: Hash

    @classmethod
    def decode(cls, body: bytes) -> "UserEntry":
        parts = fields.array(dec(body, limit=MAX_USER_ENTRY_BYTES), 9, "user entry")
        version, uid, seq, prev, by, time, kind, payload, ext = parts
        fields.version(version, VERSION, "user entry version")
        if fields.text(kind, 64, "user entry type") not in TYPES:
            raise Reject("format", "user entry type")
        fields.ext(ext)
        signer = by if isinstance(by, str) and by in (ROOT, AGENCY) else fields.raw(by, 16, "by")
        return cls(
            uid=None if uid is None else fields.raw(uid, 16, "uid"),
            seq=fields.u64(seq, "seq"),
            prev=fields.raw(prev, 32, "prev"),
            by=signer,
            time=fields.time(time, "time"),
            type=str(kind),
            payload=payload,
            ident=entry_id(body),
        )


def entry_body(
    uid: bytes | None, seq: int, prev: bytes, by: bytes | str, time: int, kind: str, payload: object
) -> bytes:
    """The body of an entry to sign."""
    return enc([VERSION, uid, seq, prev, by, time, kind, payload, {}])


def entry_id(body: bytes) -> Hash:
    """The id of an entry, which is the head of the log after it."""
    return H(DOMAIN, body)


def device_id(genesis_root_pk: bytes, sign_pk: bytes) -> DevId:
    """▲ The id of a device. It covers the root key of the person's genesis, so that a device belongs to one person."""
    return DevId(H("dev", genesis_root_pk, sign_pk)[:16])
