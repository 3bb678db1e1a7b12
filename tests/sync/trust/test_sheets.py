# SPDX-License-Identifier: EUPL-1.2
"""A recovery sheet and its share: neither opens anything without the other, even with the content of the server's disk.

The server's disk is the person's log here: all other content is sealed to the generations of that log.
"""

import os

import pytest

from sync.crypto.encoding import enc
from sync.crypto.kdf import kdf
from sync.crypto.seal import PUBLIC_BYTES, KemKey
from sync.errors import Reject
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, encode_record
from sync.trust.person.author import Entry
from sync.trust.person.escrow_key import ShareRequest, certify_escrow, check_escrow, escrow_id, seal_share, share_info
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare, ReturnCode
from sync.trust.person.user_entry import AGENCY
from sync.trust.person.user_log import RECOVERY, UserLog
from tests.sync.trust.people import NOW, Office, Someone
from tests.sync.trust.test_userdrafts import ESCROW, drawn, recovery_sheet, take

NAME = "Handläggare Å 🙂"
SALT, RECORD = b"salt" * 4, encode_record({"name": NAME, "title": "", "unit": "Enheten för tillsyn"})


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def clerk(office: Office) -> Someone:
    return office.hire(NAME)


def request(office: Office, someone: Someone, salt: bytes = SALT, record: bytes = RECORD) -> ShareRequest:
    """The request that the agency reads, from the data that the server exports."""
    return ShareRequest.check(ShareRequest.encode(someone.entries, salt, record), office.agency.pk)


def opens(someone: Someone, kem: KemKey) -> list[int]:
    """The generations that a key opens as the recovery key, regardless of what the log states about it."""
    return sorted(user_drafts.open_generations(someone.log, RECOVERY, kem, {}))


def code_of(failed: pytest.ExceptionInfo[Reject]) -> str:
    return failed.value.code


# -- what opens what ------------------------------------------------------------------------------------------------


def test_attack_a_recovery_sheet_and_the_servers_disk_open_nothing(clerk: Someone) -> None:
    """The attacker has the recovery sheet's code and everything that the server stores. No share of the attacker's own
    opens a generation, nor does any key that comes from the code alone."""
    pair = recovery_sheet(clerk)
    assert opens(clerk, pair.kem) == [1, 2]
    tries = [
        RecoveryPair(pair.code, RecoveryShare(bytes(17))),
        RecoveryPair(pair.code, RecoveryShare(pair.code.secret)),
    ]
    keys = [t.kem for t in tries] + [
        KemKey(kdf(pair.code.secret, label)) for label in ("recovery-kem", "recovery-kem-2")
    ]
    keys += [KemKey(pair.code.root_seed), KemKey(pair.code.secret + bytes(15))]
    assert [opens(clerk, key) for key in keys] == [[]] * 6
    assert clerk.log.recovery_sheet is not None
    for key in keys:  # nor does the sealed share open to anybody but the agency
        with pytest.raises(Reject, match="decrypt"):
            key.open(share_info(clerk.uid, 1), clerk.log.recovery_sheet.sealed)


def test_attack_the_agencys_secret_and_the_servers_disk_open_nothing(office: Office, clerk: Someone) -> None:
    """The attacker has the escrow key, so every share, and everything that the server stores, but no recovery sheet."""
    pair = recovery_sheet(clerk)
    share = request(office, clerk).open(ESCROW)
    assert share == pair.share
    tries = [RecoveryPair(RecoveryCode(bytes(17)), share), RecoveryPair(RecoveryCode(share.secret), share)]
    keys = [t.kem for t in tries] + [ESCROW, KemKey(kdf(share.secret, "recovery-kem-2"))]
    assert [opens(clerk, key) for key in keys] == [[]] * 4


def test_attack_no_share_gives_the_root_key(clerk: Someone) -> None:
    """The root key depends on the code alone: another share does not change it, and no key derived from a share equals
    it."""
    pair, other = drawn(), RecoveryShare.fresh()
    assert RecoveryPair(pair.code, other).code.root.public == pair.code.root.public
    assert RecoveryPair(pair.code, other).kem.public != pair.kem.public
    assert kdf(pair.share.secret, "recovery-root") != pair.code.root_seed
    assert pair.code.root_seed == kdf(pair.code.secret, "recovery-root")
    assert RecoveryCode(pair.share.secret).root.public != pair.code.root.public


