# SPDX-License-Identifier: EUPL-1.2
"""Behind which snapshot a room is pruned, and what is reported that the snapshot lacks."""

from dataclasses import replace

from sync.client.room.prunable import prunable
from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.room.room_state import Member, RoomState, Snapshot
from sync.trust.room.snapshots import PRUNE_AFTER_MS

OBJ = ObjId(b"O" * 16)
A, B, C, GUEST = (Uid(bytes([i]) * 16) for i in range(4))
NOW = 10 * PRUNE_AFTER_MS
OLD, YOUNG = NOW - 2 * PRUNE_AFTER_MS, NOW - PRUNE_AFTER_MS // 2


def row(covers: int, t: int, *attests: Uid) -> Snapshot:
    ident = Hash(covers.to_bytes(32, "big"))
    by = tuple((uid, covers + 2) for uid in attests)
    return Snapshot(ident=ident, n=covers + 1, t=t, uid=A, covers=covers, attests=by)


def member(uid: Uid, *, history: bool = True) -> Member:
    return Member(uid=uid, role=Role.WRITER, since_n=1, since_t=0, history=history, add_id=Hash(bytes(32)))


def state(*rows: Snapshot, alone: bool = False) -> RoomState:
    members = {uid: member(uid) for uid in (A, B, C)}
    if alone:
        members[GUEST] = member(GUEST, history=False)
    return RoomState(n=900, epoch=3, members=members, snapshots={OBJ: rows})


def lacks(s: RoomState) -> tuple[int, str | None] | None:
    found = prunable(s, OBJ, NOW, lambda n: NOW)
    return (found.n, found.lacks) if found is not None else None


def test_without_a_snapshot_nothing_is_prunable() -> None:
    assert lacks(state()) is None


def test_the_furthest_of_those_that_are_good() -> None:
    assert lacks(state(row(10, OLD, B, C), row(20, OLD, B, C), row(30, OLD, B), row(40, YOUNG, B, C))) == (20, None)


def test_of_those_that_are_too_young_the_one_that_is_old_enough_first() -> None:
    s = state(row(10, YOUNG, B, C), row(20, YOUNG + 5, B, C))
    assert lacks(s) == (10, "early")
    found = prunable(s, OBJ, NOW, lambda n: NOW)
    assert found is not None
    assert found.from_ms == YOUNG + PRUNE_AFTER_MS


def test_attack_a_server_whose_clock_runs_ahead_makes_no_snapshot_old_enough() -> None:
    found = prunable(state(row(10, OLD, B, C)), OBJ, NOW, lambda n: PRUNE_AFTER_MS - 1)
    assert found is not None
    assert (found.lacks, found.from_ms) == ("early", NOW + 1)


def test_what_only_lacks_a_state_for_newcomers_goes_before_what_must_wait() -> None:
    s = state(row(10, OLD, B, C), row(20, YOUNG, B, C), alone=True)
    assert lacks(s) == (10, "baseline")
    given = replace(s, baselines={OBJ: (50, 3, 49)})
    assert lacks(given) == (10, None)
    assert lacks(replace(given, epoch=4)) == (10, "baseline"), "under the key of before"


def test_what_one_other_attested_is_not_enough() -> None:
    assert lacks(state(row(10, OLD, B))) == (10, "snapshot")


def test_what_is_pruned_already_is_not_pruned_again() -> None:
    s = state(row(10, OLD, B, C))
    s.pruned = {OBJ: 10}
    assert lacks(s) is None
