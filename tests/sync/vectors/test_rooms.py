# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: rooms, their keys and states, evidence and successors."""

from typing import Any

from sync.crypto.encoding import dec
from sync.ids import Hash, ObjId, RoomId, Uid
from sync.protocol.messages import Receipt
from sync.trust.formats.items import Item, item_id, next_rh
from sync.trust.keys import merkle
from sync.trust.keys.epochs import KeyRing, in_order, open_seal, recipients_hash, walk_back
from sync.trust.person.author import puk_key
from sync.trust.room import envelope, payload_reading, payloads, signed_receipts, snapshots, successor_claim
from sync.trust.room.envelope import ObjectKeys, decrypt_op, root_share, unpack
from sync.trust.room.stream import AcceptedEntry, AcceptedEnvelope, RoomStream
from tests.sync.vectors.stored import book_of, items_of, load, raw


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


def test_a_room_of_ones_own_is_judged_as_when_it_was_written() -> None:
    vector = load("own")
    stream = RoomStream(RoomId(raw(vector["room"])))
    accepted = stream.accept(items_of(vector), book_of(vector))
    assert [a.void for a in accepted] == [i["void"] for i in vector["items"]]
    rows = stream.state.snapshots[raw(vector["obj"])]
    assert [[row.ident.hex(), [by.hex() for by, _ in row.attests]] for row in rows] == vector["attests"]
    assert RoomStream.from_bytes(raw(vector["state"])).state == stream.state
    assert stream.to_bytes() == raw(vector["state"])
