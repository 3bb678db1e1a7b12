# SPDX-License-Identifier: EUPL-1.2
"""User logs, codes, certificates, a second device's messages, and what lies on one's own disk of an account."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.fuzz import samples
from tests.fuzz.target import Run, Target, coded, each


def _user_entry() -> Run:
    from sync.trust.person.user_entry import UserEntry

    return UserEntry.decode


def _user_log() -> Run:
    from sync.crypto.encoding import dec
    from sync.trust.person.user_entry import DOMAIN, entry_id
    from sync.trust.person.user_log import UserLog

    person = samples.person()
    keys = samples.person_keys()
    agency = bytes.fromhex(person["agency_pk"])
    entries = samples.entries(person)

    def run(data: bytes) -> None:
        """At the place in the log that it names, signed by whom it names."""
        parts = dec(data, limit=1 << 20)
        seq = parts[2] if isinstance(parts, list) and len(parts) == 9 and type(parts[2]) is int else 0
        log = UserLog(agency)
        for body, sig in entries[: min(seq, len(entries))]:
            log.apply(body, sig)
        before, by = list(log.heads), parts[4] if isinstance(parts, list) and len(parts) == 9 else None
        if by == "root" and seq > samples.ROOT_ROTATED:
            by = "second root"
        key = keys.get(by if isinstance(by, bytes | str) else None, keys["root"])
        try:
            log.apply(data, key.sign(DOMAIN, entry_id(data)))
        except Exception:
            assert log.heads == before
            raise

    return run


def _pairing() -> Run:
    """Each message of both ways, to the side that gets it; by code it is sealed as one who knows the code would."""
    from sync.crypto import seal
    from sync.crypto.encoding import enc
    from sync.crypto.seal import KemKey
    from sync.crypto.signatures import SigningKey
    from sync.ids import DevId, Hash
    from sync.trust.person.author import DeviceSecrets
    from sync.trust.person.pairing_messages import Cover, NewDevice, OldDevice, PairingCode
    from sync.trust.person.pairing_protocol import Admitting, Entering

    agency, code, kem = Hash(bytes(range(32))), PairingCode(bytes(15)), KemKey(bytes(32))
    secrets = DeviceSecrets(sign=bytes([3] * 32), kem=bytes([4] * 32), root=b"")
    new_kem = KemKey(secrets.kem)
    old = OldDevice.read(samples.old_device())
    sign_pk = SigningKey(secrets.sign).public
    new_device = NewDevice(sign_pk=sign_pk, kem_pk=new_kem.public, name="Dator", system="Debian")

    def entering(by: PairingCode | None) -> tuple[Entering, Any]:
        side, cover = Entering(agency, secrets, "Dator", "Debian", by), Cover(agency, by)
        cover.take("new", side.first(), 1)
        return side, cover

    def admitting(by: PairingCode | None) -> tuple[Admitting, Any]:
        new, cover = entering(by)
        side = Admitting(agency, kem, by)
        first = new.first() if by is None else None
        if first is None:
            fresh = Entering(agency, secrets, "Dator", "Debian", by)
            first = fresh.first()
            cover = Cover(agency, by)
            cover.take("new", first, 1)
        side.receive_first(first)
        cover.take("old", side.describe(old), 2)
        return side, cover

    def sealed(cover: Any, role: str, data: bytes) -> bytes:
        from sync.crypto import aead

        return aead.encrypt(cover._key(role), cover._context(role), data) if cover._code is not None else data

    def run(data: bytes) -> None:
        which, body = data[0] if data else 0, data[1:]
        by = code if which & 1 else None
        match which >> 1 & 3:
            case 0:
                Admitting(agency, kem, by).receive_first(sealed(Cover(agency, by), "new", body))
            case 1:
                new, cover = entering(by)
                new.answer(sealed(cover, "old", body))
            case 2:
                side, cover = admitting(by)
                if which & 8:
                    side.new = new_device
                    cover.note(side.ask_again(old.seq + 1, old.head))
                    side.check_again(sealed(cover, "new", body))
                else:
                    side.check(sealed(cover, "new", body))
            case _:
                new, _ = entering(by)
                new.old = old
                label = "enrol-moved" if which & 8 else "enrol-done"
                info = enc([label, old.uid, DevId(old.dev)])
                message = seal.seal_to(new_kem.public, info, body) if len(body) < 200 else body
                if new.prove_again(message) is None:
                    new.done(message)

    return run


def _codes() -> Run:
    from sync.errors import Reject
    from sync.trust.person.agency import SignInCode
    from sync.trust.person.pairing_messages import PairingCode
    from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryShare, ReturnCode

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for kind in (SignInCode, PairingCode, RecoveryCode, RecoveryShare, ReturnCode):
            try:
                parsed = kind.parse(text)
            except Reject as e:
                coded(e)
                continue
            assert kind.parse(parsed.format()) == parsed

    return run


def _certificates() -> Run:
    """Signed by the agency, whatever they say; and the server's word that it was restored."""
    from sync.errors import Reject
    from sync.trust.person.agency import InviteCert, verify_server_cert
    from sync.trust.person.escrow_key import check_escrow
    from sync.trust.room.restore_notice import DOMAIN, Restored

    key, pk = samples.agency().key, samples.agency().pk

    def run(data: bytes) -> None:
        checks: tuple[Callable[[], object], ...] = (
            lambda: InviteCert.check(pk, data, key.sign("invite", data)),
            lambda: verify_server_cert(pk, data, key.sign("server", data), 0),
            lambda: check_escrow(pk, data, key.sign("escrow", data)),
            lambda: Restored.check(pk, bytes(32), data, key.sign(DOMAIN, data)),
        )
        each(Reject, checks)

    return run


