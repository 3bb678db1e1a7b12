# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: tests/vectors/sync-1-*.json, opened with the present code.

A failure here means that existing rooms and accounts no longer open. The values in the files are never changed; a new
format gets a new version and files of its own beside these.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sync.client.account.account_recovery import Attempt
from sync.client.account.account_secrets import Account
from sync.crypto import aead, passphrase, seal, signatures
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import ChangeId, Hash, ObjId, RoomId, Uid
from sync.protocol.messages import Receipt
from sync.trust.formats.items import Item, item_id, next_rh
from sync.trust.keys import merkle
from sync.trust.keys.epochs import KeyRing, in_order, open_seal, recipients_hash, walk_back
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
from sync.trust.person.author import DeviceSecrets, open_puk, puk_info, puk_key, safety_number
from sync.trust.person.escrow_key import ShareRequest, certify_escrow, check_escrow
from sync.trust.person.pairing_messages import Cover, OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare, ReturnCode
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import RECOVERY, UserLog
from sync.trust.room import (
    blob_manifest,
    envelope,
    ephemeral,
    payload_reading,
    payloads,
    signed_receipts,
    snapshots,
    successor_claim,
)
from sync.trust.room.envelope import (
    ObjectKeys,
    decrypt_op,
    pack,
    pad,
    padded_size,
    root_share,
    share_commitment,
    unpack,
    unpad,
)
from sync.trust.room.stream import AcceptedEntry, AcceptedEnvelope, RoomStream
from tests.sync.trust.people import Book
from tests.vectors.notation import read

FOLDER = Path(__file__).parents[1] / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"sync-1-{name}.json").read_text())


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


@pytest.fixture(scope="module")
def primitives() -> Any:
    return load("primitives")


@pytest.fixture(scope="module")
def person() -> Any:
    return load("person")


@pytest.fixture(scope="module")
def pairing() -> Any:
    return load("pairing")


@pytest.fixture(scope="module")
def room() -> Any:
    return load("room")


@pytest.fixture(scope="module")
def pieces() -> Any:
    return load("pieces")


# -- encoding and primitives


def test_every_value_has_the_encoding_it_had() -> None:
    for case in load("encoding")["good"]:
        value = read(case["value"])
        assert enc(value) == raw(case["hex"])
        assert dec(raw(case["hex"]), limit=1 << 20) == value


def test_every_other_encoding_is_refused() -> None:
    for case in load("encoding")["refused"]:
        with pytest.raises(Reject) as e:
            dec(raw(case["hex"]), limit=1 << 20)
        assert e.value.code == "encoding", case


def test_hashes_and_derived_keys_are_the_same(primitives: Any) -> None:
    for case in primitives["hash"]:
        assert H(*map(raw, case["parts"])).hex() == case["hex"]
    for case in primitives["kdf"]:
        assert kdf(raw(case["key"]), case["label"], *read(case["context"])).hex() == case["hex"]  # type: ignore[misc]


def test_a_signature_is_the_same(primitives: Any) -> None:
    v = primitives["signature"]
    key = SigningKey(raw(v["seed"]))
    assert key.public == raw(v["public"])
    assert key.sign(v["domain"], read(v["message"])) == raw(v["sig"])
    signatures.verify(key.public, v["domain"], read(v["message"]), raw(v["sig"]))


def test_keys_that_were_refused_are_refused(primitives: Any) -> None:
    for public in primitives["bad_signing_keys"]:
        with pytest.raises(Reject, match="bad-key"):
            signatures.check_public(raw(public))
    for public in primitives["bad_sealing_keys"]:
        with pytest.raises(Reject, match="bad-key"):
            seal.check_public(raw(public))


def test_what_was_sealed_opens(primitives: Any) -> None:
    v = primitives["aead"]
    context = read(v["context"])
    assert isinstance(context, list)
    assert aead.decrypt(raw(v["key"]), context, raw(v["sealed"])) == raw(v["plaintext"])
    v = primitives["seal"]
    key = KemKey(raw(v["seed"]))
    assert key.public == raw(v["public"])
    assert key.open(raw(v["info"]), raw(v["sealed"])) == raw(v["message"])


def test_a_passphrase_gives_the_same_key(primitives: Any) -> None:
    v = primitives["passphrase"]
    params = passphrase.Argon2Params(
        salt=raw(v["salt"]), memory_kib=v["memory_kib"], passes=v["passes"], lanes=v["lanes"]
    )
    assert passphrase.derive(v["text"], params).hex() == v["hex"]


# -- a person


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


# -- a room


def book_of(v: Any) -> Book:
    book = Book()
    for p in v["people"]:
        log = UserLog.replay([(raw(b), raw(s)) for b, s in p["entries"]], raw(v["agency_pk"]))
        book.logs[log.uid] = log
    return book


