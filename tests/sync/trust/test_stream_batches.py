# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream: batches with one signature, and the order of a device's own envelopes."""

import os
from dataclasses import replace

import pytest

from sync.errors import Reject
from sync.ids import Hash, ObjId
from sync.trust.formats.items import ENVELOPE, Item
from sync.trust.room import envelope, snapshots
from sync.trust.room.envelope import share_commitment
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by
from tests.sync.trust.people import signed_ops
from tests.sync.trust.verdicts import TEXT, not_placed, ops_by, refused

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
