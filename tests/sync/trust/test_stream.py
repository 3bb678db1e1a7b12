# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream against a false server and false members: what is refused, what is void, what pins what."""

import os
from dataclasses import replace
from typing import Any

import pytest

from sync.errors import NeedLog, Reject
from sync.ids import ChangeId, Hash, ObjId, RoomId
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role
from sync.trust.room import envelope, snapshots, state_codec
from sync.trust.room.envelope import EncryptedBatch, ObjectKeys, PlainOp, encrypt_batch, pack, share_commitment
from sync.trust.room.stream import AcceptedEntry, RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by
from tests.sync.trust.people import Book, Room, Someone, signed_ops

TEXT = "Hej på er, åäö 🙂".encode()


def refused(room: Room, items: list[Item], client: RoomStream | None = None) -> str:
    """The code with which a client refuses these items; nothing of it may have changed."""
    client = client or room.client()
    before = client.to_bytes()
    with pytest.raises(Reject) as e:
        client.accept(items, room.office.book, room.rh_at)
    assert client.to_bytes() == before
    return e.value.code


def void(room: Room, items: list[Item]) -> str | None:
    """The reason why a client judges the last of these items void."""
    return room.client().accept(items, room.office.book, room.rh_at)[-1].void


def not_placed(room: Room, ops: EncryptedBatch) -> str:
    with pytest.raises(Reject) as e:
        room.push(ops)
    return e.value.code


def ops_by(room: Room, by: Someone, **changes: object) -> EncryptedBatch:
    """An op with some header fields changed, properly signed by its author."""
    s, k = room.stream, bytes(32)
    author = by.author
    fields: dict[str, Any] = {
        "epoch": s.epoch,
        "seen": (s.n, s.rh),
        "first_seq": 1,
        "prev": s.next_prev(by.uid, author.dev),
        "obj": ObjId(room.id),
        "kind": envelope.OP,
        "share_c": b"",
        "ulog": author.ulog,
        **changes,
    }
    op = PlainOp(fields["obj"], k, fields["share_c"], pack([(ChangeId(os.urandom(16)), TEXT)]), fields["kind"])
    author = replace(author, ulog=fields["ulog"])
    return encrypt_batch(author, room.id, fields["epoch"], fields["seen"], fields["first_seq"], fields["prev"], [op])


# -- the happy path ---------------------------------------------------------------------------------------------


def test_a_client_and_the_server_agree_on_every_position(scene: Scene) -> None:
    room = scene.room
    room.push(room.seal(scene.clerk, TEXT, b"2", b"3"))
    room.push(room.seal(scene.head, b"4"))
    client = room.client()
    assert (client.n, client.rh, client.t) == (room.stream.n, room.stream.rh, room.stream.t)
    assert client.to_bytes() == room.stream.to_bytes()


def test_slices_of_any_size_give_the_same_state(scene: Scene) -> None:
    room = scene.room
    for text in (TEXT, b"2", b"3"):
        room.push(room.seal(scene.clerk, text))
    client = RoomStream(room.id)
    for item in room.items:
        client.accept([item], room.office.book, room.rh_at)
    assert client.to_bytes() == room.client().to_bytes()


def test_a_stream_goes_on_from_its_bytes(scene: Scene) -> None:
    room = scene.room
    room.push(room.seal(scene.clerk, TEXT))
    client = RoomStream.from_bytes(room.client().to_bytes())
    room.push(room.seal(scene.head, b"2"))
    client.accept(room.items[client.n :], room.office.book, room.rh_at)
    assert client.to_bytes() == room.stream.to_bytes()


def test_recent_hashes_are_those_of_the_positions(scene: Scene) -> None:
    room = scene.room
    room.push(room.seal(scene.clerk, TEXT, b"2"))
    assert room.client().recent(3) == room.rhs[-3:]


# -- what only a false server shows -----------------------------------------------------------------------------


def test_attack_a_hidden_item_is_a_gap(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT))
    room.push(room.seal(scene.head, b"2"))
    assert refused(room, room.items[-1:], client) == "gap"


def test_attack_a_hidden_item_renumbered_is_a_fork_for_whoever_saw_it(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT))
    room.push(room.seal(scene.head, b"2"))
    last = room.items[-1]
    assert refused(room, [replace(last, n=last.n - 1)], client) == "fork"


