# SPDX-License-Identifier: EUPL-1.2
"""Totals of people, devices, entries, proposals, small envelopes and snapshots: what
one person cannot use up for others."""

import os

import pytest

from sync.crypto.kdf import H
from sync.ids import ObjId
from sync.trust.formats.items import Role
from sync.trust.room import envelope, totals
from sync.trust.room.entry_drafts import Draft
from sync.trust.room.used_totals import EVERYBODY, Total
from tests.sync.trust.conftest import Scene
from tests.sync.trust.counted import DAY_MS, NONE, copied, first_op, pushed, verdict
from tests.sync.trust.forging import batch_by, entry_by

# -- people, devices, entries, proposals ------------------------------------------------------------------------------


def test_attack_one_administrator_cannot_bring_everybody_that_a_room_takes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "PEOPLE", Total(most=8, part=2))
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    room.join(scene.head, scene.guest)
    more = scene.office.hire("Arkivarie")
    assert verdict(room, room.drafter(scene.head).add(more.uid, Role.READER, history=True)) == "total"
    room.append(scene.head, room.drafter(scene.head).remove(scene.guest.uid))
    room.join(scene.head, scene.guest)  # who was here before takes no place
    room.give_keys(scene.clerk, Draft(room=room.id, entries=[]))
    scene.clerk.rings[room.id] = room.ring(scene.head)
    assert verdict(room, room.drafter(scene.clerk).add(more.uid, Role.READER, history=True)) is None


def test_attack_a_device_beyond_the_share_writes_nothing_but_may_still_leave(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "DEVICES", NONE)
    room, tablet = scene.room, scene.clerk.add_device()
    assert pushed(room, tablet, {}) == "total"
    assert verdict(room, entry_by(room, tablet, "note", [b"x"])) == "total"
    before = len(room.stream.device_heads)
    (item,) = copied(room).accept(room.forced_ops(batch_by(room, tablet, [{}])), room.office.book, room.rh_at)
    assert item.void == "total"
    assert verdict(room, room.drafter(tablet).leave()) is None
    assert len(room.stream.device_heads) == before
    assert room.stream.state.dev_owner.get(tablet.author.dev) is None


def test_a_device_takes_of_its_own_persons_share(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "DEVICES", Total(most=3, part=1, least=2))
    room = scene.room
    tablets = [scene.head.add_device() for _ in range(3)]
    assert [pushed(room, tablet, {}) for tablet in tablets] == [None, "total", "total"]
    assert pushed(room, scene.clerk, {}) is None


def test_attack_a_reader_posts_a_sixteenth_of_what_an_administrator_may(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert totals.ENTRIES.part == 16 * totals.ENTRIES_OF_ADMINS.part
    monkeypatch.setattr(totals, "ENTRIES", Total(most=64, part=16, least=1))
    room, posted = scene.room, 0
    room.join(scene.head, scene.guest, Role.READER)
    while (why := verdict(room, room.drafter(scene.guest).cannot_open(1))) is None:
        posted += 1
    assert (why, posted) == ("total", 3)
    assert verdict(room, room.drafter(scene.clerk).cannot_open(1)) is None
    for _ in range(8):
        assert verdict(room, entry_by(room, scene.head, "note", [b"x"])) is None


def test_attack_a_pin_that_moves_nothing_is_void(scene: Scene) -> None:
    room, log = scene.room, scene.clerk.log
    assert verdict(room, entry_by(room, scene.head, "pin", [[]])) == "stale"
    assert verdict(room, entry_by(room, scene.head, "pin", [[[log.uid, log.seq, log.head]]])) == "stale"
    scene.clerk.rotate_puk()
    assert verdict(room, room.drafter(scene.head).pin([scene.clerk.uid])) is None


def test_attack_one_administrators_proposals_leave_room_for_anothers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "PROPOSALS", Total(most=8, part=4))
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    assert verdict(room, room.drafter(scene.clerk).propose("history", b"from-now")) is None
    assert verdict(room, room.drafter(scene.clerk).propose("history", b"all")) == "total"
    assert verdict(room, room.drafter(scene.head).propose("history", b"all")) is None


def test_a_proposal_ends_with_its_proposers_administration_and_when_it_is_in_force(scene: Scene) -> None:
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    room.append(scene.clerk, room.drafter(scene.clerk).propose("history", b"from-now"))
    (ident,) = room.stream.state.proposals
    room.append(scene.head, room.drafter(scene.head).approve(ident))
    assert room.stream.state.proposals == {}
    room.append(scene.clerk, room.drafter(scene.clerk).propose("history", b"all"))
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.WRITER))
    assert room.stream.state.proposals == {}


