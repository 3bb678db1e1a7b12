# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: a person's log, keys, record, recovery sheet and account."""

from typing import Any

import pytest

from sync.client.account.account_recovery import Attempt
from sync.client.account.account_secrets import Account
from sync.crypto import aead
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import Hash
from sync.trust.person import user_drafts, user_entry, user_log
from sync.trust.person.agency import (
    Agency,
    InviteCert,
    SignInCode,
    agency_fingerprint,
    decode_record,
    record_hash,
    verify_server_cert,
)
from sync.trust.person.author import open_puk, puk_info, puk_key, safety_number
from sync.trust.person.escrow_key import ShareRequest, certify_escrow, check_escrow
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare, ReturnCode
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import RECOVERY, UserLog
from tests.sync.vectors.stored import load, raw


def test_a_user_log_with_every_type_of_entry_replays(person: Any) -> None:
    log = UserLog(raw(person["agency_pk"]))
    types = set()
    for entry, head in zip(person["entries"], person["heads"], strict=True):
        types.add(log.apply(raw(entry["body"]), raw(entry["sig"])).type)
        assert log.head.hex() == head
    assert types == user_entry.TYPES
    assert log.uid.hex() == person["uid"]
    assert next(iter(log.devices)).hex() == person["dev"]
    assert log.ended_at(log.seq)
    assert not log.ended_at(log.seq - 1)
    assert safety_number(log.genesis, H(b"another")) == person["safety_number"]


def test_every_generation_opens_for_every_device_it_was_sealed_to(person: Any) -> None:
    log = UserLog.replay([(raw(e["body"]), raw(e["sig"])) for e in person["entries"]], raw(person["agency_pk"]))
    seeds = [raw(s) for s in person["puk_seeds"]]
    first = KemKey(raw(person["device_seeds"]["kem"]))
    second = KemKey(raw(person["second_device"]["kem_seed"]))
    recovery = KemKey(raw(person["recovery_seed"]))
    devices = list(log.devices)
    for puk, seed in zip(log.puks, seeds, strict=True):
        assert open_puk(puk, log.uid, devices[0], first) == seed
        assert puk_key(seed).public == puk.kem_pk
    for puk, seed in zip(log.puks[:3], seeds, strict=False):
        assert open_puk(puk, log.uid, devices[1], second) == seed
    for puk, seed in zip(log.puks[2:], seeds[2:], strict=True):
        sealed = dict(puk.seals)[user_log.RECOVERY]
        assert recovery.open(puk_info(log.uid, puk.gen, user_log.RECOVERY), sealed) == seed
    for puk, seed, old in zip(log.puks[1:], seeds[1:], seeds, strict=False):
        assert aead.decrypt(kdf(seed, "puk-prev"), ["puk-prev", log.uid, puk.gen], puk.prev_wrap) == old


def test_a_sign_in_code_reads_as_it_did(person: Any) -> None:
    code = SignInCode.parse(person["sign_in_code"])
    assert code.seed.hex() == person["sign_in_seed"]
    assert code.key.public.hex() == person["invite_pk"]
    assert code.agency == raw(person["agency_fingerprint"])[:16] == agency_fingerprint(raw(person["agency_pk"]))[:16]
    assert code.format() == person["sign_in_code"]


def test_certificates_and_a_staff_record_check(person: Any) -> None:
    agency_pk = raw(person["agency_pk"])
    cert = InviteCert.check(agency_pk, *map(raw, person["invite_cert"]))
    assert cert.invite_pk.hex() == person["invite_pk"]
    assert cert.record_hash == record_hash(raw(person["salt"]), raw(person["record"])) == raw(person["record_hash"])
    assert decode_record(raw(person["record"]))["unit"] == "Enheten för tillsyn 🙂"
    body, sig = map(raw, person["server_cert"])
    until = person["not_after_ms"]
    assert verify_server_cert(agency_pk, body, sig, until) == SigningKey(raw(person["server_seed"])).public
    with pytest.raises(Reject, match="expired"):
        verify_server_cert(agency_pk, body, sig, until + 1)
    assert check_escrow(agency_pk, *map(raw, person["escrow_cert"])) == KemKey(raw(person["escrow_seed"])).public


