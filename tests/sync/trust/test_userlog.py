# SPDX-License-Identifier: EUPL-1.2
"""A person's signed log: what it takes in, in which order, and whom it believes."""

import os
from dataclasses import replace
from typing import Any

import pytest

from sync.crypto import seal
from sync.crypto.encoding import dec, enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.protocol.version import MAX_TIME_MS, MAX_USER_ENTRY_BYTES
from sync.trust.person.agency import Agency, SignInCode, encode_record, invite_id, record_hash
from sync.trust.person.author import DeviceSecrets, new_user, open_puk, puk_info, puk_key, puk_payload, safety_number
from sync.trust.person.user_entry import AGENCY, DOMAIN, ROOT, device_id, entry_body, entry_id
from sync.trust.person.user_log import MAX_DEVICES, NO_HEAD, UserLog
from tests.sync.trust.people import NOW, Office, Someone


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def clerk(office: Office) -> Someone:
    return office.hire("Handläggare Å")


def refused(someone: Someone, by: bytes | str, signing: SigningKey, kind: str, payload: object) -> str:
    """The code; the log is as it was."""
    before = (list(someone.log.heads), dict(someone.log.devices), list(someone.log.puks))
    with pytest.raises(Reject) as e:
        someone.log.apply(*someone.entry(by, signing, kind, payload))
    assert (someone.log.heads, someone.log.devices, someone.log.puks) == before
    return e.value.code


def me(someone: Someone) -> tuple[bytes, SigningKey]:
    return someone.author.dev, someone.author.signing


def test_a_new_person_is_bound_and_has_a_key_after_three_entries(office: Office, clerk: Someone) -> None:
    log = UserLog.replay(clerk.entries, office.agency.pk)
    assert (log.seq, log.ready, log.uid, len(log.devices)) == (2, True, log.genesis[:16], 1)
    assert open_puk(log.puks[0], log.uid, clerk.author.dev, KemKey(clerk.secrets.kem)) == clerk.puk_seed


@pytest.mark.parametrize("count", [1, 2])
def test_attack_nobody_is_ready_before_binding_and_key(office: Office, clerk: Someone, count: int) -> None:
    log = UserLog.replay(clerk.entries[:count], office.agency.pk)
    assert not log.ready
    assert not log.ready_at(2)


