# SPDX-License-Identifier: EUPL-1.2
"""Totals of a room: the share of each person in objects, epochs and their links, and what is never stopped.
test_full_room.py has their sum."""

from dataclasses import replace

import pytest

from sync.errors import Reject
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import most_prev_bytes, new_epoch
from sync.trust.room import totals
from sync.trust.room.stream import RoomStream
from sync.trust.room.used_totals import Total, Used
from tests.sync.trust.conftest import Scene
from tests.sync.trust.counted import DAY_MS, NONE, first_op, full, pushed, verdict
from tests.sync.trust.forging import entry_by, epoch_in

__all__ = ["full"]  # a fixture


# -- shares -----------------------------------------------------------------------------------------------------------


def test_whoever_takes_all_they_can_leaves_a_share_for_the_next() -> None:
    total, held = Total(most=1000, part=4, least=3), list[int]()
    for _ in range(40):
        own = 0
        while total.has_room(own, sum(held) + own):
            own += 1
        held.append(own)
    assert held[:3] == [200, 160, 128]
    assert min(held) >= 3
    assert total.most < sum(held) <= total.bound(len(held))


def test_attack_one_writer_cannot_use_up_the_objects_of_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "OBJECTS", Total(most=20, part=4, least=1))
    room, begun = scene.room, 0
    while pushed(room, scene.clerk, first_op(room)) is None:
        begun += 1
    assert begun == 4
    assert pushed(room, scene.clerk, first_op(room)) == "total"
    assert pushed(room, scene.head, first_op(room)) is None, "another's share is their own"
    assert pushed(room, scene.clerk, {}) is None, "what is begun goes on"


def test_attack_objects_of_one_batch_are_counted_one_by_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "OBJECTS", Total(most=20, part=4, least=1))
    room = scene.room
    assert pushed(room, scene.clerk, *(first_op(room) for _ in range(5))) == "total"
    assert room.stream.state.shares == {}, "all of a batch is refused"
    assert pushed(room, scene.clerk, *(first_op(room) for _ in range(4))) is None
    assert room.stream.state.used[scene.clerk.uid].objects == 4


# -- epochs and their links -------------------------------------------------------------------------------------------


def test_attack_a_link_is_no_longer_than_its_keys(scene: Scene) -> None:
    room, draft = scene.room, scene.room.drafter(scene.head).rotate()
    epoch = epoch_in(draft)
    for length in (520_000, most_prev_bytes(1, 2) + 1):
        long = replace(epoch, prev=bytes(length))
        assert verdict(room, entry_by(room, scene.head, "epoch", [long.payload()])) == "epoch-link", length
    after = replace(epoch, base=2)
    assert verdict(room, entry_by(room, scene.head, "epoch", [after.payload()])) == "epoch-link"
    assert verdict(room, draft) is None


def test_every_honest_link_fits_however_far_it_reaches(scene: Scene) -> None:
    room, ring = scene.room, scene.room.ring(scene.head)
    k, a = ring.k(1), ring.a(1)
    assert k is not None
    for e in (2, 30, 300, 13_000):
        for x in range(1, e):
            ring.add(x, k, a)
        made = new_epoch(room.id, e, [], [], ring, base=1)
        assert 0 <= most_prev_bytes(1, e) - len(made.epoch.prev) <= 9 + 5 * e


def test_attack_epochs_beyond_ones_share_are_void(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "EPOCHS", Total(most=6, part=2, least=0))
    room = scene.room
    for _ in range(2):
        room.append(scene.head, room.drafter(scene.head).rotate())
    assert verdict(room, room.drafter(scene.head).rotate()) == "total"
    add = room.drafter(scene.head).add(scene.guest.uid, Role.READER, history=False)
    assert verdict(room, add) == "total", "an epoch that comes with another entry is one too"
    assert verdict(room, room.drafter(scene.clerk).rotate()) is None


def test_attack_of_too_many_epochs_the_oldest_is_forgotten(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "EPOCHS_KEPT", 3)
    room = scene.room
    for _ in range(4):
        room.append(scene.head, room.drafter(scene.head).rotate())
    assert list(room.stream.epochs) == [3, 4, 5]
    payload = replace(epoch_in(room.drafter(scene.head).rotate()), prev=b"", base=None, ac=b"").payload()
    for e in (6, 7, 8, 9):
        draft = entry_by(room, scene.head, "epoch", [[e, *payload[1:]]])
        assert verdict(room, draft) is None
    assert list(room.stream.epochs) == [5, 8, 9], "the newest with an archive stays: the next link needs it"
    assert RoomStream.from_bytes(room.client().to_bytes()).state == room.stream.state


