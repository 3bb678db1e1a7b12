# SPDX-License-Identifier: EUPL-1.2
"""The agency's escrow key, to which the shares of recovery sheets are sealed (protocol §3, §10).

The agency's key certifies the public half. The secret half is used away from the server. It opens one person's share
from a request; the request holds that person's whole log and so proves whose share it is.
"""

from dataclasses import dataclass

from sync.crypto import seal
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.crypto.signatures import verify
from sync.errors import Reject
from sync.trust.formats import fields
from sync.trust.person.agency import Agency, decode_record, record_hash
from sync.trust.person.author import Entry
from sync.trust.person.recovery_sheet import RECOVERY_SHEET_BYTES, RecoveryShare
from sync.trust.person.user_log import UserLog

DOMAIN = "escrow"
REQUEST_VERSION = 1
MAX_REQUEST_BYTES = 64 * 1024 * 1024
_CERT_LIMIT = 2048
_SIG_BYTES = 64


def escrow_id(escrow_pk: bytes) -> bytes:
    """The id of an escrow key, 16 B, by which a sealed share names its key."""
    return H(DOMAIN, escrow_pk)[:16]


def certify_escrow(agency: Agency, escrow_pk: bytes) -> Entry:
    """Makes the certificate of the public escrow key `escrow_pk`, to which persons seal the shares of their recovery
    sheets. Returns (body, signature over it). `agency` has the agency's private key, which signs: so a server cannot
    have shares sealed to a key of its own. Nothing is checked."""
    body = enc([escrow_pk])
    return body, agency.key.sign(DOMAIN, body)


def check_escrow(agency_pk: bytes, body: bytes, sig: bytes) -> bytes:
    """Reads the public escrow key from its certificate `body`, and returns it. ▲ Reject "signature" unless `sig` is the
    signature over it of the agency with the public key `agency_pk`, "malformed", "encoding" or "oversize" for a body of
    another form, "bad-key" if nothing can be sealed to the key."""
    verify(agency_pk, DOMAIN, body, sig)
    (pk,) = fields.array(dec(body, limit=_CERT_LIMIT), 1, "escrow")
    escrow_pk = fields.raw(pk, seal.PUBLIC_BYTES, "escrow")
    seal.check_public(escrow_pk)
    return escrow_pk


def share_info(uid: bytes, number: int) -> bytes:
    """▲ The `info` to which a sealed share is bound: the person `uid`, and which of their recovery sheets (`number`,
    from 1) the share belongs to."""
    return enc(["recovery-share", uid, number])


def seal_share(escrow_pk: bytes, uid: bytes, number: int, share: RecoveryShare) -> bytes:
    """Seals `share`, the second half of a recovery sheet's secret, so that only the agency's private escrow key opens
    it; `escrow_pk` is the public one. `number` says which of the recovery sheets of the person `uid` it belongs to,
    from 1. Returns the sealed bytes. ValueError if nothing can be sealed to `escrow_pk`."""
    return seal.seal_to(escrow_pk, share_info(uid, number), share.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRequest:
    """A verified request to open one person's share, the half of a recovery sheet's secret that is not on the paper.
    `log` is the person's whole log, `record` their staff record. Before the agency opens the share, it compares the
    name in `record` with that of the person at the desk."""

    log: UserLog
    record: dict[str, str]

    @staticmethod
    def encode(entries: list[Entry], salt: bytes, record: bytes) -> bytes:
        """Encodes a request to open the share of a person's recovery sheet. The bytes are carried from the server to
        the separate computer that has the escrow key. `entries` are the person's whole log, each (body, signature);
        `record` is their encoded staff record, and `salt` what it was hashed with. Nothing is checked here."""
        return enc(["share-request", REQUEST_VERSION, salt, record, [[body, sig] for body, sig in entries]])

    @classmethod
    def check(cls, data: bytes, agency_pk: bytes) -> "ShareRequest":
        """Decodes the request `data`, by which the agency is asked for a person's share of a recovery sheet, and
        verifies it under the agency's public key `agency_pk`. It has the person's log and staff record. ▲ Reject with
        the log's codes for a bad log, "malformed", "encoding", "oversize", "format" or "old-format" for other bytes,
        "record" if the staff record is not the one that the agency bound to the log."""
        word, version, salt, record, rows = fields.array(dec(data, limit=MAX_REQUEST_BYTES), 5, "share request")
        if word != "share-request":
            raise Reject("malformed", "share request")
        fields.version(version, REQUEST_VERSION, "share request")
        entries = [fields.array(row, 2, "share request") for row in fields.items(rows, "share request")]
        most = MAX_REQUEST_BYTES
        signed = [(fields.blob(b, most, "entry"), fields.raw(s, _SIG_BYTES, "entry")) for b, s in entries]
        log = UserLog.replay(signed, agency_pk)
        raw = fields.blob(record, 4096, "staff record")
        if log.record_hash != record_hash(fields.blob(salt, 64, "salt"), raw):
            raise Reject("record", "share request")
        return cls(log=log, record=decode_record(raw))

    def open(self, key: KemKey) -> RecoveryShare:
        """Opens the share of the person's recovery sheet in force with `key`, the private escrow key. Reject `ended` if
        the agency has ended the log, `recovery-sheet` if there is no recovery sheet in force, `escrow` if the share is
        sealed to another escrow key, `decrypt` or `malformed` if the person sealed something else."""
        if self.log.ended is not None:
            raise Reject("ended", "share request")
        recovery_sheet = self.log.recovery_sheet
        if recovery_sheet is None or not self.log.recovery_sheet_in_force:
            raise Reject("recovery-sheet", "share request")
        if recovery_sheet.escrow != escrow_id(key.public):
            raise Reject("escrow", "share request")
        secret = key.open(share_info(self.log.uid, recovery_sheet.number), recovery_sheet.sealed)
        return RecoveryShare(fields.raw(secret, RECOVERY_SHEET_BYTES, "share"))
