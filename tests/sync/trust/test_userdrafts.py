# SPDX-License-Identifier: EUPL-1.2
"""The entries that a person makes in their own log, and what is recovered with the recovery sheet."""

import os
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId
from sync.trust.person import user_drafts
from sync.trust.person.agency import SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, puk_key
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare
from sync.trust.person.user_drafts import Hand, RecoveryPlan, new_recovery_sheet, recovery_entries
from sync.trust.person.user_entry import ROOT
from sync.trust.person.user_log import RECOVERY, SEAL_BYTES, UserLog
from tests.sync.trust.people import NOW, Office, Someone

ESCROW = KemKey(bytes(range(32)))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def clerk(office: Office) -> Someone:
    return office.hire("Handläggare Å")


def hand(someone: Someone) -> Hand:
    return Hand(someone.author.dev, someone.author.signing, {len(someone.log.puks): someone.puk_seed})


def take(someone: Someone, entry: tuple[bytes, bytes]) -> None:
    someone.log.apply(*entry)
    someone.entries.append(entry)


def drawn() -> RecoveryPair:
    """The code and the share of a recovery sheet that is not yet anybody's."""
    return RecoveryPair(RecoveryCode.fresh(), RecoveryShare.fresh())


def recovery_sheet(someone: Someone, root: SigningKey | None = None) -> RecoveryPair:
    """Puts a recovery sheet in force: the root and recovery key become its own, and it brings the next PUK
    generation."""
    pair, seeds = drawn(), {len(someone.log.puks): someone.puk_seed}
    for entry in new_recovery_sheet(someone.log, root or someone.root, pair, ESCROW.public, seeds, NOW):
        take(someone, entry)
    dev, kem = someone.author.dev, KemKey(someone.secrets.kem)
    someone.puk_seed = user_drafts.open_generations(someone.log, dev, kem, seeds)[len(someone.log.puks)]
    return pair


def test_a_revocation_carries_a_key_that_the_revoked_device_cannot_open(clerk: Someone) -> None:
    tablet = clerk.add_device()
    entry, seed = user_drafts.revoke(clerk.log, hand(clerk), tablet.author.dev, NOW)
    take(clerk, entry)
    assert clerk.log.device_active(tablet.author.dev, clerk.log.seq) is None
    assert puk_key(seed).public == clerk.log.puks[-1].kem_pk
    mine = user_drafts.open_generations(clerk.log, clerk.author.dev, KemKey(clerk.secrets.kem), {})
    assert mine == {1: clerk.puk_seed, 2: seed}
    assert list(user_drafts.open_generations(clerk.log, tablet.author.dev, KemKey(tablet.secrets.kem), {})) == [1]


def test_attack_a_younger_device_revokes_no_older_one_but_itself(clerk: Someone) -> None:
    tablet = clerk.add_device()
    tablet_hand = Hand(tablet.author.dev, tablet.author.signing, {1: clerk.puk_seed})
    with pytest.raises(Reject) as e:
        user_drafts.revoke(clerk.log, tablet_hand, clerk.author.dev, NOW)
    assert e.value.code == "older"
    take(clerk, user_drafts.revoke(clerk.log, tablet_hand, tablet.author.dev, NOW)[0])
    with pytest.raises(Reject) as e:
        user_drafts.revoke(clerk.log, hand(clerk), tablet.author.dev, NOW)
    assert e.value.code == "device"


def test_after_the_agencys_revocation_a_newer_generation_is_made(office: Office, clerk: Someone) -> None:
    tablet = clerk.add_device()
    take(clerk, user_drafts.revoke_by_agency(clerk.log, office.agency, tablet.author.dev, NOW))
    assert clerk.log.puk_at(clerk.log.seq) is None
    entry, seed = user_drafts.rotate_puk(clerk.log, hand(clerk), NOW)
    take(clerk, entry)
    puk = clerk.log.puk_at(clerk.log.seq)
    assert puk is not None
    assert puk.kem_pk == puk_key(seed).public
    with pytest.raises(Reject) as e:
        user_drafts.revoke_by_agency(clerk.log, office.agency, tablet.author.dev, NOW)
    assert e.value.code == "device"


def test_a_reset_ends_the_log(office: Office, clerk: Someone) -> None:
    take(clerk, user_drafts.reset(clerk.log, office.agency, NOW))
    assert not clerk.log.ready
    assert clerk.log.device_active(clerk.author.dev, clerk.log.seq) is None


