# SPDX-License-Identifier: EUPL-1.2
"""Another program reads what ours wrote: tests/vectors/sync-1-*.json, with nothing of sync/.

The reader beside this file is written from sync/PROTOCOL.md, sync/crypto/CRYPTO.md and app/objects/FORMAT.md alone, on
`cryptography` and cbor2. These tests fail where the pages are not enough to write a client.
"""

import ast
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.reader import merkle, people, rooms
from tests.reader.own import JudgedRoom
from tests.reader.primitives import KDF, H, KemKey, Refused, aead_open, dec, enc, sign, signing_pk, verify
from tests.reader.rooms import Room

HERE = Path(__file__).parent
MINE = {"cryptography", "cbor2", "pytest"}


def load(name: str) -> Any:
    return json.loads((HERE.parent / f"vectors/sync-1-{name}.json").read_text())


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def shown(value: Any) -> Any:
    """A value as the vectors write it in JSON: bytes are {"b": hex}, maps {"m": [[key, value] …]}."""
    if isinstance(value, dict):
        return raw(value["b"]) if "b" in value else {shown(k): shown(v) for k, v in value["m"]}
    return [shown(v) for v in value] if isinstance(value, list) else value


def test_the_reader_imports_nothing_of_ours() -> None:
    for path in sorted(HERE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                known = top in MINE or top in sys.stdlib_module_names or name.startswith("tests.reader")
                assert known, f"{path.name} imports {name}"


# -- CRYPTO.md


def test_values_have_one_encoding() -> None:
    vector = load("encoding")
    for case in vector["good"]:
        assert enc(shown(case["value"])) == raw(case["hex"])
        assert dec(raw(case["hex"])) == shown(case["value"])
    for case in vector["refused"]:
        with pytest.raises(Refused):
            dec(raw(case["hex"]))


def test_hashes_keys_and_signatures() -> None:
    vector = load("primitives")
    for case in vector["hash"]:
        assert H(*map(raw, case["parts"])).hex() == case["hex"]
    for case in vector["kdf"]:
        assert KDF(raw(case["key"]), case["label"], *shown(case["context"])).hex() == case["hex"]
    v = vector["signature"]
    assert signing_pk(raw(v["seed"])).hex() == v["public"]
    assert sign(raw(v["seed"]), v["domain"], shown(v["message"])).hex() == v["sig"]


def test_what_is_sealed_opens() -> None:
    vector = load("primitives")
    v = vector["aead"]
    assert aead_open(raw(v["key"]), shown(v["context"]), raw(v["sealed"])).hex() == v["plaintext"]
    v = vector["seal"]
    key = KemKey(raw(v["seed"]))
    assert key.public.hex() == v["public"]
    assert key.open(raw(v["info"]), raw(v["sealed"])).hex() == v["message"]
    with pytest.raises(Refused):
        key.open(b"another", raw(v["sealed"]))


def test_a_passphrase_gives_its_key() -> None:
    v = load("primitives")["passphrase"]
    derived = Argon2id(
        salt=raw(v["salt"]), length=32, iterations=v["passes"], lanes=v["lanes"], memory_cost=v["memory_kib"]
    ).derive(v["text"].encode())
    assert derived.hex() == v["hex"]


# -- PROTOCOL.md §3 and §10: people


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


# -- PROTOCOL.md §4 to §7: a room


def room_of(vector: Any) -> Room:
    agency = raw(vector["agency_pk"])
    logs = [people.replay([(raw(b), raw(s)) for b, s in p["entries"]], agency) for p in vector["people"]]
    return Room({log.uid or b"": log for log in logs})


def read_room(vector: Any, upto: int | None = None) -> Room:
    room = room_of(vector)
    for i in vector["items"][:upto]:
        ct = None if i["ct"] is None else raw(i["ct"])
        room.take(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), ct)
        assert i.get("rh", room.rh.hex()) == room.rh.hex()
    return room


def test_a_room_replays_with_its_chains_signatures_and_recipients() -> None:
    vector = load("room")
    room = read_room(vector)
    assert (room.room or b"").hex() == vector["room"]
    assert len(set(room.types)) == 15  # all of PROTOCOL.md §5 but prune: see the states
    assert [[r.hex() if isinstance(r, bytes) else r for r in row] for row in room.recipients()] == vector["recipients"]
    assert H(enc(room.recipients())).hex() == vector["recipients_hash"]
    receipt = vector["receipt"]
    verify(raw(receipt["server_pk"]), "receipt", [room.room, room.n, room.rh, room.t], raw(receipt["sig"]))


def test_a_room_with_a_changed_item_does_not_replay() -> None:
    vector = load("room")
    for at, item in enumerate(vector["items"]):
        room = read_room(vector, at)
        if item["sig"]:
            with pytest.raises(Refused):
                room.take(item["n"], item["t"], item["kind"], raw(item["body"]), bytes(64), raw(item["ct"] or ""))


