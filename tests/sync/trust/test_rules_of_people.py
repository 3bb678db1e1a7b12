# SPDX-License-Identifier: EUPL-1.2
"""Rules of user logs, one by one (PROTOCOL.md, "Rules and their tests"): keys, devices, generations, readiness."""

import os

import pytest

from sync.crypto.encoding import enc
from sync.crypto.seal import OVERHEAD_BYTES, KemKey, seal_to
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.protocol.version import MAX_OP_BYTES
from sync.trust.formats import fields
from sync.trust.formats.items import ENTRY, RH_0, Item, item_id
from sync.trust.person.agency import InviteCert, SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, new_user, puk_info, puk_payload
from sync.trust.person.user_entry import DOMAIN, ROOT, UserEntry, entry_body, entry_id
from sync.trust.person.user_log import UserLog
from sync.trust.room.entries import DOMAIN as ROOM_LOG
from sync.trust.room.entries import NO_PREV, RoomEntry
from sync.trust.room.entries import entry_body as room_body
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW, Office, Someone
from tests.sync.trust.test_userlog import bind_again, me, refused
from tests.sync.trust.verdicts import ops_by, void

IDENTITY = (1).to_bytes(32, "little")
"""The point of order one: one fixed signature verifies under it."""


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def clerk(office: Office) -> Someone:
    return office.hire("Handläggare Å")


def unusable() -> bytes:
    """A sealing key whose X25519 part gives a zero secret with every other key."""
    return KemKey(os.urandom(32)).public[:1184] + bytes(32)


def seal_of(someone: Someone, public: bytes, to: bytes) -> bytes:
    """The PUK seed in force, sealed to a key."""
    return seal_to(public, puk_info(someone.log.uid, len(someone.log.puks), to), someone.puk_seed)


def test_attack_no_entry_brings_a_key_that_nobody_may_use(office: Office, clerk: Someone) -> None:
    dev, key = me(clerk)
    gen, _, wrap, seals = puk_payload(clerk.log, os.urandom(32), clerk.puk_seed)
    blank = bytes(OVERHEAD_BYTES + 32)
    proof = SigningKey(os.urandom(32)).sign("root-proof", [clerk.log.uid, clerk.log.head, IDENTITY])
    assert refused(clerk, dev, key, "puk_rotate", [gen, unusable(), wrap, seals]) == "bad-key"
    assert refused(clerk, dev, key, "dev_rekey", [unusable(), 1, blank]) == "bad-key"
    payload = clerk.recovery_payload(KemKey(os.urandom(32)).public, os.urandom(32))
    assert refused(clerk, ROOT, clerk.root, "recovery_set", [2, unusable(), *payload[2:]]) == "bad-key"
    assert refused(clerk, ROOT, clerk.root, "root_rotate", [IDENTITY, proof]) == "bad-key"
    cert = office.agency.certify_invite(IDENTITY, record_hash(b"s", b""), NOW)
    with pytest.raises(Reject) as e:
        InviteCert.check(office.agency.pk, *cert)
    assert e.value.code == "bad-key"


def test_attack_a_devices_proof_holds_for_one_place_of_one_log(clerk: Someone) -> None:
    dev, key = me(clerk)
    old = clerk.device_payload(DeviceSecrets.fresh(), dev)
    clerk.rotate_puk()
    assert refused(clerk, dev, key, "dev_add", [*old[:2], 2, old[3]]) == "signature"
    for_root = clerk.device_payload(DeviceSecrets.fresh(), ROOT)
    assert refused(clerk, dev, key, "dev_add", for_root) == "signature"


def test_attack_a_device_comes_with_the_generation_in_force_and_a_recovery_sheet_with_the_next(
    office: Office, clerk: Someone
) -> None:
    dev, key = me(clerk)
    keys, proof, gen, sealed = clerk.device_payload(DeviceSecrets.fresh(), dev)
    assert refused(clerk, dev, key, "dev_add", [keys, proof, 2, sealed]) == "generation"
    clerk.write(dev, key, "dev_add", [keys, proof, gen, sealed])
    added = list(clerk.log.devices)[-1]
    assert dict(clerk.log.puks[-1].seals)[added] == sealed
    recovery, seed = KemKey(os.urandom(32)), os.urandom(32)
    *payload, puk = clerk.recovery_payload(recovery.public, seed)
    assert isinstance(puk, list)
    assert refused(clerk, ROOT, clerk.root, "recovery_set", [*payload, [1, *puk[1:]]]) == "generation"
    assert refused(clerk, ROOT, clerk.root, "recovery_set", [*payload, [*puk[:3], puk[3][:-1]]]) == "recipients"
    assert refused(clerk, ROOT, clerk.root, "recovery_set", [1, *payload[1:], puk]) == "old-format"
    assert refused(clerk, ROOT, clerk.root, "recovery_set", [2, recovery.public, 2, *payload[3:], puk]) == "generation"
    clerk.write(ROOT, clerk.root, "recovery_set", [*payload, puk])
    sealed = dict(clerk.log.puks[-1].seals)[b"recovery"]
    assert recovery.open(puk_info(clerk.log.uid, 2, b"recovery"), sealed) == seed


