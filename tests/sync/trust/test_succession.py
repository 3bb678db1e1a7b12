# SPDX-License-Identifier: EUPL-1.2
"""A genesis that names a stopped room: its content, and whose claim counts."""

from sync.ids import ObjId, RoomId
from sync.trust.formats.items import Role
from sync.trust.room.entry_drafts import new_room
from sync.trust.room.payloads import Genesis
from sync.trust.room.stream import AcceptedEntry, RoomStream
from sync.trust.room.successor_claim import Origin, may_continue, object_in, origin
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW, Room


def test_a_genesis_names_the_room_position_and_hash_that_it_continues(scene: Scene) -> None:
    old = scene.room.stream
    at = Origin(room=RoomId(scene.room.id), n=old.n, rh=old.rh)
    room = Room(scene.office, RoomStream(None))
    room.append(scene.head, new_room(scene.head.author, scene.office.book, NOW, origin=at))
    (genesis, *_) = RoomStream(None).accept(room.items, scene.office.book)
    assert isinstance(genesis, AcceptedEntry)
    assert isinstance(genesis.entry.payload, Genesis)
    assert origin(genesis.entry.payload) == at


def test_attack_only_an_owner_of_the_old_room_is_believed(scene: Scene) -> None:
    room = scene.room
    assert may_continue(room.stream.state, scene.head.uid)
    assert not may_continue(room.stream.state, scene.clerk.uid)
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    assert not may_continue(room.stream.state, scene.clerk.uid)


def test_attack_whoever_was_an_owner_once_is_not_believed(scene: Scene) -> None:
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.OWNER))
    assert may_continue(room.stream.state, scene.clerk.uid)
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.WRITER))
    assert not may_continue(room.stream.state, scene.clerk.uid)


def test_every_client_knows_an_objects_id_in_the_successor() -> None:
    old, new = RoomId(b"gammalt rum     "), RoomId(b"nytt rum        ")
    assert object_in(new, old, ObjId(old)) == ObjId(new)
    one, two = (object_in(new, old, ObjId(bytes([i]) * 16)) for i in (1, 2))
    assert len({one, two, object_in(RoomId(b"ett annat rum   "), old, ObjId(bytes([1]) * 16))}) == 3
    assert len(one) == 16