def test_attack_two_items_in_another_order_are_a_fork(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    first, second = room.seal(scene.clerk, TEXT), room.seal(scene.head, b"2")
    room.push(first)
    room.push(second)
    third = room.seal(scene.clerk, b"3")
    room.push(third)
    a, b, c = room.items[-3:]
    swapped = [replace(b, n=a.n, t=a.t), replace(a, n=b.n, t=b.t), c]
    assert refused(room, swapped, client) == "fork"


def test_attack_another_time_is_a_fork_for_whoever_saw_it(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT))
    room.push(room.seal(scene.head, b"2"))
    first, second = room.items[-2:]
    assert refused(room, [replace(first, t=first.t + 1), second], client) == "fork"


def test_attack_time_that_runs_backwards_is_refused(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT))
    assert refused(room, [replace(room.items[-1], t=client.t - 1)], client) == "time"


def test_attack_a_position_seen_before_it_was_is_a_fork(scene: Scene) -> None:
    room = scene.room
    ahead = ops_by(room, scene.clerk, seen=(room.stream.n + 1, bytes(32)))
    assert refused(room, room.forced_ops(ahead)) == "fork"


def test_attack_changed_bytes_are_refused(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT))
    item = room.items[-1]
    assert item.ct is not None
    flipped = bytes([item.ct[0] ^ 1]) + item.ct[1:]
    assert refused(room, [replace(item, ct=flipped)], client) == "content-hash"
    assert refused(room, [replace(item, ct=item.ct + b"\0")], client) == "content-hash"
    assert refused(room, [replace(item, sig=bytes(64))], client) == "signature"


def test_attack_a_forged_entry_is_refused(scene: Scene) -> None:
    room = scene.room
    draft = room.any_entry(scene.clerk, "note", [b"x"])
    body, sig = draft.entries[0]
    forged = room.forced(ENTRY, (body, bytes(64), None))
    assert refused(room, forged) == "signature"
    assert refused(room, [replace(forged[0], sig=sig, ct=b"x")]) == "malformed"


def test_attack_an_entry_shown_twice_breaks_the_chain(scene: Scene) -> None:
    room = scene.room
    draft = room.any_entry(scene.clerk, "note", [b"x"])
    room.append(scene.clerk, draft)
    assert refused(room, room.forced_entry(draft)) == "chain"


def test_attack_a_replayed_envelope_is_refused(scene: Scene) -> None:
    room = scene.room
    ops = room.seal(scene.clerk, TEXT)
    room.push(ops)
    assert refused(room, room.forced_ops(ops)) == "replay"
    assert not_placed(room, ops) == "replay"