def test_attack_a_recovery_sheet_that_was_replaced_opens_nothing_newer(clerk: Someone) -> None:
    """An attacker found the recovery sheet and has its share: once another recovery sheet replaces it, it opens no
    later key."""
    old = recovery_sheet(clerk)
    newer = recovery_sheet(clerk, old.code.root)
    clerk.rotate_puk()
    assert opens(clerk, newer.kem) == [1, 2, 3, 4]
    assert opens(clerk, old.kem) == [1, 2]
    sealed = {puk.gen: dict(puk.seals).get(RECOVERY) for puk in clerk.log.puks}
    for gen, opened in ((2, True), (3, False), (4, False)):
        info = enc(["puk", clerk.uid, gen, RECOVERY])
        try:
            old.kem.open(info, sealed[gen] or b"")
            assert opened
        except Reject:
            assert not opened


def test_attack_a_share_of_another_person_or_of_an_earlier_recovery_sheet_is_refused(
    office: Office, clerk: Someone
) -> None:
    registrar = office.hire("Registrator")
    first, theirs = recovery_sheet(clerk), recovery_sheet(registrar)
    second = recovery_sheet(clerk, first.code.root)
    user_drafts.check_pair(clerk.log, second)
    for share in (theirs.share, first.share, RecoveryShare.fresh()):
        with pytest.raises(Reject) as e:
            user_drafts.check_pair(clerk.log, RecoveryPair(second.code, share))
        assert code_of(e) == "share"
    for replaced in (first, theirs):
        with pytest.raises(Reject) as e:
            user_drafts.check_pair(clerk.log, replaced)
        assert code_of(e) == "recovery-sheet"


# -- at the agency --------------------------------------------------------------------------------------------------


def test_attack_a_share_opens_for_the_person_and_the_recovery_sheet_that_it_was_sealed_for(
    office: Office, clerk: Someone
) -> None:
    """The server cannot have one person's share opened in another person's name, nor an earlier share as the newest."""
    pair = drawn()
    sealed = seal_share(ESCROW.public, clerk.uid, 2, pair.share)
    assert ESCROW.open(share_info(clerk.uid, 2), sealed) == pair.share.secret
    for info in (share_info(clerk.uid, 1), share_info(office.hire("Registrator").uid, 2)):
        with pytest.raises(Reject, match="decrypt"):
            ESCROW.open(info, sealed)


def test_the_agency_opens_the_share_of_the_recovery_sheet_in_force(office: Office, clerk: Someone) -> None:
    with pytest.raises(Reject) as e:
        request(office, clerk).open(ESCROW)
    assert code_of(e) == "recovery-sheet"
    first = recovery_sheet(clerk)
    assert request(office, clerk).open(ESCROW) == first.share
    asked = request(office, clerk)
    assert (asked.record["name"], asked.log.uid) == (NAME, clerk.uid)
    second = recovery_sheet(clerk, first.code.root)
    assert request(office, clerk).open(ESCROW) == second.share
    with pytest.raises(Reject) as e:
        request(office, clerk).open(KemKey(os.urandom(32)))
    assert code_of(e) == "escrow"


def test_no_share_is_opened_of_a_recovery_sheet_that_is_not_whole_or_after_a_reset(
    office: Office, clerk: Someone
) -> None:
    old = recovery_sheet(clerk)
    take(clerk, user_drafts.replace_root(clerk.log, old.code.root, drawn().code.root, NOW))
    with pytest.raises(Reject) as e:
        request(office, clerk).open(ESCROW)
    assert code_of(e) == "recovery-sheet"
    clerk.write(AGENCY, office.agency.key, "reset", [])
    with pytest.raises(Reject) as e:
        request(office, clerk).open(ESCROW)
    assert code_of(e) == "ended"


