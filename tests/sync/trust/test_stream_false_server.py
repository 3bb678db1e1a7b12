# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream: everybody agrees on every position, and what only a false server shows is refused."""

from dataclasses import replace

import pytest

from sync.errors import NeedLog, Reject
from sync.trust.formats.items import ENTRY, ENVELOPE, Item
from sync.trust.room.envelope import EncryptedBatch
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import Book, Room, signed_ops
from tests.sync.trust.verdicts import TEXT, not_placed, ops_by, refused

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