def items_of(v: Any) -> list[Item]:
    return [
        Item(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), None if i["ct"] is None else raw(i["ct"]))
        for i in v["items"]
    ]


def test_a_room_with_every_type_of_entry_replays(room: Any) -> None:
    stream, items, book = RoomStream(RoomId(raw(room["room"]))), items_of(room), book_of(room)
    rh = bytes(32)
    for item, case in zip(items, room["items"], strict=True):
        rh = next_rh(rh, item.n, item.t, item.kind, item_id(item.kind, item.body))
        assert rh.hex() == case["rh"]
    accepted = stream.accept(items, book)
    assert [a.void for a in accepted] == [None] * len(items)
    types = {a.entry.type for a in accepted if isinstance(a, AcceptedEntry)}
    assert types == {*payload_reading.READ} - {"prune"}  # which sync-1-states.json has
    assert stream.rh == rh
    recipients = in_order(stream.recipients(book))
    assert [[r.kind, r.uid.hex(), r.ulog_seq, r.ulog_head.hex(), r.puk_gen] for r in recipients] == room["recipients"]
    assert recipients_hash(recipients).hex() == room["recipients_hash"]
    receipt = room["receipt"]
    word = Receipt(stream.room, stream.n, stream.rh, stream.t, raw(receipt["sig"]))
    signed_receipts.check(raw(receipt["server_pk"]), word)


def test_a_rooms_stored_state_opens_and_is_what_its_items_make(room: Any) -> None:
    stream = RoomStream(RoomId(raw(room["room"])))
    stream.accept(items_of(room), book_of(room))
    stored = RoomStream.from_bytes(raw(room["state"]))
    assert stored.state == stream.state
    assert stored.to_bytes() == stream.to_bytes() == raw(room["state"])


def test_every_seal_of_an_epoch_opens(room: Any) -> None:
    stream = RoomStream.from_bytes(raw(room["state"]))
    puks = {p["uid"]: puk_key(raw(p["puk_seed"])) for p in room["people"]}
    for case in room["seals"]:
        epoch = stream.epochs[case["epoch"]]
        k, a = open_seal(stream.room, epoch, Uid(raw(case["uid"])), 1, puks[case["uid"]], raw(case["sealed"]))
        wanted_k, wanted_a = room["epoch_keys"][str(epoch.e)]
        assert k.hex() == wanted_k
        assert (a is not None) == case["archive"]
        assert a is None or a.hex() == wanted_a


def test_the_newest_archive_key_walks_back_to_the_beginning(room: Any) -> None:
    stream = RoomStream.from_bytes(raw(room["state"]))
    newest = stream.epoch
    k, a = room["epoch_keys"][str(newest)]
    ring = KeyRing(stream.room, [(newest, raw(k), raw(a))])
    at: int | None = newest
    while at is not None:
        walk_back(stream.room, stream.epochs[at], stream.epochs, ring)
        at = stream.epochs[at].base
    assert [ring.k(e) for e in range(1, newest + 1)] == [raw(room["epoch_keys"][str(e)][0]) for e in stream.epochs]


def test_every_envelope_opens(room: Any) -> None:
    own = RoomId(raw(room["room"]))
    stream, keys = RoomStream(own), ObjectKeys(own)
    shares = {raw(o): raw(s) for o, s in room["shares"].items()} | {bytes(own): root_share(own)}
    found = {}
    for a in stream.accept(items_of(room), book_of(room)):
        if isinstance(a, AcceptedEnvelope) and a.ct is not None:
            k = raw(room["epoch_keys"][str(a.hdr.epoch)][0])
            key = keys.key(k, a.hdr.epoch, a.hdr.obj, shares[a.hdr.obj])
            ((change, data),) = unpack(decrypt_op(key, a.hdr_bytes, a.ct))
            found[str(a.n)] = f"{change.hex()}:{data.decode()}"
            assert a.hdr.encode() == a.hdr_bytes
    assert found == room["payloads"]


# -- pieces


def test_padding_and_packing_are_the_same(pieces: Any) -> None:
    assert [[n, padded_size(n)] for n, _ in pieces["padding"]] == pieces["padding"]
    assert unpad(raw(pieces["padded"])).decode() == "Åtgärd 🙂"
    assert pad("Åtgärd 🙂".encode()) == raw(pieces["padded"])
    changes = [(ChangeId(raw(c)), raw(d)) for c, d in pieces["pack"]["changes"]]
    assert pack(changes) == raw(pieces["pack"]["hex"])
    assert unpack(raw(pieces["pack"]["hex"])) == changes