def test_attack_an_object_that_is_not_here_is_not_destroyed(scene: Scene) -> None:
    room, obj = scene.room, os.urandom(16)
    assert verdict(room, room.drafter(scene.head).destroy(obj, H(b"rule"), H(b"decision"))) == "object"
    room.push(batch_by(room, scene.clerk, [first_op(room, obj)]))
    room.push(batch_by(room, scene.head, [{"obj": ObjId(obj), "kind": envelope.BASELINE}]))
    n = room.stream.n.to_bytes(8, "big")
    room.push(batch_by(room, scene.head, [{"obj": ObjId(obj), "kind": envelope.SNAPSHOT, "about": n}]))
    assert room.stream.state.used[scene.head.uid].snapshots == 1
    assert verdict(room, room.drafter(scene.head).destroy(obj, H(b"rule"), H(b"decision"))) is None
    s = room.stream.state
    assert (s.snapshots, s.baselines, s.used[scene.head.uid].snapshots) == ({}, {}, 0)


# -- small envelopes and snapshots ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [envelope.ATTEST, envelope.HEARTBEAT, envelope.PURGED])
def test_attack_kinds_that_are_never_pruned_are_small(scene: Scene, kind: int) -> None:
    room = scene.room
    assert pushed(room, scene.clerk, {"kind": kind}, ct=bytes(1025)) == "oversize"
    if kind != envelope.ATTEST:
        assert pushed(room, scene.clerk, {"kind": kind}, ct=bytes(1024)) is None


@pytest.mark.parametrize(
    ("kind", "most"), [(envelope.HEARTBEAT, totals.HEARTBEATS_A_DAY), (envelope.PURGED, totals.PURGED_A_DAY)]
)
def test_attack_a_reader_posts_few_of_them_a_day(scene: Scene, kind: int, most: int) -> None:
    room, tablet = scene.room, scene.clerk.add_device()
    room.t = (room.t // DAY_MS + 1) * DAY_MS
    room.push(batch_by(room, scene.clerk, [{"kind": kind}] * (most - 1)))
    assert pushed(room, tablet, {"kind": kind}) is None, "a person's devices share them"
    assert pushed(room, tablet, {"kind": kind}) == "total"
    assert pushed(room, scene.head, {"kind": kind}) is None
    other = envelope.HEARTBEAT if kind == envelope.PURGED else envelope.PURGED
    assert pushed(room, scene.clerk, {"kind": other}) is None
    room.t = (room.t // DAY_MS + 1) * DAY_MS
    assert pushed(room, tablet, {"kind": kind}) is None


def test_attack_an_attest_that_adds_nothing_is_void(scene: Scene) -> None:
    room, obj = scene.room, ObjId(os.urandom(16))
    room.join(scene.head, scene.guest, history=False)
    room.push(batch_by(room, scene.head, [first_op(room, obj)]))
    snapshot = {"obj": obj, "kind": envelope.SNAPSHOT, "about": (room.stream.n).to_bytes(8, "big")}
    room.push(batch_by(room, scene.head, [snapshot]))
    (row,) = room.stream.state.snapshots[obj]
    attest: dict[str, object] = {"obj": obj, "kind": envelope.ATTEST, "about": row.ident}
    assert pushed(room, scene.head, attest) == "snapshot", "one's own"
    assert pushed(room, scene.guest, attest) == "snapshot", "without the history"
    assert pushed(room, scene.clerk, {**attest, "about": bytes(32)}) == "snapshot", "of none that is known"
    assert pushed(room, scene.clerk, attest) is None
    assert pushed(room, scene.clerk, attest) == "snapshot", "a second time"


def test_attack_snapshots_beyond_ones_share_are_void(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "SNAPSHOTS", Total(most=7, part=4))
    room, objs = scene.room, [ObjId(os.urandom(16)) for _ in range(3)]
    room.push(batch_by(room, scene.head, [first_op(room, obj) for obj in objs]))
    n = room.stream.n.to_bytes(8, "big")
    made = [{"obj": obj, "kind": envelope.SNAPSHOT, "about": n} for obj in objs]
    assert [pushed(room, scene.clerk, one) for one in made] == [None, "total", "total"]
    assert pushed(room, scene.clerk, {**made[1], "about": b""}) is None, "a piece that is none yet"
    assert pushed(room, scene.head, made[1]) is None
    assert room.stream.state.used[EVERYBODY].snapshots == 2