def test_without_the_generation_in_force_nothing_is_built(clerk: Someone) -> None:
    poor = Hand(clerk.author.dev, clerk.author.signing, {})
    with pytest.raises(Reject) as e:
        user_drafts.rotate_puk(clerk.log, poor, NOW)
    assert e.value.code == "puk"
    assert "Hand(" in repr(poor)
    assert clerk.puk_seed.hex() not in repr(hand(clerk))


def test_from_the_recovery_sheet_and_its_share_everything_comes_back(office: Office, clerk: Someone) -> None:
    """Every device is lost: the agency revokes it and binds the person once more, and the recovery sheet's root adds a
    new one, which opens every generation, also those made before the recovery sheet."""
    clerk.rotate_puk()
    pair = recovery_sheet(clerk)
    clerk.rotate_puk()
    take(clerk, user_drafts.revoke_by_agency(clerk.log, office.agency, clerk.author.dev, NOW))

    code = RecoveryCode.parse(pair.code.format().lower().replace("-", " "))
    typed = RecoveryPair(code, RecoveryShare.parse(pair.share.format()))
    log = UserLog.replay(clerk.entries, office.agency.pk)
    seeds = user_drafts.open_generations(log, RECOVERY, typed.kem, {})
    assert sorted(seeds) == [1, 2, 3, 4]
    assert seeds[4] == clerk.puk_seed
    invitation = SignInCode.fresh(office.agency.pk)
    record = record_hash(b"s" * 16, encode_record({"name": "Handläggare Å"}))
    cert = office.agency.certify_invite(invitation.key.public, record, NOW + 1)
    log.apply(*user_drafts.bind_again(log, invitation, office.agency.pk, cert, record, NOW))
    laptop = DeviceSecrets.fresh()
    signing, kem = SigningKey(laptop.sign), KemKey(laptop.kem)
    keys: list[object] = [signing.public, kem.public]
    proof = signing.sign("dev-proof", [log.uid, log.head, keys, ROOT])
    root = Hand(ROOT, typed.code.root, seeds)
    log.apply(*user_drafts.admit(log, root, signing.public, kem.public, proof, NOW))
    dev = list(log.devices)[-1]
    entry, seed = user_drafts.rotate_puk(log, root, NOW)
    log.apply(*entry)
    assert user_drafts.open_generations(log, dev, kem, {}) == {**seeds, 5: seed}
    assert user_drafts.open_generations(log, clerk.author.dev, KemKey(clerk.secrets.kem), {}).keys() == {1, 2, 3, 4}


def test_attack_the_root_adds_nothing_without_a_fresh_binding(office: Office, clerk: Someone) -> None:
    code = recovery_sheet(clerk).code
    laptop = DeviceSecrets.fresh()
    signing, kem = SigningKey(laptop.sign), KemKey(laptop.kem)
    keys: list[object] = [signing.public, kem.public]
    proof = signing.sign("dev-proof", [clerk.log.uid, clerk.log.head, keys, ROOT])
    root = Hand(ROOT, code.root, {2: clerk.puk_seed})
    entry = user_drafts.admit(clerk.log, root, signing.public, kem.public, proof, NOW)
    with pytest.raises(Reject) as e:
        clerk.log.apply(*entry)
    assert e.value.code == "binding"


def test_attack_the_old_root_means_nothing_once_the_recovery_sheet_is_made(clerk: Someone) -> None:
    old = clerk.root
    recovery_sheet(clerk)
    with pytest.raises(Reject) as e:
        clerk.log.apply(*user_drafts.replace_root(clerk.log, old, SigningKey(os.urandom(32)), NOW))
    assert e.value.code == "signature"


def test_attack_a_recovery_sheet_of_an_older_root_brings_nobody_back(office: Office, clerk: Someone) -> None:
    old, invitation = recovery_sheet(clerk), SignInCode.fresh(office.agency.pk)
    newer, seeds = recovery_sheet(clerk, old.code.root), {3: clerk.puk_seed}
    assert new_recovery_sheet(clerk.log, old.code.root, newer, ESCROW.public, seeds, NOW) == []
    with pytest.raises(Reject) as e:
        new_recovery_sheet(clerk.log, old.code.root, drawn(), ESCROW.public, seeds, NOW)
    assert e.value.code == "recovery-sheet"
    record = record_hash(b"s" * 16, encode_record({"name": "Handläggare Å"}))
    cert = office.agency.certify_invite(invitation.key.public, record, NOW + 1)
    secrets = DeviceSecrets.without_root()
    plan = partial(RecoveryPlan, code=invitation, cert=cert, record=record, secrets=secrets)
    with pytest.raises(Reject) as e:
        user_drafts.recovery_entries(clerk.log, plan(pair=old), NOW)
    assert e.value.code == "recovery-sheet"
    user_drafts.recovery_entries(clerk.log, plan(pair=newer), NOW)
    assert clerk.log.root_pk == newer.code.root.public


