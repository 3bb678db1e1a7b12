# SPDX-License-Identifier: EUPL-1.2
"""Rules of positions, authors and pins, one by one (PROTOCOL.md, "Rules and their tests")."""

import hashlib
from dataclasses import replace

import pytest

from sync.errors import NeedLog, Reject
from sync.protocol.messages import WireItem
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role, item_id, next_rh, stub
from sync.trust.person.user_log import UserLog
from sync.trust.room import entry_drafts
from sync.trust.room.entries import DOMAIN, entry_body
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by, entry_by, epoch_in
from tests.sync.trust.people import NOW, Book, Room, Someone
from tests.sync.trust.test_roomlog import refused as no_entry
from tests.sync.trust.verdicts import not_placed, ops_by, refused, void

NOTE: list[object] = [b"x"]


def test_the_running_hash_covers_number_time_kind_id_and_all_before() -> None:
    before, ident = b"a" * 32, b"b" * 32
    number, t = (5).to_bytes(8, "big"), (7).to_bytes(8, "big")
    rh = next_rh(before, 5, 7, ENVELOPE, ident)
    assert rh == hashlib.sha256(b"rh" + before + number + t + b"\2" + ident).digest()
    others = [
        next_rh(ident, 5, 7, ENVELOPE, ident),
        next_rh(before, 6, 7, ENVELOPE, ident),
        next_rh(before, 5, 8, ENVELOPE, ident),
        next_rh(before, 5, 7, ENTRY, ident),
        next_rh(before, 5, 7, ENVELOPE, before),
    ]
    assert len({rh, *others}) == 6


def test_an_item_is_the_position_that_a_frame_carries() -> None:
    wire = WireItem(5, 7, ENVELOPE, b"body", b"signature", b"ciphertext")
    assert Item.of(wire) == Item(n=5, t=7, kind=ENVELOPE, body=b"body", sig=b"signature", ct=b"ciphertext")


def test_a_stub_has_the_time_the_kind_and_the_id() -> None:
    item = Item(n=5, t=7, kind=ENVELOPE, body=b"body", sig=b"", ct=None)
    assert stub(item) == (7).to_bytes(8, "big") + b"\2" + item_id(ENVELOPE, b"body")


def second(room: Room, by: Someone, kind: str, payload: object) -> Item:
    """An entry for position 2 of a room that has only its genesis."""
    first, a = room.items[0], by.author
    ident = item_id(ENTRY, first.body)
    body = entry_body(room.id, 1, ident, a.uid, a.dev, (1, room.rhs[1]), a.ulog, NOW, kind, payload)
    return Item(2, room.t, ENTRY, body, a.signing.sign(DOMAIN, item_id(ENTRY, body)), None)


def test_attack_the_second_position_is_the_founders_first_epoch(scene: Scene) -> None:
    room = scene.room
    founding = epoch_in(entry_drafts.Draft(room=room.id, entries=[(room.items[1].body, b"")])).payload()
    for by, kind, payload in ((scene.head, "note", NOTE), (scene.clerk, "epoch", [founding])):
        client = RoomStream(room.id)
        client.accept(room.items[:1], scene.office.book)
        with pytest.raises(Reject, match="order"):
            client.accept([second(room, by, kind, payload)], scene.office.book, room.rh_at)
    assert not room.client(1).epochs


def test_attack_a_genesis_stands_at_the_beginning_only(scene: Scene) -> None:
    room = scene.room
    again: list[object] = [bytes(32), {}, None]
    for draft in (
        entry_by(room, scene.head, "genesis", again),
        entry_by(room, scene.head, "genesis", again, room=None),
        entry_by(room, scene.head, "note", NOTE, room=None),
    ):
        assert refused(room, room.forced_entry(draft)) == "order"


def test_attack_items_signed_for_another_room_are_refused(scene: Scene) -> None:
    room, other = scene.room, Room.founded(scene.office, scene.clerk)
    draft = entry_by(room, scene.clerk, "note", NOTE, room=other.id)
    assert refused(room, room.forced_entry(draft)) == "other-room"
    ops = batch_by(room, scene.clerk, [{"room": other.id}])
    assert refused(room, room.forced_ops(ops)) == "other-room"
    assert not_placed(room, ops) == "other-room"