def begun(office: Office, clerk: Someone, count: int) -> UserLog:
    return UserLog.replay(clerk.entries[:count], office.agency.pk)


def test_attack_a_log_goes_from_genesis_to_binding_to_key(office: Office, clerk: Someone) -> None:
    dev, key = me(clerk)
    early = begun(office, clerk, 1)
    body = entry_body(early.uid, 1, early.head, dev, NOW, "puk_rotate", puk_payload(early, os.urandom(32)))
    with pytest.raises(Reject, match="order"):
        early.apply(body, key.sign(DOMAIN, entry_id(body)))
    bound = begun(office, clerk, 2)
    with pytest.raises(Reject, match="order"):
        bind_again(office, Someone(clerk.secrets, clerk.puk_seed, bound, clerk.entries[:2]))
    again = entry_body(bound.uid, 2, bound.head, ROOT, NOW, "genesis", [])
    with pytest.raises(Reject, match="order"):
        bound.apply(again, clerk.root.sign(DOMAIN, entry_id(again)))


@pytest.mark.parametrize("seq", [0, 1])
def test_attack_nobody_founds_a_room_before_binding_and_key(office: Office, clerk: Someone, seq: int) -> None:
    a, ulog = clerk.author, (seq, clerk.log.heads[seq])
    body = room_body(None, 0, NO_PREV, a.uid, a.dev, (0, RH_0), ulog, NOW, "genesis", [bytes(32), {}, None])
    item = Item(1, NOW, ENTRY, body, a.signing.sign(ROOM_LOG, item_id(ENTRY, body)), None)
    with pytest.raises(Reject, match="not-ready"):
        RoomStream(None).accept([item], office.book)


def test_attack_a_device_known_under_one_person_is_refused_under_another(scene: Scene) -> None:
    """Two logs that begin with the same keys: the second person has the first one's device id."""
    room, clerk, code = scene.room, scene.clerk, SignInCode.fresh(scene.office.agency.pk)
    record = record_hash(b"salt" * 4, encode_record({"name": "Handläggare"}))
    cert = scene.office.agency.certify_invite(code.key.public, record, NOW + 10**9)
    seed = os.urandom(32)
    entries, log = new_user(clerk.secrets, code, scene.office.agency.pk, cert, record, seed, NOW + 1)
    double = Someone(clerk.secrets, seed, log, entries)
    assert (double.uid != clerk.uid, double.author.dev) == (True, clerk.author.dev)
    scene.office.book.logs[double.uid] = log
    room.join(scene.head, double)
    room.push(ops_by(room, clerk))
    second = ops_by(room, double, first_seq=2, prev=room.stream.next_prev(double.uid, double.author.dev))
    assert void(room, room.forced_ops(second)) == "forbidden"
    entry = room.drafter(double).cannot_open(1)
    (item,) = room.client().accept(room.forced_entry(entry), scene.office.book, room.rh_at)
    assert item.void == "forbidden"
    with pytest.raises(Reject, match="forbidden"):
        room.push(second)


def test_attack_true_and_false_are_no_numbers() -> None:
    for read in (fields.u64, fields.counter):
        for value in (True, False, None, "1", b"\1"):
            with pytest.raises(Reject, match="malformed"):
                read(value, "here")
    with pytest.raises(Reject, match="format"):
        fields.version(True, 1, "here")
    with pytest.raises(Reject, match="format"):
        fields.versioned([True, 2], 1, 2, "here")
    assert (enc(True), enc(False), enc(1)) == (b"\xf5", b"\xf4", b"\x01")


def test_a_version_is_judged_before_what_follows_it() -> None:
    assert fields.versioned([2, "a", b"b"], 2, 3, "here") == ["a", b"b"]
    for value, code in (([3], "format"), ([1, 2, 3, 4], "old-format"), ([2], "malformed"), ([], "malformed")):
        with pytest.raises(Reject) as e:
            fields.versioned(value, 2, 3, "here")
        assert (e.value.code, e.value.where) == (code, "here")
    for none in (None, (2, "a", b"b"), {2: 3}):
        with pytest.raises(Reject, match="malformed"):
            fields.versioned(none, 2, 3, "here")


def test_attack_an_entry_above_its_cap_is_refused() -> None:
    for read in (RoomEntry.decode, UserEntry.decode):
        with pytest.raises(Reject, match="oversize"):
            read(enc([1, bytes(512 * 1024)]))
    assert MAX_OP_BYTES == 256 * 1024