def test_every_seal_opens_and_the_newest_archive_leads_back_to_the_beginning() -> None:
    vector = load("room")
    room, puks = read_room(vector), {p["uid"]: people.puk_key(raw(p["puk_seed"])) for p in vector["people"]}
    keys = {int(e): (raw(k), raw(a)) for e, (k, a) in vector["epoch_keys"].items()}
    for case in vector["seals"]:
        k, a = room.open_seal(case["epoch"], raw(case["uid"]), 1, puks[case["uid"]], raw(case["sealed"]))
        assert k == keys[case["epoch"]][0]
        assert a == (keys[case["epoch"]][1] if case["archive"] else None)
    newest = max(keys)
    found = room.walk_back(newest, keys[newest][1])
    assert {e: k for e, (k, _) in found.items()} == {e: k for e, (k, _) in keys.items() if e != newest}
    assert all(a in (None, keys[e][1]) for e, (_, a) in found.items())


def test_every_envelope_opens() -> None:
    vector = load("room")
    room, shares = read_room(vector), {raw(o): raw(s) for o, s in vector["shares"].items()}
    texts = {}
    for envelope in room.envelopes:
        k, _ = vector["epoch_keys"][str(envelope.epoch)]
        ((change, data),) = dec(room.open(envelope, raw(k), shares.get(envelope.obj)))
        texts[str(envelope.n)] = f"{change.hex()}:{data.decode()}"
    assert texts == vector["payloads"]


def test_the_reason_of_a_removal_opens_with_the_key_of_its_epoch() -> None:
    vector = load("room")
    room = read_room(vector)
    (note,) = room.notes
    k, _ = vector["epoch_keys"][str(note[0])]
    assert room.decrypt_note(note, raw(k)) == vector["reason"] == "Ärendet är avslutat 🙂"
    with pytest.raises(Refused):
        room.decrypt_note(note, raw(vector["epoch_keys"][str(note[0] - 1)][0]))


def test_the_stored_state_is_what_the_items_make() -> None:
    vector = load("room")
    room = read_room(vector)
    version, ident, n, rh, t, entries, head, e, rotation_owed, parts = dec(raw(vector["state"]))
    assert (version, ident, n, rh, t) == (3, room.room, room.n, room.rh, room.t)
    assert (entries, head, e, rotation_owed) == (room.entry_seq + 1, room.entry_head, max(room.epochs), False)
    members, _epochs, pins, policy, _proposals, destroyed, _pruned, devices, heads, shares, *_, used = parts
    rows = [struct.unpack(">16sBQQB32sQ", members[i : i + 74]) for i in range(0, len(members), 74)]
    assert {r[0]: {"role": r[1], "history": bool(r[4])} for r in rows} == room.members
    pinned = [struct.unpack(">16sQ32s", pins[i : i + 56]) for i in range(0, len(pins), 56)]
    assert {uid: (seq, head) for uid, seq, head in pinned} == room.pins
    assert dec(policy) == room.policy
    assert [destroyed[i : i + 16] for i in range(0, len(destroyed), 24)] == sorted(room.destroyed)
    assert {shares[i : i + 16]: shares[i + 16 : i + 48] for i in range(0, len(shares), 48)} == room.shares
    assert len(devices) % 32 == 0
    use = {row[0]: row[1:] for row in struct.iter_unpack(">16s10I", used)}
    everybody = use.pop(bytes(16))
    assert everybody[1] == len(heads) // 72 == sum(row[1] for row in use.values())
    assert everybody[4] == len(room.pins) - 1, "all but the founder were brought"
    assert sum(row[0] for row in use.values()) == len(room.shares)


def test_snapshot_attest_and_baseline_and_every_seal_of_each_epoch() -> None:
    vector = load("states")
    room, obj, share = read_room(vector), raw(vector["obj"]), raw(vector["share"])
    assert (room.rh.hex(), sorted(room.epochs)) == (vector["rh"], [1, 2])
    people_of = {raw(p["uid"]): people.puk_key(raw(p["puk_seed"])) for p in vector["people"]}
    people_of[b"R" * 16] = KemKey(raw(vector["recovery_seed"]))
    for e, seals in vector["seals"].items():
        room.check_seals(int(e), list(map(raw, seals)))
    k, a = map(raw, vector["epoch_keys"]["2"])
    for (kind, uid, _seq, _head, gen), sealed in zip(room.recipients(), vector["seals"]["2"], strict=True):
        archive = a if kind == 1 and room.members[uid]["history"] else None  # recovery and from-now: K alone
        assert room.open_seal(2, uid, gen, people_of[uid], raw(sealed)) == (k, archive)
    assert [m["history"] for m in room.members.values()] == [True, True, True, False]
    ops, first, last, attest, again, baseline = room.envelopes
    assert [x.kind for x in room.envelopes] == [rooms.OP, rooms.SNAPSHOT, rooms.SNAPSHOT, 4, 4, rooms.BASELINE]
    old_k, old_a = map(raw, vector["epoch_keys"]["1"])
    assert len(dec(room.open(ops, old_k, share))) == 1
    pieces = [dec(room.open(x, old_a, share)) for x in (first, last)]
    assert [p[:5] for p in pieces] == [[1, bytes(range(16)), i, 2, raw(vector["hash"])] for i in (0, 1)]
    assert b"".join(p[5] for p in pieces).hex() == vector["whole"]
    assert dec(raw(vector["whole"])) == ["Första raden".encode()]
    assert (first.about, int.from_bytes(last.about, "big")) == (b"", vector["covers"])
    assert last.ident.hex() == vector["snapshot"] == attest.about.hex()
    assert dec(room.open(attest, old_k, share)) == [1, obj, vector["covers"], last.ident, raw(vector["hash"])]
    assert room.open(again, old_k, share) == room.open(attest, old_k, share)
    assert baseline.epoch == 2
    ((_change, data),) = dec(room.open(baseline, k, share))
    assert data.decode() == vector["baseline"]