def test_attack_a_request_proves_whose_it_is(office: Office, clerk: Someone) -> None:
    """A log that another agency bound, one that was cut, another person's record, and bytes that are no request."""
    recovery_sheet(clerk)
    whole, pk = ShareRequest.encode(clerk.entries, SALT, RECORD), office.agency.pk
    other = encode_record({"name": "Registrator", "title": "", "unit": ""})
    cut: list[Entry] = [clerk.entries[0], *clerk.entries[2:]]
    for data, agency_pk, code in (
        (whole, Agency(bytes(32)).pk, "agency"),
        (ShareRequest.encode(cut, SALT, RECORD), pk, "chain"),
        (ShareRequest.encode(clerk.entries, SALT, other), pk, "record"),
        (ShareRequest.encode(clerk.entries, b"other", RECORD), pk, "record"),
        (enc(["sealed-export", 1, SALT, RECORD, []]), pk, "malformed"),
        (enc(["share-request", 2, SALT, RECORD, []]), pk, "format"),
        (enc(["share-request", 1, SALT, RECORD, []]), pk, "malformed"),
        (b"\x80", pk, "malformed"),
    ):
        with pytest.raises(Reject) as e:
            ShareRequest.check(data, agency_pk)
        assert code_of(e) == code


def test_attack_nothing_is_sealed_to_a_key_that_the_agency_did_not_certify(office: Office) -> None:
    body, sig = certify_escrow(office.agency, ESCROW.public)
    assert check_escrow(office.agency.pk, body, sig) == ESCROW.public
    assert escrow_id(ESCROW.public) != escrow_id(KemKey(os.urandom(32)).public)
    mine = certify_escrow(Agency(os.urandom(32)), ESCROW.public)
    unusable = enc([ESCROW.public[:1184] + bytes(32)])
    for signed, code in (
        (mine, "signature"),
        ((body, bytes(64)), "signature"),
        ((unusable, office.agency.key.sign("escrow", unusable)), "bad-key"),
        ((enc([bytes(31)]), office.agency.key.sign("escrow", enc([bytes(31)]))), "malformed"),
    ):
        with pytest.raises(Reject) as e:
            check_escrow(office.agency.pk, *signed)
        assert code_of(e) == code
    assert len(ESCROW.public) == PUBLIC_BYTES


# -- as it is typed -------------------------------------------------------------------------------------------------


def test_a_return_code_is_the_sign_in_code_and_the_share_in_one_go(office: Office) -> None:
    both = ReturnCode(SignInCode.fresh(office.agency.pk), RecoveryShare.fresh())
    assert [len(line.replace("-", "")) for line in both.format().splitlines()] == [56, 28]
    for typed in (both.format(), both.format().replace("\n", " ").lower(), both.format().replace("-", "")):
        assert ReturnCode.parse(typed) == both
    assert both.share.secret.hex() not in repr(both)


def test_what_is_mistyped_or_missing_of_a_return_code_is_named() -> None:
    # Fixed secrets: of random ones every thousandth printed code has a share's checksum too.
    code, share = SignInCode(bytes(16), bytes(16)).format(), RecoveryShare(bytes(17)).format()
    on_paper = RecoveryCode(bytes(17)).format()
    mistyped = ("1" if code[0] == "0" else "0") + code[1:]
    for typed, refusal in (
        (code, "share-missing"),
        ("", "code"),
        (f"{mistyped} {share}", "code"),
        (f"{share}\n{code}", "code"),
        (f"{code} {share[:-1]}", "share-code"),
        (f"{code} {share} {share}", "share-code"),
        (f"{code} {on_paper}", "share-code"),
    ):
        with pytest.raises(Reject) as e:
            ReturnCode.parse(typed)
        assert code_of(e) == refusal


def test_a_recovery_sheet_of_format_1_is_distinguished_from_a_mistyped_one() -> None:
    with pytest.raises(Reject) as e:
        RecoveryCode.parse("0000-0000-0000-0000-0000-0000-00ZS")
    assert code_of(e) == "recovery-sheet-format"
    with pytest.raises(Reject) as e:
        RecoveryCode.parse("0000-0000-0000-0000-0000-0000-00ZT")
    assert code_of(e) == "code"


def test_a_log_is_the_same_read_from_its_entries(office: Office, clerk: Someone) -> None:
    recovery_sheet(clerk)
    again = UserLog.replay(clerk.entries, office.agency.pk)
    assert again.recovery_sheet == clerk.log.recovery_sheet
    assert again.recovery_sheet_in_force