def test_the_agency_opens_a_share_as_it_did(person: Any) -> None:
    escrow = KemKey(raw(person["escrow_seed"]))
    made = certify_escrow(Agency(raw(person["agency_seed"])), escrow.public)
    assert [part.hex() for part in made] == person["escrow_cert"]
    asked = ShareRequest.check(raw(person["share_request"]), raw(person["agency_pk"]))
    share = asked.open(escrow)
    assert (share.format(), share.secret.hex()) == (person["share"], person["share_secret"])
    signed = [(raw(e["body"]), raw(e["sig"])) for e in person["entries"][: asked.log.seq + 1]]
    assert ShareRequest.encode(signed, raw(person["salt"]), raw(person["record"])) == raw(person["share_request"])


def test_an_account_opens(person: Any) -> None:
    account = Account.decode(raw(person["account"]))
    assert account.uid.hex() == person["uid"]
    assert account.dev.hex() == person["dev"]
    assert [account.puk_seeds[g].hex() for g in (1, 2, 3, 4)] == person["puk_seeds"]
    assert account.encode() == raw(person["account"])


def test_every_type_of_user_entry_decodes_alone(person: Any) -> None:
    for entry, head in zip(person["entries"], person["heads"], strict=True):
        decoded = UserEntry.decode(raw(entry["body"]))
        assert decoded.type == entry["type"]
        assert decoded.ident == Hash(raw(head))


def test_a_recovery_sheet_gives_the_same_keys(pairing: Any) -> None:
    vector = pairing["recovery_sheet"]
    pair = RecoveryPair(RecoveryCode.parse(vector["code"]), RecoveryShare.parse(vector["share"]))
    assert (pair.code.root.public.hex(), pair.kem.public.hex()) == (vector["root"], vector["kem"])
    assert (pair.code.format(), pair.share.format()) == (vector["code"], vector["share"])


def test_an_account_without_a_root_opens(pairing: Any) -> None:
    account = Account.decode(raw(pairing["account"]))
    assert (account.secrets.root, account.dev.hex(), sorted(account.puk_seeds)) == (b"", pairing["new"]["dev"], [1, 2])
    assert account.encode() == raw(pairing["account"])
    assert (account.recovery_sheet, account.vetoed) == (b"", ())


def test_a_person_who_came_back_by_the_recovery_sheet_is_read_the_same() -> None:
    vector = load("recovery")
    entries = [(raw(body), raw(sig)) for body, sig in vector["entries"]]
    log = UserLog.replay(entries, raw(vector["agency_pk"]))
    pair = RecoveryPair(RecoveryCode.parse(vector["recovery_sheet"]), RecoveryShare.parse(vector["share"]))
    user_drafts.check_pair(log, pair)
    asked = ShareRequest.check(
        ShareRequest.encode(entries, raw(vector["salt"]), raw(vector["record"])), raw(vector["agency_pk"])
    )
    assert asked.open(KemKey(raw(vector["escrow_seed"]))) == pair.share
    assert log.record_hash == record_hash(raw(vector["salt"]), raw(vector["record"]))
    assert [d.revoked is not None for d in log.devices.values()] == [True, False]
    seeds = user_drafts.open_generations(log, RECOVERY, pair.kem, {})
    assert {str(gen): seed.hex() for gen, seed in seeds.items()} == vector["puk_seeds"]
    attempt = Attempt.decode(raw(vector["attempt"]))
    assert (ReturnCode(attempt.code, attempt.recovery_sheet.share).format(), attempt.revoke) == (
        vector["attempt_code"],
        True,
    )
    assert attempt.recovery_sheet == pair
    assert attempt.encode() == raw(vector["attempt"])
    dev = next(reversed(log.devices))
    assert user_drafts.open_generations(log, dev, KemKey(attempt.secrets.kem), {}) == seeds
    account = Account.decode(raw(vector["account"]))
    assert (account.recovery_sheet, account.vetoed) == (pair.secret, (bytes([8] * 16),))
    assert SigningKey(account.secrets.root).public == log.genesis_root_pk
    assert account.encode() == raw(vector["account"])