def test_attack_an_entry_that_saw_another_history_is_a_fork(scene: Scene) -> None:
    room, n = scene.room, scene.room.stream.n
    for seen in ((n, bytes(32)), (n - 1, bytes(32)), (0, b"\1" * 32), (n + 1, bytes(32))):
        draft = entry_by(room, scene.clerk, "note", NOTE, seen=seen)
        assert refused(room, room.forced_entry(draft)) == "fork"


def test_attack_an_entry_that_has_seen_less_than_before_is_void(scene: Scene) -> None:
    room = scene.room
    old = (room.stream.n, room.stream.rh)
    room.push(room.seal(scene.head, b"1"))
    room.push(ops_by(room, scene.clerk))
    assert no_entry(room, scene.clerk, entry_by(room, scene.clerk, "note", NOTE, seen=old)) == "stale"


def test_attack_a_position_of_its_own_is_not_seen(scene: Scene) -> None:
    """No author can have seen the position of the item itself, regardless of its hash."""
    room = scene.room
    n = room.stream.n + 1
    draft = entry_by(room, scene.clerk, "note", NOTE, seen=(n, bytes(32)))
    client = room.client()
    with pytest.raises(Reject, match="fork"):
        client.accept(room.forced_entry(draft), scene.office.book, lambda at: bytes(32) if at == n else room.rh_at(at))


def test_attack_an_item_with_a_newer_log_than_is_at_hand_is_not_judged(scene: Scene) -> None:
    """The item is not void for lack of evidence: the log is requested, and the verdict is the one that every client
    reaches."""
    room, some = scene.room, Book()
    some.logs = {**scene.office.book.logs, scene.clerk.uid: UserLog.replay(scene.clerk.entries, scene.office.agency.pk)}
    client = room.client()
    scene.clerk.rotate_puk()
    for items in (
        room.forced_ops(ops_by(room, scene.clerk)),
        room.forced_entry(entry_by(room, scene.clerk, "note", NOTE)),
    ):
        with pytest.raises(NeedLog) as e:
            client.accept(items, some, room.rh_at)
        assert (e.value.uid, e.value.seq, client.n) == (scene.clerk.uid, 3, room.stream.n)


# -- pins -------------------------------------------------------------------------------------------------------


def test_attack_an_accepted_entry_pins_its_authors_log(scene: Scene) -> None:
    room = scene.room
    scene.clerk.rotate_puk()
    room.append(scene.clerk, entry_by(room, scene.clerk, "note", NOTE))
    assert room.stream.pins[scene.clerk.uid] == (3, scene.clerk.log.head)
    old = entry_by(room, scene.clerk, "note", NOTE, ulog=(2, scene.clerk.log.heads[2]))
    assert no_entry(room, scene.clerk, old) == "stale"


def test_attack_a_pin_never_moves_back(scene: Scene) -> None:
    room = scene.room
    scene.head.rotate_puk()
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.head.uid]))
    scene.clerk.rotate_puk()
    back = entry_by(room, scene.clerk, "pin", [[[scene.head.uid, 2, scene.head.log.heads[2]]]])
    assert no_entry(room, scene.clerk, back) == "stale"
    both = [[scene.clerk.uid, 3, scene.clerk.log.head], [scene.head.uid, 2, scene.head.log.heads[2]]]
    room.append(scene.clerk, entry_by(room, scene.clerk, "pin", [both]))
    assert room.stream.pins[scene.head.uid] == (3, scene.head.log.head)


def test_attack_a_person_is_not_added_below_the_pinned_head(scene: Scene) -> None:
    room = scene.room
    scene.clerk.rotate_puk()
    room.append(scene.head, room.drafter(scene.head).pin([scene.clerk.uid]))
    room.append(scene.head, room.drafter(scene.head).remove(scene.clerk.uid))
    below = [scene.clerk.uid, 2, True, [2, scene.clerk.log.heads[2]], bytes(32), None]
    assert no_entry(room, scene.head, entry_by(room, scene.head, "add", below)) == "stale"


