# SPDX-License-Identifier: EUPL-1.2
"""Rooms of one's own: nobody else ever gets in, and what a prune needs there."""

import os
from typing import Any

import pytest

from sync.crypto.encoding import enc
from sync.crypto.seal import KemKey
from sync.errors import Reject
from sync.trust.formats.items import Role
from sync.trust.room import envelope
from sync.trust.room.additions import why_not_added
from sync.trust.room.entry_drafts import new_room
from sync.trust.room.room_policy import is_own, read_policy
from sync.trust.room.snapshots import ATTESTS_KEPT, attested
from sync.trust.room.stream import RoomStream
from sync.trust.room.successor_claim import may_continue
from tests.sync.trust.forging import batch_by, entry_by
from tests.sync.trust.people import NOW, Office, Room, Someone
from tests.sync.trust.test_snapshots import OBJ, Scene

OFFICER = (b"r" * 16, KemKey(os.urandom(32)).public)


@pytest.fixture
def own() -> Scene:
    """`head`'s own room with an object in it; the others are colleagues outside."""
    office = Office()
    head, clerk, lawyer = (office.hire(n) for n in ("Enhetschef", "Handläggare", "Jurist"))
    room = Room(office, RoomStream(None))
    room.append(head, new_room(head.author, office.book, NOW, {"own": True}))
    made = Scene(office, room, head, clerk, lawyer)
    made.begin()
    return made


def refused(own: Scene, kind: str, payload: list[Any], by: Someone | None = None) -> str | None:
    """Why an entry has no effect: at a client to which a false server shows it, and likewise at an honest server."""
    draft, client = entry_by(own.room, by or own.head, kind, payload), own.room.client()
    before = client.state
    (verdict,) = client.accept(own.room.forced_entry(draft), own.office.book, own.room.rh_at)
    assert client.state.members == before.members
    assert client.state.policy == {"own": True}
    with pytest.raises(Reject) as e:
        own.room.append(by or own.head, draft)
    assert e.value.code == verdict.void
    return verdict.void


def add_of(own: Scene, who: Someone, *, history: bool, role: Role = Role.WRITER) -> list[Any]:
    """The payload of an add that would count in a room of the same members that is not one's own."""
    usual = Room(own.office, RoomStream(None))
    usual.append(own.head, new_room(own.head.author, own.office.book, NOW))
    usual.append(own.head, usual.drafter(own.head).add(who.uid, role, history=history))
    return [who.uid, int(role), history, [who.log.seq, who.log.head], bytes(32), None]


@pytest.mark.parametrize("history", [True, False])
def test_attack_nobody_is_ever_added_to_a_room_of_ones_own(own: Scene, history: bool) -> None:
    payload = add_of(own, own.clerk, history=history)
    assert refused(own, "add", payload) == "forbidden"
    assert refused(own, "add", payload, by=own.head.add_device()) == "forbidden", "nor by a stolen device"
    assert refused(own, "add", payload, by=own.clerk) == "forbidden"
    assert refused(own, "add", add_of(own, own.clerk, history=True, role=Role.READER)) == "forbidden"
    state = own.room.stream.state
    assert why_not_added(state, own.head.uid, own.clerk.uid, Role.WRITER, history=history) == "forbidden"


def test_attack_an_add_that_only_the_server_made_is_none(own: Scene) -> None:
    draft = entry_by(own.room, own.head, "add", add_of(own, own.clerk, history=True))
    (item,) = own.room.forced_entry(draft)
    forged = type(item)(item.n, item.t, item.kind, item.body, bytes(64), None)
    with pytest.raises(Reject, match="signature"):
        own.room.client().accept([forged], own.office.book, own.room.rh_at)


def test_attack_no_entry_gives_anybody_a_role_or_keys_in_a_room_of_ones_own(own: Scene) -> None:
    me, clerk = own.head.uid, own.clerk.uid
    for subject in (me, clerk):
        assert refused(own, "propose", ["hist", subject]) == "forbidden"
    assert refused(own, "propose", ["recovery", enc([list(OFFICER)])]) == "forbidden"
    assert refused(own, "propose", ["history", b"all"]) == "forbidden"
    assert refused(own, "approve", [bytes(32)]) == "proposal"
    assert refused(own, "hist", [clerk, bytes(32), None]) == "proposal"
    assert refused(own, "role", [clerk, int(Role.ADMIN), None]) == "not-member"
    assert refused(own, "role", [me, int(Role.READER), None]) == "last-owner"
    assert refused(own, "recovery_use", [[1], [clerk], b""]) == "forbidden"
    assert refused(own, "leave", [0, b""]) == "last-owner"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"own": True}, "forbidden"),
        ({"own": False}, "malformed"),
        ({"own": None}, "malformed"),
        ({"recovery": [list(OFFICER)]}, "forbidden"),
        ({"prune": True}, "malformed"),
    ],
)
def test_attack_no_entry_makes_a_room_ones_own_or_another_kind_of_room(
    own: Scene, changes: dict[str, object], why: str
) -> None:
    assert refused(own, "policy", [changes, None]) == why
    usual = Room(own.office, RoomStream(None))
    usual.append(own.head, new_room(own.head.author, own.office.book, NOW))
    (verdict,) = usual.client().accept(
        usual.forced_entry(entry_by(usual, own.head, "policy", [changes, None])), own.office.book, usual.rh_at
    )
    assert verdict.void == why
    assert not is_own(usual.stream.state.policy)