def test_trees_and_shares_are_the_same(pieces: Any) -> None:
    for case in pieces["merkle"]:
        assert merkle.root([raw(x) for x in case["leaves"]]).hex() == case["root"]
    own = raw(pieces["room"])
    assert root_share(own).hex() == pieces["root_share"]
    assert share_commitment(own, b"O" * 16, raw(pieces["share"]["share"])).hex() == pieces["share"]["share_c"]


def test_an_ephemeral_message_opens(pieces: Any) -> None:
    v = pieces["ephemeral"]
    header, payload = ephemeral.EphemeralReceiver(RoomId(raw(pieces["room"]))).decrypt(
        ephemeral.EphemeralMessage(raw(v["body"]), raw(v["sig"]), raw(v["ct"])),
        lambda uid, dev: raw(v["sign_pk"]),
        lambda e: raw(v["k"]),
        v["now"],
    )
    assert payload.decode() == v["payload"]
    assert (header.uid.hex(), header.dev.hex(), header.epoch) == (v["uid"], v["dev"], v["epoch"])


def test_a_file_opens_from_its_manifest(pieces: Any) -> None:
    v, own = pieces["blob"], RoomId(raw(pieces["room"]))
    manifest = blob_manifest.Manifest.decode(raw(v["manifest"]))
    assert manifest.encode() == raw(v["manifest"])
    opened = [blob_manifest.decrypt_part(own, p, raw(ct)) for p, ct in zip(manifest.parts, v["parts"], strict=True)]
    assert [o.hex() for o in opened] == v["plain"]
    assert sum(map(len, opened)) == manifest.size


def test_every_type_of_user_entry_decodes_alone(person: Any) -> None:
    for entry, head in zip(person["entries"], person["heads"], strict=True):
        decoded = UserEntry.decode(raw(entry["body"]))
        assert decoded.type == entry["type"]
        assert decoded.ident == Hash(raw(head))


def test_a_proof_that_was_carried_away_still_convinces() -> None:
    vector = load("proof")
    proof = signed_receipts.Proof.decode(raw(vector["proof"]))
    proof.check(raw(vector["agency_pk"]))
    r = proof.receipt
    assert [r.room.hex(), r.n, r.rh.hex(), r.t] == [vector["room"], vector["n"], vector["rh"], vector["t"]]
    assert proof.encode().hex() == vector["proof"]
    claim: Any = dec(raw(vector["claim"]), limit=1 << 20)
    version, content = claim
    assert version == 1
    items = [Item(n, t, kind, body, sig, None) for n, t, kind, body, sig in content]
    assert signed_receipts.claim(items).hex() == vector["claim"]
    assert [(i.n, bool(i.sig)) for i in items] == [(42, False), (43, True)]


def test_a_successor_names_its_origin_and_its_objects() -> None:
    vector = load("successor")
    genesis = payload_reading.read_payload("genesis", dec(raw(vector["payload"]), limit=1024), {}, lenient=False)
    assert isinstance(genesis, payloads.Genesis)
    old, new = RoomId(raw(vector["old"])), RoomId(raw(vector["successor"]))
    assert successor_claim.origin(genesis) == successor_claim.Origin(
        room=old, n=vector["n"], rh=Hash(raw(vector["rh"]))
    )
    for obj, there in vector["objects"]:
        assert successor_claim.object_in(new, old, ObjId(raw(obj))).hex() == there


@pytest.mark.parametrize("variant", ["by_code", "by_digits"])
def test_a_second_device_that_was_let_in_reads_the_same(pairing: Any, variant: str) -> None:
    vector, agency = pairing[variant], Hash(raw(pairing["agency"]))
    code = PairingCode.parse(vector["code"]) if vector["code"] else None
    assert vector["box"] == (code.box.hex() if code else "")
    first, second, third, fourth = (raw(message) for message in vector["messages"])
    old, new = pairing["old"], pairing["new"]
    secrets = DeviceSecrets(sign=raw(new["sign"]), kem=raw(new["kem"]), root=b"")
    entering = Entering(agency, secrets, vector["name"], vector["system"], code)
    cover = Cover(agency, code)
    (content,) = cover.take("new", first, 1)
    header, nonce = cover.take("old", second, 2)
    entering.old = OldDevice.read(header)
    assert entering.old.genesis.hex() == old["genesis"]
    assert entering.done(fourth) == (4, raw(new["dev"]))
    admitting = Admitting(agency, KemKey(raw(old["kem"])), code)
    admitting.receive_first(first)
    admitting._old, admitting._nonce = entering.old, nonce  # type: ignore[assignment]
    admitting._cover._transcript = H(
        "enrol-transcript", H("enrol-transcript", H("enrol-transcript", agency), first), second
    )
    admitting.check(third)
    assert admitting.new is not None
    assert (admitting.new.name, admitting.new.system, admitting.digits) == (
        vector["name"],
        vector["system"],
        vector["digits"],
    )
    assert admitting.new.sign_pk == SigningKey(secrets.sign).public
    assert content == (admitting.new.fields() if code else content)