def test_attack_a_dropped_envelope_breaks_the_devices_chain(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    seen = (room.stream.n, room.stream.rh)
    room.push(room.seal(scene.clerk, TEXT))
    second = room.seal(scene.clerk, b"2", seen=seen)
    n = client.n
    shown = [Item(n + 1, room.t, ENVELOPE, *signed_ops(second)[0])]
    assert refused(room, shown, client) == "chain"


def test_attack_an_item_of_another_room_is_refused(scene: Scene) -> None:
    other = Room.founded(scene.office, scene.clerk)
    ops = other.seal(scene.clerk, TEXT)
    moved = room_items(scene.room, ops)
    assert refused(scene.room, moved) == "chain"


def room_items(room: Room, ops: EncryptedBatch) -> list[Item]:
    return room.forced(ENVELOPE, *signed_ops(ops))


def test_attack_another_genesis_than_the_expected_is_refused(scene: Scene) -> None:
    other = Room.founded(scene.office, scene.clerk)
    with pytest.raises(Reject) as e:
        RoomStream(scene.room.id).accept(other.items, scene.office.book, other.rh_at)
    assert e.value.code == "other-room"


def test_attack_a_room_that_begins_otherwise_is_refused(scene: Scene) -> None:
    with pytest.raises(Reject) as e:
        RoomStream(None).accept(scene.room.items[1:2], scene.office.book, None)
    assert e.value.code in ("gap", "order")
    genesis = scene.room.items[:1]
    s = RoomStream(scene.room.id)
    s.accept(genesis, scene.office.book, None)
    draft = scene.room.any_entry(scene.head, "note", [b"x"])
    body, sig = draft.entries[0]
    with pytest.raises(Reject, match="chain"):
        s.accept([Item(2, scene.room.t, ENTRY, body, sig, None)], scene.office.book, None)


def test_a_log_that_is_not_at_hand_is_asked_for_and_nothing_changes(scene: Scene) -> None:
    room = scene.room
    room.push(room.seal(scene.clerk, TEXT))
    some = Book()
    some.logs[scene.head.uid] = scene.head.log
    client = RoomStream(room.id)
    with pytest.raises(NeedLog) as e:
        client.accept(room.items, some, room.rh_at)
    assert (e.value.uid, client.n) == (scene.clerk.uid, 0)
    some.logs[scene.clerk.uid] = scene.clerk.log
    client.accept(room.items, some, room.rh_at)
    assert client.n == room.stream.n


def test_attack_another_head_of_a_persons_log_is_refused(scene: Scene) -> None:
    room = scene.room
    ops = ops_by(room, scene.clerk, ulog=(2, bytes(32)))
    assert refused(room, room.forced_ops(ops)) == "ulog"


# -- batches ----------------------------------------------------------------------------------------------------


def test_a_batch_has_one_signature_at_its_tail(scene: Scene) -> None:
    room = scene.room
    accepted = room.push(room.seal(scene.clerk, TEXT, b"2", b"3"))
    assert [bool(i.sig) for i in room.items[-3:]] == [False, False, True]
    assert all(a.void is None for a in accepted)


def test_attack_nothing_of_a_batch_counts_before_its_tail_verifies(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.push(room.seal(scene.clerk, TEXT, b"2", b"3"))
    batch = room.items[-3:]
    assert refused(room, batch[:2], client) == "batch"
    assert refused(room, [*batch[:2], replace(batch[2], sig=bytes(64))], client) == "signature"


def test_attack_a_batch_may_not_mix_lose_or_swap_ops(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    mine, other = room.seal(scene.clerk, TEXT, b"2", b"3"), room.seal(scene.head, b"x")
    a, b, c = signed_ops(mine)
    (x,) = signed_ops(other)
    for rows in ([a, c], [b, c], [b, a, c], [(x[0], b"", x[2]), c], [a, (x[0], b"", x[2]), c]):
        items = [Item(client.n + 1 + i, room.t, ENVELOPE, *row) for i, row in enumerate(rows)]
        assert refused(room, items, client) in ("chain", "signature", "fork")


def test_attack_more_than_256_ops_are_no_batch(scene: Scene) -> None:
    room = scene.room
    item = room.forced_ops(room.seal(scene.clerk, TEXT))[0]
    many = [replace(item, n=item.n + i, sig=b"" if i < 256 else item.sig) for i in range(257)]
    assert refused(room, many) == "batch"


def test_a_server_takes_no_batch_without_its_ciphertexts(scene: Scene) -> None:
    room = scene.room
    (row,) = signed_ops(room.seal(scene.clerk, TEXT))
    with pytest.raises(Reject) as e:
        room.stream.place(ENVELOPE, [(row[0], row[1], None)], room.t, room.office.book, room.rh_at)
    assert e.value.code == "malformed"


def test_a_missing_ciphertext_is_right_only_under_a_positioned_destroy_or_prune(scene: Scene) -> None:
    room = scene.room
    obj = ObjId(os.urandom(16))
    share = os.urandom(32)
    room.push(ops_by(room, scene.clerk, obj=obj, share_c=share_commitment(room.id, obj, share)))
    n = room.stream.n
    gone = [replace(i, ct=None) if i.n == n else i for i in room.items]
    client = RoomStream(room.id)
    client.accept(gone, room.office.book, room.rh_at)
    assert not client.may_be_gone(obj, n)
    room.join(scene.head, scene.guest)
    about: dict[str, object] = {"obj": obj, "kind": envelope.SNAPSHOT, "about": n.to_bytes(8, "big")}
    room.push(batch_by(room, scene.clerk, [about]))
    (row,) = room.stream.state.snapshots[obj]
    for who in (scene.head, scene.guest):
        room.push(batch_by(room, who, [{"obj": obj, "kind": envelope.ATTEST, "about": row.ident}]))
    room.t += snapshots.PRUNE_AFTER_MS
    room.append(scene.head, room.drafter(scene.head).prune(obj, n, row.ident))
    assert room.client().may_be_gone(obj, n)
    assert not room.client().may_be_gone(obj, n + 1)
    room.append(scene.head, room.drafter(scene.head).destroy(obj, Hash(bytes(32)), Hash(bytes(32))))
    assert room.client().may_be_gone(obj, n + 1)


# -- a device's own order ---------------------------------------------------------------------------------------


def test_gaps_in_dev_seq_are_allowed_but_never_the_same_or_less(scene: Scene) -> None:
    room = scene.room
    room.push(ops_by(room, scene.clerk, first_seq=70_000))
    assert not_placed(room, ops_by(room, scene.clerk, first_seq=70_000)) == "replay"
    assert not_placed(room, ops_by(room, scene.clerk, first_seq=3)) == "replay"
    room.push(ops_by(room, scene.clerk, first_seq=70_001))


def test_what_a_device_has_seen_never_falls(scene: Scene) -> None:
    room = scene.room
    old = (room.stream.n, room.stream.rh)
    room.push(room.seal(scene.clerk, TEXT))
    room.push(ops_by(room, scene.clerk, first_seq=2))
    late = ops_by(room, scene.clerk, first_seq=3, seen=old)
    assert not_placed(room, late) == "stale"
    assert refused(room, room.forced_ops(late)) == "seen"


def test_an_entry_counts_as_seen_too(scene: Scene) -> None:
    room = scene.room
    old = (room.stream.n, room.stream.rh)
    room.push(room.seal(scene.head, TEXT))
    room.append(scene.clerk, room.any_entry(scene.clerk, "note", [b"x"]))
    assert not_placed(room, ops_by(room, scene.clerk, seen=old)) == "stale"


def test_the_first_envelope_after_an_add_names_the_add(scene: Scene) -> None:
    room = scene.room
    wrong = ops_by(room, scene.clerk, prev=bytes(32))
    assert not_placed(room, wrong) == "stale"
    assert refused(room, room.forced_ops(wrong)) == "chain"
    room.push(ops_by(room, scene.clerk))


def test_one_who_is_removed_and_added_again_begins_at_the_new_add(scene: Scene) -> None:
    room = scene.room
    old = ops_by(room, scene.clerk)
    room.push(old)
    room.append(scene.head, room.drafter(scene.head).remove(scene.clerk.uid))
    room.join(scene.head, scene.clerk)
    tail = room.client().device_heads[scene.clerk.author.dev].ident
    assert not_placed(room, ops_by(room, scene.clerk, first_seq=2, prev=tail)) == "stale"
    room.push(ops_by(room, scene.clerk, first_seq=2))


# -- judged at the item's own position --------------------------------------------------------------------------


def test_attack_a_reader_writes_nothing(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.READER)
    ops = ops_by(room, scene.guest)
    assert not_placed(room, ops) == "forbidden"
    assert void(room, room.forced_ops(ops)) == "forbidden"
    assert void(room, room.forced_ops(ops_by(room, scene.guest, kind=envelope.ATTEST))) == "snapshot"
    for kind in (envelope.HEARTBEAT, envelope.PURGED):
        assert void(room, room.forced_ops(ops_by(room, scene.guest, kind=kind))) is None


def test_attack_a_baseline_comes_from_an_administrator(scene: Scene) -> None:
    room = scene.room
    assert void(room, room.forced_ops(ops_by(room, scene.clerk, kind=envelope.BASELINE))) == "forbidden"
    assert void(room, room.forced_ops(ops_by(room, scene.head, kind=envelope.BASELINE))) is None


def test_attack_a_stranger_writes_nothing(scene: Scene) -> None:
    room = scene.room
    ops = ops_by(room, scene.guest, prev=bytes(32))
    assert not_placed(room, ops) == "forbidden"
    assert void(room, room.forced_ops(ops)) == "forbidden"


def test_attack_what_a_removed_member_writes_afterwards_is_void(scene: Scene) -> None:
    room = scene.room
    before = ops_by(room, scene.clerk)
    room.append(scene.head, room.drafter(scene.head).remove(scene.clerk.uid))
    assert not_placed(room, before) == "forbidden"
    items = room.forced_ops(before)
    assert void(room, items) == "forbidden"
    client = room.client()
    client.accept(items, room.office.book, room.rh_at)
    assert (client.n, client.members) == (room.stream.n + 1, room.stream.members), "it keeps its position"


def test_attack_a_void_item_keeps_its_hash_for_all(scene: Scene) -> None:
    room = scene.room
    ops = ops_by(room, scene.clerk, epoch=7)
    one, two = room.client(), room.client()
    one.accept(room.forced_ops(ops), room.office.book, room.rh_at)
    assert one.rh != two.rh
    two.accept(room.forced_ops(ops), room.office.book, room.rh_at)
    assert one.to_bytes() == two.to_bytes()


def test_attack_an_old_epoch_is_stale(scene: Scene) -> None:
    room = scene.room
    old = ops_by(room, scene.clerk)
    room.append(scene.head, room.drafter(scene.head).rotate())
    assert not_placed(room, old) == "stale"
    assert void(room, room.forced_ops(old)) == "stale"
    assert void(room, room.forced_ops(ops_by(room, scene.clerk, epoch=3))) == "stale"


def test_attack_nothing_is_written_in_a_room_that_owes_a_rotation(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest)
    room.append(scene.guest, room.drafter(scene.guest).leave())
    assert room.stream.rotation_owed
    ops = ops_by(room, scene.clerk)
    assert not_placed(room, ops) == "rotation-owed"
    assert void(room, room.forced_ops(ops)) == "rotation-owed"
    room.append(scene.clerk, room.drafter(scene.clerk).rotate())
    assert not room.stream.rotation_owed
    room.push(ops_by(room, scene.clerk))


def test_attack_another_suite_or_kind_is_void_and_makes_nobody_blind(scene: Scene) -> None:
    room = scene.room
    ops = ops_by(room, scene.clerk, kind=8)
    assert not_placed(room, ops) == "format"
    client = room.client()
    assert client.accept(room.forced_ops(ops), room.office.book, room.rh_at)[0].void == "format"


def test_an_update_is_needed_only_when_policy_enables_what_this_program_lacks(scene: Scene) -> None:
    room = scene.room
    change: dict[str, object] = {"format": {"kinds": [8], "types": ["nytt"]}}
    room.append(scene.head, room.drafter(scene.head).policy(change))
    assert refused(room, room.forced_ops(ops_by(room, scene.clerk, kind=8))) == "format"
    assert void(room, room.forced_ops(ops_by(room, scene.clerk, kind=10))) == "format"
    assert refused(room, room.forced_entry(room.any_entry(scene.clerk, "nytt", []))) == "format"
    assert void(room, room.forced_entry(room.any_entry(scene.clerk, "annat", []))) == "format"


def test_attack_a_writer_cannot_enable_a_format(scene: Scene) -> None:
    room = scene.room
    draft = room.drafter(scene.clerk).policy({"format": {"kinds": [8]}})
    assert void(room, room.forced_entry(draft)) == "forbidden"


def test_attack_an_unreadable_entry_is_void_not_the_end_of_the_room(scene: Scene) -> None:
    room = scene.room
    for kind, payload in (("role", [b"x", 99, None]), ("note", 7), ("add", []), ("okänd", [])):
        draft = room.any_entry(scene.clerk, kind, payload)  # type: ignore[arg-type]  # 7 is the wrong shape
        with pytest.raises(Reject, match=r"malformed|format"):
            room.append(scene.clerk, draft)
        assert void(room, room.forced_entry(draft)) in ("malformed", "format")


# -- user logs and devices --------------------------------------------------------------------------------------


def test_an_accepted_item_pins_its_authors_log(scene: Scene) -> None:
    room = scene.room
    scene.clerk.rotate_puk()
    room.push(ops_by(room, scene.clerk))
    assert room.stream.pins[scene.clerk.uid][0] == 3
    old = (2, scene.clerk.log.heads[2])
    late = ops_by(room, scene.clerk, first_seq=2, ulog=old)
    assert not_placed(room, late) == "stale"
    assert void(room, room.forced_ops(late)) == "stale"


def test_attack_a_revoked_device_writes_nothing_after_the_pin(scene: Scene) -> None:
    room = scene.room
    before = ops_by(room, scene.clerk)
    scene.clerk.revoke(0, scene.office.agency)
    room.append(scene.head, room.drafter(scene.head).pin([scene.clerk.uid]))
    assert room.stream.rotation_owed, "the room must rotate"
    assert void(room, room.forced_ops(before)) == "stale"
    assert void(room, room.forced_ops(ops_by(room, scene.clerk))) == "revoked"


def test_a_device_that_is_older_than_the_pin_may_write_with_its_own_log(scene: Scene) -> None:
    room = scene.room
    tablet = scene.clerk.add_device()
    room.push(ops_by(room, tablet))
    assert room.stream.pins[scene.clerk.uid][0] == 3
    assert room.stream.device_heads.keys() == {tablet.author.dev} | {scene.head.author.dev}


def test_attack_a_device_named_before_it_was_added_is_refused(scene: Scene) -> None:
    room = scene.room
    tablet = scene.clerk.add_device()
    old = (2, scene.clerk.log.heads[2])
    assert refused(room, room.forced_ops(ops_by(room, tablet, ulog=old))) == "signature"


def test_attack_one_cannot_write_as_another(scene: Scene) -> None:
    room = scene.room
    mallory = replace(scene.head.author, signing=scene.clerk.author.signing)
    op = PlainOp(ObjId(room.id), bytes(32), b"", pack([]))
    s = room.stream
    forged = encrypt_batch(mallory, room.id, 1, (s.n, s.rh), 9, s.next_prev(mallory.uid, mallory.dev), [op])
    assert not_placed(room, forged) == "signature"


# -- objects and shares -----------------------------------------------------------------------------------------


def test_attack_a_share_is_committed_once_in_the_objects_first_op(scene: Scene) -> None:
    room = scene.room
    obj, share = ObjId(os.urandom(16)), os.urandom(32)
    commitment = share_commitment(room.id, obj, share)
    assert not_placed(room, ops_by(room, scene.clerk, obj=obj)) == "share"
    room.push(ops_by(room, scene.clerk, obj=obj, share_c=commitment))
    assert room.stream.state.shares[obj] == commitment
    again = ops_by(room, scene.clerk, obj=obj, share_c=bytes(32), first_seq=2)
    assert not_placed(room, again) == "share"
    assert void(room, room.forced_ops(again)) == "share"
    root_with_share = ops_by(room, scene.clerk, share_c=commitment, first_seq=2)
    assert not_placed(room, root_with_share) == "share", "the root object has its own"


def test_a_void_first_op_commits_no_share(scene: Scene) -> None:
    room = scene.room
    obj = ObjId(os.urandom(16))
    client = room.client()
    bad = ops_by(room, scene.clerk, obj=obj, share_c=bytes(32), epoch=5)
    client.accept(room.forced_ops(bad), room.office.book, room.rh_at)
    assert obj not in client.state.shares


def test_attack_a_destroyed_object_takes_nothing_more(scene: Scene) -> None:
    room = scene.room
    obj, share = ObjId(os.urandom(16)), os.urandom(32)
    room.push(ops_by(room, scene.clerk, obj=obj, share_c=share_commitment(room.id, obj, share)))
    room.append(scene.head, room.drafter(scene.head).destroy(obj, Hash(bytes(32)), Hash(bytes(32))))
    assert not_placed(room, ops_by(room, scene.clerk, obj=obj, first_seq=2)) == "destroyed"


def test_content_keys_differ_by_epoch_object_share_and_kind() -> None:
    room, obj = RoomId(os.urandom(16)), os.urandom(16)
    made = {
        ObjectKeys(room).key(k, e, o, s, kind)
        for k in (bytes(32), b"\1" * 32)
        for e in (1, 2)
        for o in (obj, room)
        for s in (bytes(32), b"\1" * 32)
        for kind in (envelope.OP,)
    }
    assert len(made) == 16
    keys = ObjectKeys(room)
    assert keys.key(bytes(32), 1, obj, bytes(32)) != keys.key(bytes(32), 1, obj, bytes(32), envelope.SNAPSHOT)


def test_a_slice_shows_its_entries_for_the_timeline(scene: Scene) -> None:
    accepted = RoomStream(scene.room.id).accept(scene.room.items, scene.office.book, scene.room.rh_at)
    assert [a.entry.type for a in accepted if isinstance(a, AcceptedEntry)] == ["genesis", "epoch", "add"]


def test_a_state_is_not_made_larger_than_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_codec, "STATE_LIMIT", 64)
    with pytest.raises(Reject) as e:
        RoomStream(RoomId(bytes(16))).to_bytes()
    assert (e.value.code, e.value.where) == state_codec.STATE_TOO_LARGE
