# SPDX-License-Identifier: EUPL-1.2
"""A person's log, devices, codes and recovery (PROTOCOL.md §3 and §10), read from tests/vectors by another program."""

from typing import Any

import pytest

from tests.reader import people
from tests.reader.primitives import KDF, H, KemKey, Refused, dec, enc, signing_pk, verify
from tests.reader.vectors import load, raw


def person_log(vector: Any) -> people.Log:
    return people.replay([(raw(e["body"]), raw(e["sig"])) for e in vector["entries"]], raw(vector["agency_pk"]))


def test_a_user_log_replays_and_a_changed_byte_ends_it() -> None:
    vector = load("person")
    log = person_log(vector)
    assert log.types == [e["type"] for e in vector["entries"]]
    assert [h.hex() for h in log.heads] == vector["heads"]
    assert (log.uid or b"").hex() == vector["uid"]
    assert list(log.devices) == [raw(vector["dev"]), raw(vector["second_device"]["dev"])]
    assert people.safety_number(log.heads[0], H(b"another")) == vector["safety_number"]
    for at in range(len(vector["entries"])):
        broken = [(raw(e["body"]), raw(e["sig"])) for e in vector["entries"][: at + 1]]
        broken[at] = (broken[at][0], bytes(64))
        with pytest.raises(Refused):
            people.replay(broken, raw(vector["agency_pk"]))


def test_every_generation_opens_for_whom_it_was_sealed_to() -> None:
    vector = load("person")
    log, seeds = person_log(vector), [raw(s) for s in vector["puk_seeds"]]
    devices = [raw(vector["dev"]), raw(vector["second_device"]["dev"])]
    keys = {
        devices[0]: KemKey(raw(vector["device_seeds"]["kem"])),
        devices[1]: KemKey(raw(vector["second_device"]["kem_seed"])),
        b"recovery": KemKey(raw(vector["recovery_seed"])),
    }
    opened = [sorted((i, people.open_puk(log, puk, i, keys[i])) for i in puk.seals) for puk in log.puks]
    assert opened[0] == sorted((d, seeds[0]) for d in devices)
    assert opened[1] == sorted((d, seeds[1]) for d in devices)
    assert opened[2] == sorted((i, seeds[2]) for i in keys)
    assert opened[3] == sorted((i, seeds[3]) for i in (devices[0], b"recovery"))
    assert [people.unwrap(log, puk, seeds[puk.gen - 1]) for puk in log.puks[1:]] == seeds[:-1]


def test_codes_certificates_and_the_staff_record() -> None:
    vector = load("person")
    agency = raw(vector["agency_pk"])
    fingerprint = H("agency", agency)
    assert fingerprint.hex() == vector["agency_fingerprint"]
    seed, half = people.sign_in_code(vector["sign_in_code"].lower())
    assert (seed.hex(), half) == (vector["sign_in_seed"], fingerprint[:16])
    assert signing_pk(KDF(seed, "invite")).hex() == vector["invite_pk"]
    record = H(enc(["staff", raw(vector["salt"]), raw(vector["record"])]))
    assert record.hex() == vector["record_hash"]
    body, sig = map(raw, vector["invite_cert"])
    verify(agency, "invite", body, sig)
    assert dec(body) == [raw(vector["invite_pk"]), record, vector["not_after_ms"]]
    body, sig = map(raw, vector["server_cert"])
    verify(agency, "server", body, sig)
    assert dec(body) == [signing_pk(raw(vector["server_seed"])), vector["not_after_ms"]]
    assert dec(raw(vector["record"]))["unit"] == "Enheten för tillsyn 🙂"


def test_an_account_with_and_without_the_root_key() -> None:
    vector = load("person")
    version, uid, dev, agency, signing, sealing, root, seeds, paper, vetoed = dec(raw(vector["account"]))
    assert (version, uid.hex(), dev.hex(), agency.hex()) == (4, vector["uid"], vector["dev"], vector["agency_pk"])
    assert (paper, vetoed) == (b"", [])
    assert [signing.hex(), sealing.hex(), root.hex()] == [vector["device_seeds"][k] for k in ("sign", "kem", "root")]
    assert {g: s.hex() for g, s in seeds.items()} == dict(enumerate(vector["puk_seeds"], start=1))
    pairing = load("pairing")
    version, _uid, dev, _agency, _signing, _sealing, root, seeds, _paper, _vetoed = dec(raw(pairing["account"]))
    assert (version, dev.hex(), root, sorted(seeds)) == (4, pairing["new"]["dev"], b"", [1, 2])