@pytest.mark.parametrize("variant", ["by_code", "by_digits"])
def test_a_second_device_follows_the_same_moves_of_the_log(variant: str) -> None:
    moved = load("moved")
    agency, old, new = Hash(raw(moved["agency"])), moved["old"], moved["new"]
    code = PairingCode.parse(moved[variant]["code"]) if moved[variant]["code"] else None
    secrets = DeviceSecrets(sign=raw(new["sign"]), kem=raw(new["kem"]), root=b"")
    first, second, third, *between, fourth = map(raw, moved[variant]["messages"])
    entering = Entering(agency, secrets, "Bärbar dator 🙂", "Debian 13", code)
    admitting = Admitting(agency, KemKey(raw(old["kem"])), code)
    cover = Cover(agency, code)
    cover.take("new", first, 1)
    header, nonce = cover.take("old", second, 2)
    admitting.receive_first(first)
    entering.old = admitting._old = OldDevice.read(header)
    admitting._nonce = nonce  # type: ignore[assignment]
    for side in (entering, admitting):
        side._cover._transcript = cover._transcript
    admitting.check(third)
    entering._cover.note(third)
    entering.heads.append((entering.old.seq, entering.old.head))
    for fifth, sixth in zip(between[::2], between[1::2], strict=True):
        assert entering.prove_again(fifth) is not None
        entering._cover._transcript = admitting._cover._transcript
        entering._cover.note(fifth)
        entering._cover.note(sixth)
        admitting._old = entering.old
        admitting._cover.note(fifth)
        admitting.check_again(sixth)
    assert [[seq, head.hex()] for seq, head in entering.heads] == moved["heads"]
    assert entering.done(fourth) == (moved["done"], raw(new["dev"]))


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


def test_snapshot_attest_and_baseline_open() -> None:
    vector = load("states")
    stream, own = RoomStream(RoomId(raw(vector["room"]))), RoomId(raw(vector["room"]))
    items = [
        Item(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), raw(i["ct"]) if i["ct"] else None)
        for i in vector["items"]
    ]
    opened = []
    *accepted, prune = stream.accept(items, book_of(vector))
    assert isinstance(prune, AcceptedEntry)
    assert (prune.entry.type, prune.void) == ("prune", None)
    for a in accepted:
        assert a.void is None
        if isinstance(a, AcceptedEnvelope):
            k, archive = map(raw, vector["epoch_keys"][str(a.hdr.epoch)])
            secret = archive if a.hdr.kind == envelope.SNAPSHOT else k
            assert a.ct is not None
            key = ObjectKeys(own).key(secret, a.hdr.epoch, a.hdr.obj, raw(vector["share"]), a.hdr.kind)
            opened.append(decrypt_op(key, a.hdr_bytes, a.ct))
    whole = snapshots.joined([snapshots.Piece.decode(payload) for payload in opened[1:3]])
    assert whole == raw(vector["whole"])
    assert opened[3] == opened[4]
    attest = snapshots.Attest.decode(opened[3])
    assert (attest.n, attest.snapshot.hex(), attest.digest.hex()) == (
        vector["covers"],
        vector["snapshot"],
        vector["hash"],
    )
    assert unpack(opened[5])[0][1].decode() == vector["baseline"]
    for e, sealed in vector["seals"].items():
        assert merkle.root(list(map(raw, sealed))) == stream.epochs[int(e)].root
    assert stream.to_bytes().hex() == vector["state"]
    assert RoomStream.from_bytes(raw(vector["state"])).state == stream.state


@pytest.mark.parametrize("kind", ["document", "board"])
def test_pieces_and_attest_of_a_document_and_a_board_are_read_and_written_the_same(kind: str) -> None:
    vector = load("attested")
    case = vector[kind]
    pieces = [snapshots.Piece.decode(raw(piece)) for piece in case["pieces"]]
    assert [p.encode().hex() for p in pieces] == case["pieces"]
    assert {p.digest.hex() for p in pieces} == {case["hash"]}
    assert snapshots.joined(pieces) is not None
    assert snapshots.joined(pieces[::-1]) is None
    attest = snapshots.Attest.decode(raw(case["attest"]))
    assert attest.encode().hex() == case["attest"]
    assert [attest.obj.hex(), attest.n, attest.snapshot.hex()] == [vector["obj"], vector["n"], vector["snapshot"]]


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