def test_attack_every_changed_byte_of_an_entry_is_refused(office: Office, clerk: Someone) -> None:
    for index, (body, sig) in enumerate(clerk.entries):
        for at in range(0, len(body), max(1, len(body) // 40)):
            log = UserLog.replay(clerk.entries[:index], office.agency.pk) if index else UserLog(office.agency.pk)
            with pytest.raises(Reject):
                log.apply(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :], sig)


def test_attack_entries_left_out_doubled_or_swapped_are_refused(office: Office, clerk: Someone) -> None:
    clerk.rotate_puk()
    a, b, c, d = clerk.entries
    for order in ([a, c], [a, b, b], [b, a], [a, b, d], [a, a]):
        with pytest.raises(Reject) as e:
            UserLog.replay(order, office.agency.pk)
        assert e.value.code in ("chain", "order")


def test_attack_another_agencys_binding_is_refused(clerk: Someone) -> None:
    with pytest.raises(Reject) as e:
        UserLog.replay(clerk.entries, Agency(os.urandom(32)).pk)
    assert e.value.code == "agency"


def test_attack_a_stolen_certificate_binds_nobody_without_its_key(office: Office) -> None:
    code, record = SignInCode.fresh(office.agency.pk), record_hash(b"s", encode_record({"name": "Registrator"}))
    cert = office.agency.certify_invite(code.key.public, record, NOW)
    thief = SignInCode(os.urandom(16), code.agency)
    with pytest.raises(Reject) as e:
        new_user(DeviceSecrets.fresh(), thief, office.agency.pk, cert, record, os.urandom(32), NOW)
    assert e.value.code == "binding"
    other = record_hash(b"s", encode_record({"name": "Enhetschef"}))
    with pytest.raises(Reject) as e:
        new_user(DeviceSecrets.fresh(), code, office.agency.pk, cert, other, os.urandom(32), NOW)
    assert e.value.code == "binding"


def test_the_uid_and_device_id_cover_the_genesis(clerk: Someone) -> None:
    log = clerk.log
    assert clerk.author.dev == device_id(log.genesis_root_pk, clerk.author.signing.public)
    assert device_id(os.urandom(32), clerk.author.signing.public) != clerk.author.dev


def genesis(root: SigningKey, device: SigningKey, kem: bytes, proof: bytes | None = None, **changes: Any) -> bytes:
    keys = [device.public, kem]
    made = proof or device.sign("dev-proof", [None, b"", keys, ROOT])
    payload = changes.get("payload", [root.public, keys, made])
    return entry_body(None, 0, NO_HEAD, changes.get("by", ROOT), NOW, "genesis", payload)


def apply_genesis(office: Office, root: SigningKey, body: bytes) -> UserLog:
    log = UserLog(office.agency.pk)
    log.apply(body, root.sign(DOMAIN, entry_id(body)))
    return log


def test_attack_a_device_proves_that_it_has_its_key(office: Office) -> None:
    root, device, other = (SigningKey(os.urandom(32)) for _ in range(3))
    kem = KemKey(os.urandom(32)).public
    apply_genesis(office, root, genesis(root, device, kem))
    for proof in (
        other.sign("dev-proof", [None, b"", [device.public, kem], ROOT]),
        device.sign("dev-proof", [b"x" * 16, b"", [device.public, kem], ROOT]),
        device.sign("dev-proof", [None, b"", [device.public, kem], AGENCY]),
    ):
        with pytest.raises(Reject) as e:
            apply_genesis(office, root, genesis(root, device, kem, proof))
        assert e.value.code == "signature"


def test_attack_keys_of_small_order_do_not_enter_a_log(office: Office) -> None:
    root, device, good = SigningKey(os.urandom(32)), SigningKey(os.urandom(32)), KemKey(os.urandom(32)).public
    identity = (1).to_bytes(32, "little")
    for payload in (
        [identity, [device.public, good], bytes(64)],
        [root.public, [identity, good], bytes(64)],
        [root.public, [device.public, good[:1184] + bytes(32)], bytes(64)],
    ):
        with pytest.raises(Reject) as e:
            apply_genesis(office, root, genesis(root, device, good, payload=payload))
        assert e.value.code == "bad-key"


def test_a_second_device_is_added_by_the_first_and_opens_the_same_key(clerk: Someone) -> None:
    tablet = clerk.add_device()
    assert clerk.log.devices.keys() == {clerk.author.dev, tablet.author.dev}
    assert tablet.log.device_active(tablet.author.dev, 2) is None
    assert tablet.log.device_active(tablet.author.dev, 3) is not None


def test_attack_a_device_is_added_once(clerk: Someone) -> None:
    dev, key = me(clerk)
    payload = clerk.device_payload(clerk.secrets, dev)
    assert refused(clerk, dev, key, "dev_add", payload) == "device-twice"


def test_attack_neither_the_agency_nor_a_stranger_adds_a_device(office: Office, clerk: Someone) -> None:
    fresh = DeviceSecrets.fresh()
    for by, key in ((AGENCY, office.agency.key), (b"x" * 16, SigningKey(os.urandom(32)))):
        assert refused(clerk, by, key, "dev_add", clerk.device_payload(fresh, by)) == "signer"
    assert refused(clerk, me(clerk)[0], clerk.root, "dev_add", clerk.device_payload(fresh, me(clerk)[0])) == "signature"


def test_attack_the_root_alone_adds_a_device_only_after_a_fresh_binding(office: Office, clerk: Someone) -> None:
    fresh = DeviceSecrets.fresh()
    assert refused(clerk, ROOT, clerk.root, "dev_add", clerk.device_payload(fresh, ROOT)) == "binding"
    bind_again(office, clerk)
    clerk.write(ROOT, clerk.root, "dev_add", clerk.device_payload(fresh, ROOT))
    again = DeviceSecrets.fresh()
    assert refused(clerk, ROOT, clerk.root, "dev_add", clerk.device_payload(again, ROOT)) == "binding", "one each"


def bind_again(office: Office, someone: Someone) -> None:
    code, record = SignInCode.fresh(office.agency.pk), record_hash(b"t", encode_record({"name": "Handläggare"}))
    cert = office.agency.certify_invite(code.key.public, record, NOW)
    payload = [office.agency.pk, *cert, record]
    someone.write(invite_id(code.key.public), code.key, "binding", payload)
    assert someone.log.record_hash == record


def test_a_new_generation_is_sealed_to_exactly_the_active_devices(clerk: Someone) -> None:
    dev, key = me(clerk)
    payload = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    gen, kem_pk, wrap, seals = payload
    assert isinstance(seals, list)
    for wrong in ([], [*seals, [b"x" * 16, bytes(1168)]], [*seals, *seals], [[b"recovery", bytes(1168)]]):
        assert refused(clerk, dev, key, "puk_rotate", [gen, kem_pk, wrap, wrong]) == "recipients"
    for wrong_gen in (1, 3):
        assert refused(clerk, dev, key, "puk_rotate", [wrong_gen, kem_pk, wrap, seals]) == "generation"
    assert refused(clerk, dev, key, "puk_rotate", [gen, kem_pk, b"", seals]) == "generation", "no link to the old seed"
    clerk.write(dev, key, "puk_rotate", payload)


def test_attack_a_seal_of_another_seed_than_the_published_key_is_found(clerk: Someone) -> None:
    log, kem = clerk.log, KemKey(clerk.secrets.kem)
    other = seal.seal_to(kem.public, puk_info(log.uid, 1, clerk.author.dev), os.urandom(32))
    forged = replace(log.puks[0], seals=((clerk.author.dev, other),))
    with pytest.raises(Reject) as e:
        open_puk(forged, log.uid, clerk.author.dev, kem)
    assert e.value.code == "puk"


def test_a_revocation_carries_the_next_generation_and_names_what_the_device_added(clerk: Someone) -> None:
    dev, key = me(clerk)
    tablet = clerk.add_device()
    phone = DeviceSecrets.fresh()
    clerk.write(tablet.author.dev, tablet.author.signing, "dev_add", clerk.device_payload(phone, tablet.author.dev))
    phone_dev = list(clerk.log.devices)[-1]
    gone = tablet.author.dev
    assert refused(clerk, dev, key, "dev_revoke", [gone, [phone_dev], None]) == "malformed"
    with_gone = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    assert refused(clerk, dev, key, "dev_revoke", [gone, [phone_dev], with_gone]) == "recipients"
    right = [with_gone[0], with_gone[1], with_gone[2], [s for s in with_gone[3] if s[0] != gone]]  # type: ignore[attr-defined]
    assert refused(clerk, dev, key, "dev_revoke", [gone, [], right]) == "added"
    clerk.write(dev, key, "dev_revoke", [gone, [phone_dev], right])
    assert clerk.log.device_active(gone, clerk.log.seq) is None
    assert clerk.log.device_active(gone, clerk.log.seq - 1) is not None
    assert clerk.log.puk_at(clerk.log.seq) == clerk.log.puks[-1]


def test_attack_a_younger_device_does_not_revoke_an_older(clerk: Someone) -> None:
    tablet = clerk.add_device()
    payload = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    seals = [s for s in payload[3] if s[0] != clerk.author.dev]  # type: ignore[attr-defined]
    args = [clerk.author.dev, [tablet.author.dev], [*payload[:3], seals]]
    assert refused(clerk, tablet.author.dev, tablet.author.signing, "dev_revoke", args) == "older"


def test_attack_a_revoked_device_signs_nothing_more(office: Office, clerk: Someone) -> None:
    tablet = clerk.add_device()
    clerk.revoke(1, office.agency)
    payload = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    assert refused(clerk, tablet.author.dev, tablet.author.signing, "puk_rotate", payload) == "signer"


def test_attack_after_the_agencys_revocation_no_older_generation_is_trusted(office: Office, clerk: Someone) -> None:
    clerk.add_device()
    clerk.revoke(1, office.agency)
    at = clerk.log.seq
    assert clerk.log.puk_at(at) is None
    assert clerk.log.puk_at(at - 1) is not None
    clerk.rotate_puk()
    assert clerk.log.puk_at(at) is None, "the answer for a position never changes"
    assert clerk.log.puk_at(at + 1) == clerk.log.puks[-1]


def test_a_device_may_change_its_sealing_key_and_stays_the_same(clerk: Someone) -> None:
    dev, key = me(clerk)
    new = KemKey(os.urandom(32))
    sealed = seal.seal_to(new.public, puk_info(clerk.log.uid, 1, dev), clerk.puk_seed)
    assert refused(clerk, ROOT, clerk.root, "dev_rekey", [new.public, 1, sealed]) == "signer"
    assert refused(clerk, dev, key, "dev_rekey", [new.public, 2, sealed]) == "generation"
    clerk.write(dev, key, "dev_rekey", [new.public, 1, sealed])
    assert clerk.log.devices[clerk.author.dev].kem_pk == new.public


def test_the_root_is_replaced_by_one_that_proves_itself(clerk: Someone) -> None:
    old, new = clerk.root, SigningKey(os.urandom(32))
    proof = new.sign("root-proof", [clerk.log.uid, clerk.log.head, new.public])
    assert refused(clerk, ROOT, old, "root_rotate", [new.public, bytes(64)]) == "signature"
    assert refused(clerk, *me(clerk), "root_rotate", [new.public, proof]) == "signer"
    clerk.write(ROOT, old, "root_rotate", [new.public, proof])
    again = old.sign("root-proof", [clerk.log.uid, clerk.log.head, old.public])
    assert refused(clerk, ROOT, old, "root_rotate", [old.public, again]) == "signature", "the old root is gone"


def test_a_recovery_key_gets_every_later_generation(clerk: Someone) -> None:
    recovery, seed = KemKey(os.urandom(32)), os.urandom(32)
    payload = clerk.recovery_payload(recovery.public, seed)
    assert refused(clerk, *me(clerk), "recovery_set", payload) == "signer"
    clerk.write(ROOT, clerk.root, "recovery_set", payload)
    clerk.puk_seed = seed
    clerk.rotate_puk()
    last = dict(clerk.log.puks[-1].seals)
    assert recovery.open(puk_info(clerk.log.uid, 3, b"recovery"), last[b"recovery"]) == clerk.puk_seed
    assert puk_key(clerk.puk_seed).public == clerk.log.puks[-1].kem_pk


def test_attack_a_reset_is_the_agencys_and_the_end(office: Office, clerk: Someone) -> None:
    assert refused(clerk, *me(clerk), "reset", []) == "signer"
    assert refused(clerk, AGENCY, clerk.root, "reset", []) == "signature"
    clerk.write(AGENCY, office.agency.key, "reset", [])
    assert not clerk.log.ready
    assert clerk.log.ready_at(2)
    assert clerk.log.device_active(clerk.author.dev, 3) is None
    assert refused(clerk, *me(clerk), "puk_rotate", puk_payload(clerk.log, bytes(32), bytes(32))) == "ended"


def test_attack_unknown_types_versions_and_even_extensions_are_refused(clerk: Someone) -> None:
    dev, key = me(clerk)
    assert refused(clerk, dev, key, "annat", []) == "format"
    body, _ = clerk.entry(dev, key, "puk_rotate", puk_payload(clerk.log, os.urandom(32), clerk.puk_seed))
    parts = dec(body, limit=1 << 20)
    assert isinstance(parts, list)
    for changed in ([2, *parts[1:]], [*parts[:-1], {2: b"x"}]):
        raw = enc(changed)
        with pytest.raises(Reject) as e:
            clerk.log.apply(raw, key.sign(DOMAIN, entry_id(raw)))
        assert e.value.code == "format"
    odd = enc([*parts[:-1], {1: b"x"}])
    clerk.log.apply(odd, key.sign(DOMAIN, entry_id(odd)))


def test_a_safety_number_is_the_same_on_both_sides_and_nobody_elses(office: Office, clerk: Someone) -> None:
    one, two, three = clerk.log.genesis, office.hire("Registrator").log.genesis, office.hire("Chef").log.genesis
    number = safety_number(one, two)
    assert number == safety_number(two, one)
    assert (len(number), number.isdigit()) == (60, True)
    assert len({number, safety_number(one, three), safety_number(two, three)}) == 3


def test_attack_so_many_devices_that_none_can_be_revoked_any_more(clerk: Someone) -> None:
    """A stolen device adds devices without end, until the seals of a revocation do not fit an entry."""
    while len(clerk.log.devices) < MAX_DEVICES:
        clerk.add_device()
    dev, key = me(clerk)
    assert refused(clerk, dev, key, "dev_add", clerk.device_payload(DeviceSecrets.fresh(), dev)) == "devices"
    last, new = list(clerk.log.devices)[-1], os.urandom(32)
    payload = [last, [], puk_payload(clerk.log, new, clerk.puk_seed, but=last)]
    assert len(clerk.entry(dev, key, "dev_revoke", payload)[0]) < MAX_USER_ENTRY_BYTES
    clerk.write(dev, key, "dev_revoke", payload)
    clerk.puk_seed = new
    clerk.add_device()


def test_attack_an_entry_of_a_time_that_no_calendar_shows_is_refused(clerk: Someone) -> None:
    dev, key = me(clerk)
    payload = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    for time, code in ((MAX_TIME_MS + 1, "malformed"), (2**64 - 1, "malformed"), (MAX_TIME_MS, None)):
        body = entry_body(clerk.uid, clerk.log.seq + 1, clerk.log.head, dev, time, "puk_rotate", payload)
        signed = body, key.sign(DOMAIN, entry_id(body))
        if code is None:
            clerk.log.apply(*signed)
            continue
        with pytest.raises(Reject) as e:
            clerk.log.apply(*signed)
        assert e.value.code == code


def test_a_log_knows_its_length_in_bytes(office: Office, clerk: Someone) -> None:
    clerk.rotate_puk()
    log = UserLog.replay(clerk.entries, office.agency.pk)
    assert log.size_bytes == sum(len(body) + len(sig) for body, sig in clerk.entries)
