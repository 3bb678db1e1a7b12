# SPDX-License-Identifier: EUPL-1.2
"""A room's items, keys, envelopes and state (PROTOCOL.md §4 to §7), read from tests/vectors by another program."""

import struct
from typing import Any

import pytest

from tests.reader import people, rooms
from tests.reader.own import JudgedRoom
from tests.reader.primitives import H, KemKey, Refused, dec, enc, verify
from tests.reader.rooms import Room
from tests.reader.vectors import load, raw


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