def test_whom_an_older_epoch_was_not_sealed_to_is_not_kept(scene: Scene) -> None:
    room = scene.room
    epoch = replace(epoch_in(room.drafter(scene.head).rotate()), unsealed=(bytes(scene.clerk.uid),))
    assert verdict(room, entry_by(room, scene.head, "epoch", [epoch.payload()])) is None
    assert room.stream.epochs[2].unsealed == (bytes(scene.clerk.uid),)
    payload = [3, *replace(epoch, prev=b"", base=None, ac=b"", unsealed=()).payload()[1:]]
    assert verdict(room, entry_by(room, scene.head, "epoch", [payload])) is None
    assert not room.stream.epochs[2].unsealed


def test_attack_links_that_reach_back_too_far_are_void(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "LINKS", Total(most=16, part=4))
    room = scene.room
    for _ in range(4):
        room.append(scene.head, room.drafter(scene.head).rotate())
    epoch = epoch_in(room.drafter(scene.head).rotate())
    for e, base, why in ((6, 2, None), (7, 5, "total"), (7, 6, None)):
        link = replace(epoch, e=e, base=base, prev=bytes(most_prev_bytes(base, e)))
        assert verdict(room, entry_by(room, scene.head, "epoch", [link.payload()])) == why, (e, base)
    assert room.stream.state.used[scene.head.uid].links == 3


def test_who_has_no_share_of_links_left_makes_an_epoch_without_archive(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "LINKS", NONE)
    room = scene.room
    epoch = epoch_in(room.drafter(scene.head).rotate())
    bad = replace(epoch, prev=bytes(most_prev_bytes(1, 2)))
    assert verdict(room, entry_by(room, scene.head, "epoch", [bad.payload()])) is None
    drafted = epoch_in(room.drafter(scene.head).remove(scene.clerk.uid))
    assert not drafted.has_archive, "the newest link does not open, and one beyond it is not to be had"
    assert verdict(room, room.drafter(scene.head).remove(scene.clerk.uid)) is None


# -- what is never stopped --------------------------------------------------------------------------------------------


def test_attack_no_total_stops_what_ends_something(full: Scene) -> None:
    room, head, clerk = full.room, full.head, full.clerk
    assert verdict(room, entry_by(room, head, "note", [b"x"])) == "total"
    assert verdict(room, room.drafter(head).rotate()) == "total"
    clerk.add_device()
    clerk.revoke(1, full.office.agency)
    assert verdict(room, room.drafter(head).pin([clerk.uid])) is None, "a revocation is stated"
    assert verdict(room, room.drafter(head).rotate()) is None, "and the debt of it ends"
    assert verdict(room, room.drafter(head).set_role(clerk.uid, Role.READER)) is None
    assert verdict(room, room.drafter(head).rotate()) is None
    assert verdict(room, room.drafter(head).set_role(clerk.uid, Role.WRITER)) == "total", "raising is not ending"
    assert verdict(room, room.drafter(head).remove(clerk.uid)) is None


def test_attack_no_total_stops_a_leave(full: Scene) -> None:
    assert verdict(full.room, full.room.drafter(full.clerk).leave()) is None
    assert verdict(full.room, full.room.drafter(full.head).rotate()) is None


def test_attack_no_total_stops_the_news_that_a_log_has_ended(full: Scene) -> None:
    full.clerk.write("agency", full.office.agency.key, "reset", [])
    assert verdict(full.room, full.room.drafter(full.head).pin([full.clerk.uid])) is None
    assert full.clerk.uid not in full.room.stream.members


def test_a_pin_of_an_ordinary_entry_takes_of_the_share(full: Scene) -> None:
    full.clerk.rotate_puk()
    assert verdict(full.room, full.room.drafter(full.head).pin([full.clerk.uid])) == "total"


def test_a_slice_that_is_refused_takes_back_what_it_counted(scene: Scene) -> None:
    room, before = scene.room, dict(scene.room.stream.state.used)
    good, bad = room.forced_entry(entry_by(room, scene.head, "note", [b"x"])), room.forced(7, (b"", b"", None))
    client = room.client()
    with pytest.raises(Reject):
        client.accept([*good, *bad], scene.office.book, room.rh_at)
    assert client.state.used == before
    assert client.to_bytes() == room.stream.to_bytes()


def test_what_is_used_is_a_part_of_the_state() -> None:
    assert Used(objects=1) != Used()
    assert totals.day_of(DAY_MS - 1) == 0