def test_a_second_device_by_code_and_by_digits() -> None:
    vector = load("pairing")
    fingerprint, old_kem, new_kem = (raw(x) for x in (vector["agency"], vector["old"]["kem"], vector["new"]["kem"]))
    for variant in (vector["by_code"], vector["by_digits"]):
        secret = people.checked(variant["code"], 26, "pairing", 15) if variant["code"] else None
        assert variant["box"] == (KDF(secret, "enrol-box", length=16).hex() if secret else "")
        first, second, third, fourth = map(raw, variant["messages"])
        meeting = people.Pairing(fingerprint, secret)
        (content,) = meeting.take("new", first)
        old, nonce = meeting.take("old", second)
        uid, genesis, _seq, head, dev, old_pk, _record = old
        assert (genesis.hex(), dev.hex(), uid) == (vector["old"]["genesis"], vector["old"]["dev"], genesis[:16])
        assert old_pk == KemKey(old_kem).public
        if secret:
            new, (proof,) = content, meeting.take("new", third)
            assert nonce == b""
        else:
            proof, new_nonce, hidden = meeting.take("new", third)
            new = dec(KemKey(old_kem).open(enc(["enrol-new", uid, dev]), hidden))
            assert content == H("enrol-commit", new_nonce, enc(new))
            assert people.digits(fingerprint, content, nonce, old, new_nonce) == variant["digits"]
        signing, sealing, name, system = new
        assert (signing, sealing) == (signing_pk(raw(vector["new"]["sign"])), KemKey(new_kem).public)
        assert (name, system) == (variant["name"], variant["system"])
        verify(signing, "dev-proof", [uid, head, [signing, sealing], dev], proof)
        done = KemKey(new_kem).open(enc(["enrol-done", uid, dev]), fourth)
        assert dec(done) == [1, 4, raw(vector["new"]["dev"])]


def test_a_second_device_proves_its_keys_for_each_head_that_the_log_moves_to() -> None:
    vector = load("moved")
    fingerprint, new_kem = raw(vector["agency"]), KemKey(raw(vector["new"]["kem"]))
    for variant in (vector["by_code"], vector["by_digits"]):
        secret = people.checked(variant["code"], 26, "pairing", 15) if variant["code"] else None
        first, second, third, *between, fourth = map(raw, variant["messages"])
        meeting = people.Pairing(fingerprint, secret)
        meeting.take("new", first)
        (uid, _genesis, seq, head, dev, _old_pk, _record), _nonce = meeting.take("old", second)
        keys = [signing_pk(raw(vector["new"]["sign"])), new_kem.public]
        heads, proofs = [[seq, head.hex()]], [meeting.take("new", third)[0]]
        for fifth, sixth in zip(between[::2], between[1::2], strict=True):
            version, seq, head = dec(new_kem.open(enc(["enrol-moved", uid, dev]), fifth))
            assert version == 1
            meeting.note(fifth)
            heads.append([seq, head.hex()])
            proofs += meeting.take("new", sixth)
        assert heads == vector["heads"]
        for (_, head), proof in zip(heads, proofs, strict=True):
            verify(keys[0], "dev-proof", [uid, raw(head), keys, dev], proof)
        done = new_kem.open(enc(["enrol-done", uid, dev]), fourth)
        assert dec(done) == [1, vector["done"], raw(vector["new"]["dev"])]


def test_the_recovery_sheet_and_its_share() -> None:
    paper = load("pairing")["recovery_sheet"]
    secret = people.checked(paper["code"], 28, "recovery-2", 17)
    share = people.checked(paper["share"], 28, "recovery-share", 17)
    assert signing_pk(KDF(secret, "recovery-root")).hex() == paper["root"]
    assert KemKey(KDF(secret + share, "recovery-kem-2")).public.hex() == paper["kem"]


def test_a_share_opens_with_the_agencys_escrow_key_alone() -> None:
    vector = load("person")
    key = KemKey(raw(vector["escrow_seed"]))
    body, sig = map(raw, vector["escrow_cert"])
    verify(raw(vector["agency_pk"]), "escrow", body, sig)
    assert dec(body) == [key.public]
    word, version, salt, record, entries = dec(raw(vector["share_request"]))
    assert (word, version) == ("share-request", 1)
    log = people.replay([(b, s) for b, s in entries], raw(vector["agency_pk"]))
    assert log.record == H(enc(["staff", salt, record]))
    ((escrow, sealed),) = log.recovery_sheets
    assert escrow == H("escrow", key.public)[:16]
    share = key.open(enc(["recovery-share", log.uid, 1]), sealed)
    assert share.hex() == vector["share_secret"]
    assert people.checked(vector["share"], 28, "recovery-share", 17) == share


def test_a_person_who_came_back_by_the_recovery_sheet() -> None:
    vector = load("recovery")
    log = people.replay([(raw(b), raw(s)) for b, s in vector["entries"]], raw(vector["agency_pk"]))
    secret = people.checked(vector["recovery_sheet"], 28, "recovery-2", 17)
    share = people.checked(vector["share"], 28, "recovery-share", 17)
    escrow, sealed = log.recovery_sheets[-1]
    key = KemKey(raw(vector["escrow_seed"]))
    assert (escrow, key.open(enc(["recovery-share", log.uid, 1]), sealed)) == (H("escrow", key.public)[:16], share)
    assert (log.root, log.recovery) == (
        signing_pk(KDF(secret, "recovery-root")),
        KemKey(KDF(secret + share, "recovery-kem-2")).public,
    )
    assert people.sign_in_code(vector["attempt_code"].split("\n")[0])
    assert people.checked(vector["attempt_code"].split("\n")[1], 28, "recovery-share", 17) == share
    version, *_, both, _sign, _kem, revoke = dec(raw(vector["attempt"]))
    assert (version, both, revoke) == (2, secret + share, True)