def test_attack_another_recovery_sheet_opens_nothing(clerk: Someone) -> None:
    recovery_sheet(clerk)
    assert user_drafts.open_generations(clerk.log, RECOVERY, drawn().kem, {}) == {}


def test_attack_a_wrapped_key_that_is_not_the_published_one_is_left_out(office: Office) -> None:
    clerk = office.hire("Handläggare Ö")
    clerk.puk_seed = os.urandom(32)  # the next generation will wrap this instead
    clerk.rotate_puk()
    known = {2: clerk.puk_seed}
    assert user_drafts.open_generations(clerk.log, DevId(b"x" * 16), KemKey(clerk.secrets.kem), known) == known
    clerk.log.puks[1] = replace(clerk.log.puks[1], prev_wrap=os.urandom(80))
    assert user_drafts.open_generations(clerk.log, DevId(b"x" * 16), KemKey(clerk.secrets.kem), known) == known


def spoil(someone: Someone) -> None:
    """Makes, with this device, a PUK generation that nobody can open."""
    seals: list[object] = [[bytes(d.dev), os.urandom(SEAL_BYTES)] for d in someone.log.devices.values()]
    if someone.log.recovery_pk is not None:
        seals.append([RECOVERY, os.urandom(SEAL_BYTES)])
    payload = [len(someone.log.puks) + 1, KemKey(os.urandom(32)).public, os.urandom(80), seals]
    someone.write(someone.author.dev, someone.author.signing, "puk_rotate", payload)


def test_attack_a_generation_that_a_stolen_device_spoilt_stops_neither_revocation_nor_the_next_key(
    clerk: Someone,
) -> None:
    tablet, kem = clerk.add_device(), KemKey(clerk.secrets.kem)
    clerk.rotate_puk()
    before = user_drafts.open_generations(clerk.log, clerk.author.dev, kem, {})
    spoil(tablet)
    spoil(tablet)
    mine = user_drafts.open_generations(clerk.log, clerk.author.dev, kem, before)
    assert mine == before
    assert sorted(mine) == [1, 2]
    with pytest.raises(Reject, match="puk"):  # a device gives on what it has, and makes the next one first
        user_drafts.admit(clerk.log, Hand(clerk.author.dev, clerk.author.signing, mine), b"", b"", b"", NOW)
    own = Hand(clerk.author.dev, clerk.author.signing, mine)
    entry, seed = user_drafts.revoke(clerk.log, own, tablet.author.dev, NOW)
    take(clerk, entry)
    assert user_drafts.open_generations(clerk.log, clerk.author.dev, kem, mine) == {**mine, 5: seed}
    newcomer = user_drafts.open_generations(clerk.log, DevId(b"x" * 16), kem, {5: seed})
    assert sorted(newcomer) == [1, 2, 5], "the next one wraps the newest that opens, and so on back"


def test_attack_a_seed_that_could_not_be_kept_is_left_out(clerk: Someone) -> None:
    """A seed of 100 bytes: an account that stored it could not be read at the next start."""
    long = os.urandom(100)
    seals: list[object] = [[bytes(clerk.author.dev), os.urandom(SEAL_BYTES)]]
    payload = [2, puk_key(long).public, os.urandom(80), seals]
    clerk.write(clerk.author.dev, clerk.author.signing, "puk_rotate", payload)
    clerk.puk_seed = long
    clerk.rotate_puk()
    found = user_drafts.open_generations(clerk.log, clerk.author.dev, KemKey(clerk.secrets.kem), {})
    assert sorted(found) == [1, 3]
    assert {len(seed) for seed in found.values()} == {user_drafts.SEED_BYTES}