def _staff_record() -> Run:
    from sync.trust.person.agency import decode_record

    return decode_record


def _share_request() -> Run:
    """What the machine with the escrow key is given, by whoever carries it there; then its share."""
    from sync.crypto.seal import KemKey
    from sync.trust.person.escrow_key import ShareRequest

    pk, escrow = samples.agency().pk, KemKey(samples.raw(samples.person()["escrow_seed"]))

    def run(data: bytes) -> None:
        ShareRequest.check(data, pk).open(escrow)

    return run


def _invitations() -> Run:
    """A file of invitations, by whoever carries it to the server: refused with a sentence."""
    from io import BytesIO

    from sync.server.config import ConfigError
    from sync.server.operator.offline_invites import read_invitations

    pk = samples.agency().pk

    def run(data: bytes) -> None:
        try:
            read_invitations(BytesIO(data), "file", pk, samples.NOW)
        except ConfigError as e:
            if not str(e).startswith("file"):
                raise AssertionError("a refusal that does not name the file") from e

    return run


def _local() -> Run:
    """Bytes that lie in an encrypted store or a file of one's own: refused too, if they are damaged."""
    from sync.client.account import sealed_export
    from sync.client.account.account_recovery import Attempt
    from sync.client.account.account_secrets import Account
    from sync.errors import Reject

    def run(data: bytes) -> None:
        each(Reject, (partial(decode, data) for decode in (Account.decode, Attempt.decode, sealed_export.length)))

    return run


TARGETS = (
    Target(name="user-entry", make=_user_entry, seeds=samples.user_entries),
    Target(name="user-log", make=_user_log, seeds=samples.user_entries, share=3),
    Target(name="pairing", make=_pairing, seeds=samples.pairing_messages, share=3),
    Target(name="codes", make=_codes, seeds=samples.codes),
    Target(name="certificates", make=_certificates, seeds=samples.certificates, share=3),
    Target(name="staff-record", make=_staff_record, seeds=samples.staff_records),
    Target(name="share-request", make=_share_request, seeds=samples.share_requests, share=3),
    Target(name="invitations", make=_invitations, seeds=samples.invitation_files, share=3),
    Target(name="local", make=_local, seeds=samples.local),
)