@pytest.mark.parametrize("value", [False, None, 1, b"", []])
def test_a_policy_says_own_or_says_nothing_of_it(value: object) -> None:
    assert is_own(read_policy({"own": True, "suite": 2}))
    with pytest.raises(Reject, match="malformed"):
        read_policy({"own": value})


def test_attack_no_room_of_ones_own_names_keys_of_the_agency(own: Scene) -> None:
    for policy in ({"own": True, "recovery": [list(OFFICER)]}, {"recovery": [], "own": True}):
        room = Room(own.office, RoomStream(None))
        with pytest.raises(Reject, match="malformed"):
            room.append(own.head, new_room(own.head.author, own.office.book, NOW, dict(policy)))


def test_attack_nothing_continues_a_room_of_ones_own(own: Scene) -> None:
    assert not may_continue(own.room.stream.state, own.head.uid)
    usual = Room(own.office, RoomStream(None))
    usual.append(own.head, new_room(own.head.author, own.office.book, NOW))
    assert may_continue(usual.stream.state, own.head.uid)


def test_what_a_person_does_in_their_own_room_counts_as_elsewhere(own: Scene) -> None:
    own.room.append(own.head, own.room.drafter(own.head).rotate())
    own.room.append(own.head, entry_by(own.room, own.head, "policy", [{"suite": 2, "format": {"types": ["x"]}}, None]))
    own.room.push(own.room.seal(own.head, "Ett utkast å 🙂".encode()))
    stored = RoomStream.from_bytes(own.room.client().to_bytes())
    assert stored.state == own.room.stream.state
    assert is_own(stored.state.policy)


# -- prunes


def test_one_attest_by_another_device_of_the_person_is_enough_for_a_prune_of_their_own_room(own: Scene) -> None:
    row = own.snapshot(own.head)
    own.month()
    assert own.prune(row) == "snapshot"
    laptop = own.head.add_device()
    own.attest(laptop, row)
    assert own.rows[0].attests == ((laptop.author.dev, own.room.stream.n),)
    assert attested(own.room.stream.state, OBJ) == list(own.rows)
    assert own.prune(row) == ""


def test_an_attest_by_the_device_that_made_the_snapshot_is_enough_in_their_own_room(own: Scene) -> None:
    row = own.snapshot(own.head)
    own.attest(own.head, row)
    assert own.prune(row) == "early"
    own.month()
    assert own.prune(row) == ""
    stored = RoomStream.from_bytes(own.room.client().to_bytes())
    assert stored.state == own.room.stream.state


def test_attack_each_device_attests_a_snapshot_in_the_own_room_once(own: Scene) -> None:
    row = own.snapshot(own.head)
    own.attest(own.head, row)
    assert own.not_attested(own.head, row)
    for _ in range(ATTESTS_KEPT - 1):
        own.attest(own.head.add_device(), row)
    assert own.not_attested(own.head.add_device(), row), "four are kept"
    assert len({by for by, _ in own.rows[0].attests}) == ATTESTS_KEPT


def test_attack_an_attest_by_a_revoked_device_does_not_count_in_the_own_room(own: Scene) -> None:
    laptop = own.head.add_device()
    row = own.snapshot(own.head)
    own.head.revoke(1, own.office.agency)
    about = {"obj": OBJ, "kind": envelope.ATTEST, "about": row.ident, "ulog": own.head.author.ulog}
    ops = batch_by(own.room, laptop, [about])
    with pytest.raises(Reject, match="revoked"):
        own.room.push(ops)
    client = own.room.client()
    (verdict,) = client.accept(own.room.forced_ops(ops), own.office.book, own.room.rh_at)
    assert verdict.void == "revoked"
    assert client.state.snapshots[OBJ][0].attests == ()
    own.month()
    assert own.prune(row) == "snapshot"


def test_attack_an_attest_by_a_colleague_does_not_count_in_the_own_room(own: Scene) -> None:
    row = own.snapshot(own.head)
    with pytest.raises(Reject, match="forbidden"):
        own.attest(own.clerk, row)
    assert own.rows[0].attests == ()