def test_attack_the_recovery_sheet_brings_a_person_back_behind_a_spoilt_generation(
    office: Office, clerk: Someone
) -> None:
    pair = recovery_sheet(clerk)
    spoil(clerk)
    code = SignInCode.fresh(office.agency.pk)
    record = record_hash(b"s" * 16, encode_record({"name": "Handläggare Å"}))
    cert = office.agency.certify_invite(code.key.public, record, NOW + 1)
    log, secrets = UserLog.replay(clerk.entries, office.agency.pk), DeviceSecrets.without_root()
    back = RecoveryPlan(pair=pair, code=code, cert=cert, record=record, secrets=secrets, revoke=(clerk.author.dev,))
    _, seeds = user_drafts.recovery_entries(log, back, NOW)
    dev, kem = list(log.devices)[-1], KemKey(secrets.kem)
    assert sorted(seeds) == [1, 2, 4]
    assert sorted(user_drafts.open_generations(log, dev, kem, {})) == [1, 2, 4]


@given(st.integers(0, 2**130 - 1))
def test_a_recovery_sheets_code_is_28_letters_and_reads_as_it_was_written(number: int) -> None:
    code = RecoveryCode(number.to_bytes(17, "big"))
    assert len(code.format().replace("-", "")) == 28
    assert RecoveryCode.parse(code.format()) == code
    assert code.secret.hex() not in repr(code)


def test_fresh_codes_are_of_130_bits_and_differ() -> None:
    codes = {RecoveryCode.fresh().secret for _ in range(200)}
    assert len(codes) == 200
    assert max(code[0] for code in codes) == 3  # two bits over sixteen bytes


def test_a_recovery_sheets_code_is_no_pairing_code_and_mistakes_are_refused() -> None:
    shown = RecoveryCode(bytes(range(17))).format()  # fixed: a thousandth of random ones pass a checksum
    for wrong in (shown[:-1], shown[5:] + shown[:5], "0" * 28, shown.replace(shown[0], "U", 1)):
        with pytest.raises(Reject) as e:
            RecoveryCode.parse(wrong)
        assert e.value.code == "code"


def plan_of(office: Office, pair: RecoveryPair, *revoke: DevId) -> RecoveryPlan:
    """The recovery plan of a new activation code, the recovery sheet and its share."""
    sign_in = SignInCode.fresh(office.agency.pk)
    record = record_hash(b"salt" * 4, encode_record({"name": "Handläggare Å", "title": "", "unit": ""}))
    cert = office.agency.certify_invite(sign_in.key.public, record, NOW + 10**9)
    return RecoveryPlan(
        pair=pair, code=sign_in, cert=cert, record=record, secrets=DeviceSecrets.without_root(), revoke=revoke
    )


def test_the_recovery_sheet_brings_a_person_back_and_ends_the_devices_that_are_gone(
    office: Office, clerk: Someone
) -> None:
    gone = clerk.author.dev
    pair = recovery_sheet(clerk)
    entries, seeds = recovery_entries(clerk.log, plan_of(office, pair, gone), NOW)
    assert len(entries) == 3
    assert clerk.log.device_active(gone, clerk.log.seq) is None
    assert [d.revoked for d in clerk.log.devices.values()][1:] == [None]
    assert [puk_key(seeds[p.gen]).public for p in clerk.log.puks] == [p.kem_pk for p in clerk.log.puks]
    assert clerk.log.root_pk == pair.code.root.public


def test_attack_another_recovery_sheet_brings_nobody_back(office: Office, clerk: Someone) -> None:
    recovery_sheet(clerk)
    with pytest.raises(Reject) as e:
        recovery_entries(clerk.log, plan_of(office, drawn()), NOW)
    assert e.value.code == "recovery-sheet"


def test_a_recovery_sheet_is_made_as_far_as_it_is_not_yet(office: Office, clerk: Someone) -> None:
    pair, seeds, to = drawn(), {1: clerk.puk_seed}, ESCROW.public
    assert len(new_recovery_sheet(clerk.log, clerk.root, pair, to, seeds, NOW)) == 2
    take(clerk, new_recovery_sheet(clerk.log, clerk.root, pair, to, seeds, NOW)[0])
    assert not clerk.log.recovery_sheet_in_force
    with pytest.raises(Reject, match="recovery-sheet"):
        recovery_entries(clerk.log, plan_of(office, pair), NOW)
    (rest,) = new_recovery_sheet(clerk.log, clerk.root, pair, to, seeds, NOW)
    take(clerk, rest)
    assert clerk.log.recovery_sheet_in_force
    assert new_recovery_sheet(clerk.log, clerk.root, pair, to, seeds, NOW) == []
    with pytest.raises(Reject) as e:
        new_recovery_sheet(clerk.log, clerk.root, drawn(), to, seeds, NOW)
    assert e.value.code == "recovery-sheet"