def judged(vector: Any) -> tuple[JudgedRoom, list[str | None]]:
    """A room with all items of a vector, and the verdict about each."""
    room, found = JudgedRoom(room_of(vector).logs), list[str | None]()
    for i in vector["items"]:
        ct = None if i["ct"] is None else raw(i["ct"])
        found.append(room.judge(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), ct))
    assert room.rh.hex() == vector["rh"]
    return room, found


def test_nobody_is_let_into_a_room_of_ones_own_and_one_device_is_enough_for_its_prune() -> None:
    vector = load("own")
    room, verdicts = judged(vector)
    assert verdicts == [i["void"] for i in vector["items"]]
    assert [set(room.members), room.policy] == [{raw(vector["people"][0]["uid"])}, {"own": True, "suite": 2}]
    shots = {ident: shot.attests for (_, ident), shot in room.shots.items()}
    assert {ident: [by.hex() for by in shots[raw(ident)]] for ident, _ in vector["attests"]} == dict(vector["attests"])
    assert {by for _, devices in vector["attests"] for by in devices} == set(vector["devices"])
    assert room.pruned == {raw(vector["obj"]): vector["pruned"]}


def test_elsewhere_two_other_people_attest_before_a_prune() -> None:
    vector = load("states")
    room, verdicts = judged(vector)
    assert not any(verdicts)
    (shot,) = room.shots.values()
    assert len(shot.attests) == 2
    assert shot.uid not in shot.attests
    assert set(shot.attests) <= set(room.members)
    assert room.pruned == {raw(vector["obj"]): vector["covers"]}


def test_a_successor_and_its_objects() -> None:
    vector = load("successor")
    nonce, policy, origin = dec(raw(vector["payload"]))
    assert (len(nonce), policy, origin) == (32, {}, [raw(vector["old"]), vector["n"], raw(vector["rh"])])
    for obj, there in vector["objects"]:
        assert rooms.object_in(raw(vector["successor"]), raw(vector["old"]), raw(obj)).hex() == there


# -- PROTOCOL.md §7 to §10: pieces


def test_padding_packing_trees_and_shares() -> None:
    vector = load("pieces")
    assert [[n, rooms.padded_size(n)] for n, _ in vector["padding"]] == vector["padding"]
    assert rooms.unpad(raw(vector["padded"])).decode() == "Åtgärd 🙂"
    assert dec(raw(vector["pack"]["hex"])) == [[raw(c), raw(d)] for c, d in vector["pack"]["changes"]]
    for case in vector["merkle"]:
        assert merkle.root([raw(x) for x in case["leaves"]]).hex() == case["root"]
    room = raw(vector["room"])
    assert H("root-share", room).hex() == vector["root_share"]
    assert H("share", room, b"O" * 16, raw(vector["share"]["share"])).hex() == vector["share"]["share_c"]


def test_an_ephemeral_message_and_a_file() -> None:
    vector = load("pieces")
    room = raw(vector["room"])
    for v in (vector["ephemeral"], vector["ephemeral_to"]):
        context, payload = rooms.open_ephemeral(
            room, raw(v["body"]), raw(v["sig"]), raw(v["ct"]), raw(v["sign_pk"]), raw(v["k"])
        )
        assert payload.decode() == v["payload"]
        assert (context[2], context[3].hex(), context[4].hex()) == (v["epoch"], v["uid"], v["dev"])
        assert (context[8], context[9].hex()) == (v["kind"], v["to"])
    version, size, parts = dec(raw(vector["blob"]["manifest"]))
    opened = [rooms.decrypt_part(room, part, raw(ct)) for part, ct in zip(parts, vector["blob"]["parts"], strict=True)]
    assert version == 1
    assert size == sum(map(len, opened))
    assert [o.hex() for o in opened] == vector["blob"]["plain"]


def test_a_proof_and_a_claim() -> None:
    vector = load("proof")
    version, room, n, rh, t, sig, cert, cert_sig = dec(raw(vector["proof"]))
    verify(raw(vector["agency_pk"]), "server", cert, cert_sig)
    server, _until = dec(cert)
    verify(server, "receipt", [room, n, rh, t], sig)
    assert (version, room.hex(), n, rh.hex(), t) == (1, vector["room"], vector["n"], vector["rh"], vector["t"])
    version, content = dec(raw(vector["claim"]))
    assert (version, [(n, bool(sig)) for n, _t, _kind, _body, sig in content]) == (1, [(42, False), (43, True)])
