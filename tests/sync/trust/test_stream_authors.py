# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream: each item is judged at its own position, by what its author was allowed to do there and by what
is pinned of the author's log."""

from dataclasses import replace

import pytest

from sync.errors import Reject
from sync.ids import ObjId
from sync.trust.formats.items import Role
from sync.trust.room import envelope
from sync.trust.room.envelope import PlainOp, encrypt_batch, pack
from tests.sync.trust.conftest import Scene
from tests.sync.trust.verdicts import not_placed, ops_by, refused, void

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
