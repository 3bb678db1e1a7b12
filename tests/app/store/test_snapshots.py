# SPDX-License-Identifier: EUPL-1.2
"""Objects as their state: what a newcomer begins with, and what this device computes from."""

from app.core.ids import ChangeId, ObjId, Uid
from app.objects.history import until, versions
from sync.client.placed_changes import Compacted
from sync.client.ports import OpenedChange, OpenedSnapshot
from sync.client.received import Backfilled, BegunObject, ReadAgain, Received, ReceivedSlice
from tests.app.store.conftest import DEV, ME, OTHER, ROOM, Bench

OBJ = ObjId(b"N" * 16)
STATE = Compacted(changes=(b"state 1", b"state 2"), digest=b"d" * 32)


def change(n: int, data: bytes, uid: Uid = OTHER) -> OpenedChange:
    return OpenedChange(
        n=n, t=1000 * n, uid=uid, dev=DEV, obj=OBJ, change_id=ChangeId(n.to_bytes(16, "big")), payload=data
    )


def begun() -> Received:
    snapshot = OpenedSnapshot(n=12, t=12_000, uid=OTHER, obj=OBJ, covers=9, state=STATE)
    return BegunObject(room=ROOM, snapshot=snapshot)


def test_a_snapshot_lies_among_the_changes_until_all_of_them_are_here(bench: Bench) -> None:
    store = bench.store
    store.receive(begun())
    store.receive(begun())  # a crash repeats it
    store.receive(ReceivedSlice(room=ROOM, cursor=13, state=b"s", changes=[change(11, b"tail"), change(13, b"end")]))
    assert [c.data for c in store.changes.of(OBJ)] == [b"state 1", b"state 2", b"tail", b"end"]
    store.receive(ReceivedSlice(room=ROOM, more=True, changes=[change(3, b"old"), change(11, b"tail")]))
    states, edits = store.changes.history(OBJ)
    assert [c.data for c in states] == [b"state 1", b"state 2"]
    assert [c.data for c in edits] == [b"old", b"tail", b"end"], "in the room's order, not that of arrival"
    assert [c.data for c in until(edits, edits[1].rowid)] == [b"old", b"tail"]
    assert versions(edits)[0].changes == 3
    placed = [change.data for change in store.positioned(OBJ, 0, 13)]
    assert placed == [b"old", b"tail", b"end"], "what a snapshot is checked by is not itself"
    store.receive(ReadAgain(room=ROOM, whole=[OBJ]))
    assert store.changes.history(OBJ)[0] == []
    assert [c.data for c in store.changes.of(OBJ)] == [b"tail", b"end", b"old"]


async def test_a_snapshot_is_no_sign_of_life_of_a_device(bench: Bench) -> None:
    bench.store.receive(begun())
    bench.store.receive(ReceivedSlice(room=ROOM, cursor=13, state=b"s", changes=[change(11, b"tail")]))
    assert bench.store.changes.latest_by_device(ROOM) == [(DEV, 11_000)]
    assert await bench.store.changes.latest_in_thread(ROOM) == [(DEV, 11_000)]


def test_only_what_has_a_position_counts(bench: Bench) -> None:
    store = bench.store
    bench.store.set_me(ME)
    store.changes.append(ROOM, OBJ, b"mine, not sent")
    store.receive(ReceivedSlice(room=ROOM, cursor=5, state=b"s", changes=[change(2, b"two"), change(5, b"five")]))
    assert [(c.uid, c.data) for c in store.positioned(OBJ, 0, 9)] == [(OTHER, b"two"), (OTHER, b"five")]
    assert store.positioned(OBJ, 2, 4) == []
    assert store.grown(OBJ, 0) == (2, 7)
    assert store.grown(OBJ, 2) == (1, 4)
    assert store.grown(OBJ, 5) == (0, 0)


def test_a_newer_state_takes_the_place_of_an_older_one(bench: Bench) -> None:
    store = bench.store
    assert store.base(OBJ) is None
    store.put_base(ROOM, OBJ, 9, STATE)
    store.put_base(ROOM, OBJ, 4, Compacted(changes=(b"older",), digest=bytes(32)))
    assert store.base(OBJ) == (9, STATE)
    store.forget_base(OBJ)
    assert store.base(OBJ) is None


def test_what_was_pruned_before_it_came_is_remembered_until_it_is_filled(bench: Bench) -> None:
    store, other = bench.store, ObjId(b"O" * 16)
    assert store.incomplete(ROOM) == []
    store.receive(ReceivedSlice(room=ROOM, incomplete=[OBJ]))
    store.receive(ReceivedSlice(room=ROOM, incomplete=[OBJ, other]))
    assert store.incomplete(ROOM) == [OBJ, other]
    store.receive(Backfilled(room=ROOM, objs=[OBJ]))
    assert store.incomplete(ROOM) == [other]
    store.receive(Backfilled(room=ROOM, objs=[other]))
    assert store.incomplete(ROOM) == []


def test_an_object_of_an_unknown_kind_has_no_snapshots(bench: Bench) -> None:
    assert bench.store.compactor(OBJ) is None


def test_attack_thousands_of_waiting_changes_are_read_in_few_queries(bench: Bench) -> None:
    """There was one query for each waiting position, and a member can make thousands of changes wait."""
    store, many = bench.store, 1201
    changes = [change(n, b"%d" % n) for n in range(1, many + 1)]
    store.receive(ReceivedSlice(room=ROOM, cursor=many, state=b"s", changes=changes))
    asked: list[str] = []
    with store.db.reader() as reader:
        reader.set_trace_callback(asked.append)  # it is lent again
    waits = [*range(many - 100, 0, -1), 1, many + 7]  # in any order, twice, and one that is nowhere
    found = store.positioned(OBJ, many - 1, many, waits)
    assert [c.data for c in found] == [b"%d" % n for n in (*range(1, many - 99), many)]
    assert len([sql for sql in asked if "FROM changes" in sql]) == 4
