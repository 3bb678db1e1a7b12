# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream: the objects in it, and their shares and keys."""

import os

import pytest

from sync.errors import Reject
from sync.ids import Hash, ObjId, RoomId
from sync.trust.room import envelope, state_codec
from sync.trust.room.envelope import ObjectKeys, share_commitment
from sync.trust.room.stream import AcceptedEntry, RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.verdicts import not_placed, ops_by, void


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