# -- void -------------------------------------------------------------------------------------------------------


def test_attack_a_void_entry_leaves_no_trace_but_its_hash(scene: Scene) -> None:
    """Also where the rule that fails is the last of several, and earlier ones had already changed the state."""
    room, log = scene.room, scene.guest.log
    epoch = epoch_in(room.drafter(scene.head).rotate())
    add = [log.uid, 2, False, [log.seq, log.head], bytes(32), epoch.payload()]
    scene.clerk.rotate_puk()
    client = room.client()
    before = client.state
    kept = (before.members, before.pins, before.policy, before.epochs, before.rotation_owed, before.dev_owner)
    for draft, why in (
        (entry_by(room, scene.head, "add", add), "recipients"),
        (entry_by(room, scene.clerk, "policy", [{}, None]), "forbidden"),
    ):
        client = room.client()
        assert client.accept(room.forced_entry(draft), scene.office.book, room.rh_at)[0].void == why
        s = client.state
        assert (s.members, s.pins, s.policy, s.epochs, s.rotation_owed, s.dev_owner) == kept
        assert (s.n, s.rh != before.rh, s.entry_seq) == (before.n + 1, True, before.entry_seq + 1)


def test_attack_a_void_batch_pins_nothing(scene: Scene) -> None:
    room = scene.room
    scene.clerk.rotate_puk()
    client = room.client()
    client.accept(room.forced_ops(ops_by(room, scene.clerk, epoch=9)), scene.office.book, room.rh_at)
    assert client.pins == room.stream.pins


def test_attack_what_one_who_left_writes_afterwards_is_void(scene: Scene) -> None:
    room = scene.room
    before = ops_by(room, scene.clerk)
    room.append(scene.clerk, room.drafter(scene.clerk).leave())
    assert void(room, room.forced_ops(before)) == "forbidden"
    assert not_placed(room, before) == "forbidden"
    assert no_entry(room, scene.clerk, entry_by(room, scene.clerk, "cannot_open", [1])) == "forbidden"


def test_attack_a_removal_without_its_epoch_is_refused(scene: Scene) -> None:
    draft = entry_by(scene.room, scene.head, "rm", [scene.clerk.uid, 0, b"", None])
    assert void(scene.room, scene.room.forced_entry(draft)) == "malformed"
    with pytest.raises(Reject, match="malformed"):
        scene.room.append(scene.head, draft)


def test_attack_a_prune_reaches_only_what_stands_before_it(scene: Scene) -> None:
    room = scene.room
    for n in (0, room.stream.n + 1, room.stream.n + 100):
        assert no_entry(room, scene.head, entry_by(room, scene.head, "prune", [bytes(16), n, bytes(32)])) == "forbidden"
    last = entry_by(room, scene.head, "prune", [bytes(16), room.stream.n, bytes(32)])
    assert no_entry(room, scene.head, last) == "snapshot", "but nothing stands behind it"


def test_one_epoch_clears_all_that_was_pending(scene: Scene) -> None:
    """A leave, a lost role and a revocation, one after the other, and one rotation by a writer."""
    room, office = scene.room, scene.office
    room.join(scene.head, scene.guest)
    third = office.hire("Arkivarie")
    room.join(scene.head, third)
    third.add_device()
    third.revoke(1, office.agency)
    room.append(scene.guest, room.drafter(scene.guest).leave())
    room.append(scene.head, room.drafter(scene.head).pin([third.uid]))
    room.append(scene.head, room.drafter(scene.head).set_role(third.uid, Role.READER))
    assert room.stream.rotation_owed
    draft = room.drafter(scene.clerk).rotate()
    room.append(scene.clerk, draft)
    assert not room.stream.rotation_owed
    assert len(draft.seals) == 2, "who left is no recipient, and who lost a device is left out until a newer key"
    assert replace(room.stream.epochs[2], pins=()) == room.client().epochs[2]
