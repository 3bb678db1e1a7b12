# SPDX-License-Identifier: EUPL-1.2
"""What goes to the server, and when."""

from dataclasses import replace

import pytest

from app.core.enums import Role
from app.core.ids import Hash, ObjId, PartId, RoomId
from app.errors import BugError
from app.store.rows import BlobPart
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange, Ports, SealedBatch
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import DEV, ME, ROOM, Bench

PART = PartId(b"P" * 16)
SECOND = PartId(b"Q" * 16)


def batch_of(store: Store, obj: ObjId, first_seq: int = 1, limit: int = 10) -> SealedBatch:
    """A sealed batch of what is pending."""
    rows = tuple(p.row for p in store.pending_in(ROOM, limit))
    return SealedBatch(
        room=ROOM,
        first_seq=first_seq,
        last_id=Hash(bytes([first_seq]) * 32),
        bodies=tuple(b"body" for _ in rows),
        cts=tuple(b"ct" for _ in rows),
        sig=b"sig",
        shares=((obj, b"S" * 32),),
        rows=rows,
    )


def test_a_number_that_was_used_is_refused_by_the_store(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"1")
    first = batch_of(bench.store, note, 7)
    bench.store.put_sealed(first)
    last = 6 + len(first.bodies)
    bench.store.unseal(first)
    for used in (1, 7, last):
        with pytest.raises(BugError, match="number"):
            bench.store.put_sealed(batch_of(bench.store, note, used))
    assert (bench.store.sealed(ROOM), bench.store.burned(ROOM)) == (None, last)
    bench.store.put_sealed(batch_of(bench.store, note, last + 1))


def part(ident: PartId = PART, *, uploaded: bool = False) -> BlobPart:
    return BlobPart(
        part=ident, room=ROOM, obj=ObjId(ROOM), key=b"k" * 32, hash=b"h" * 32, size=9, plain_size=3,
        uploaded=uploaded, present=True,
    )  # fmt: skip


def test_the_store_fulfils_the_engines_ports(bench: Bench) -> None:
    ports: Ports = bench.store
    assert ports.waiting_count() == 0


def test_pending_rows_come_in_the_order_of_appending(bench: Bench) -> None:
    note = bench.note()
    for i in range(5):
        bench.store.changes.append(ROOM, note, f"{i}".encode(), live=i == 3)
    rows = bench.store.pending(4)
    assert [(p.payload, p.live) for p in rows] == [(b"0", False), (b"1", False), (b"2", False), (b"3", True)]
    assert bench.store.waiting_count() == 5
    assert bench.store.rooms_with_work() == [ROOM]


def place(store: Store, batch: SealedBatch) -> None:
    """The room's stream shows what is in a batch."""
    rows = {p.change_id: p for p in store.changes.of(batch.shares[0][0]) if p.rowid in batch.rows}
    opened = [
        OpenedChange(n=p.rowid, t=1, uid=ME, dev=DEV, obj=p.obj, change_id=c, payload=p.data) for c, p in rows.items()
    ]
    store.receive(ReceivedSlice(room=ROOM, changes=opened))


def test_a_sealed_batch_is_given_again_verbatim_until_the_stream_shows_it(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    batch = batch_of(bench.store, note)
    bench.store.put_sealed(batch)
    bench.store.changes.append(ROOM, note, b"two")
    bench.store.put_sealed(batch_of(bench.store, note, 2))
    store = bench.reopen()
    assert store.sealed(ROOM) == batch
    assert store.pending(10) == []
    assert store.share(ROOM, note) == b"S" * 32
    assert (store.rooms_with_work(), store.waiting_count()) == ([ROOM], 2)
    place(store, batch)
    assert store.shown(batch, 1)
    assert store.shown(batch, 1)
    second = store.sealed(ROOM)
    assert second is not None
    assert second.first_seq == 2
    place(store, second)
    assert store.shown(second, 2)
    assert (store.sealed(ROOM), store.rooms_with_work(), store.waiting_count()) == (None, [], 0)


def test_what_has_a_place_in_no_stream_after_all_is_pending_again(bench: Bench) -> None:
    note = bench.note()
    for text in (b"one", b"two"):
        bench.store.changes.append(ROOM, note, text)
    batch = batch_of(bench.store, note)
    bench.store.put_sealed(batch)
    place(bench.store, replace(batch, rows=batch.rows[:1]))
    assert not bench.store.shown(batch, 1)
    assert bench.store.sealed(ROOM) is None
    assert [p.payload for p in bench.store.pending(10)] == [b"two"]
    assert bench.store.burned(ROOM) == 2


def test_what_is_bad_in_the_stream_is_there_and_not_sent_again(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    batch = batch_of(bench.store, note)
    bench.store.put_sealed(batch)
    bench.store.receive(ReceivedSlice(room=ROOM, bad=[(7, "decrypt")]))
    assert bench.store.shown(batch, 7)
    assert bench.store.waiting_count() == 0


def test_a_batch_that_was_refused_as_stale_is_pending_again(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    batch = batch_of(bench.store, note)
    bench.store.put_sealed(batch)
    bench.store.unseal(batch)
    assert bench.store.sealed(ROOM) is None
    assert [p.payload for p in bench.store.pending(10)] == [b"one"]
    bench.store.put_sealed(batch_of(bench.store, note, 2))
    assert bench.store.shown(batch, 1)
    assert bench.store.waiting_count() == 1


def test_a_baseline_that_was_refused_is_not_tried_again_by_one_who_is_no_administrator(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"state", baseline=True)
    batch = batch_of(bench.store, note)
    bench.store.put_sealed(batch)
    bench.store.changes.append(ROOM, note, b"edit")
    lowered = MemberRow(uid=ME, role=Role.WRITER, since_n=1, history=True)
    bench.store.receive(ReceivedSlice(room=ROOM, members=[lowered]))
    bench.store.unseal(batch)
    assert [p.payload for p in bench.store.pending(10)] == [b"edit"]


def test_a_record_waits_for_its_blob_and_holds_back_nothing_else(bench: Bench) -> None:
    note = bench.note()
    woken: list[None] = []
    bench.store.waiting_changed.connect(lambda: woken.append(None))
    bench.store.blobs.add(part())
    bench.store.changes.append(ROOM, note, b"file", blobs=[PART])
    bench.store.changes.append(ROOM, note, b"text")
    assert [p.payload for p in bench.store.pending(10)] == [b"text"]
    bench.store.blobs.set_uploaded(PART)
    bench.store.blobs.set_uploaded(PART)
    assert [p.payload for p in bench.store.pending(10)] == [b"file", b"text"]
    assert len(woken) == 1


@pytest.mark.parametrize("uploaded", [False, True])
def test_a_part_that_was_lost_and_uploaded_again_counts_once(bench: Bench, uploaded: bool) -> None:
    note = bench.note()
    blobs = bench.store.blobs
    blobs.add(part(uploaded=uploaded))
    blobs.add(part(SECOND))
    bench.store.changes.append(ROOM, note, b"file", blobs=[PART, SECOND])
    blobs.set_uploaded(PART)
    blobs.set_lost(PART)
    blobs.set_uploaded(PART)
    assert bench.store.pending(10) == []
    blobs.set_lost(PART)
    blobs.set_uploaded(SECOND)
    assert bench.store.pending(10) == []
    blobs.set_uploaded(PART)
    assert [p.payload for p in bench.store.pending(10)] == [b"file"]


def test_a_part_that_is_first_known_as_uploaded_releases_the_change_that_names_it(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"file", blobs=[PART])
    bench.store.blobs.add(part(uploaded=True))
    assert [p.payload for p in bench.store.pending(10)] == [b"file"]


def test_a_change_whose_blob_is_uploaded_already_waits_for_nothing(bench: Bench) -> None:
    note = bench.note()
    bench.store.blobs.add(part(uploaded=True))
    bench.store.changes.append(ROOM, note, b"file", blobs=[PART])
    assert [p.payload for p in bench.store.pending(10)] == [b"file"]


def test_a_held_document_edit_holds_back_the_later_edits_of_its_document(bench: Bench) -> None:
    note, second = bench.note(), bench.note()
    bench.store.changes.append(ROOM, note, b"image", live=True, blobs=[PART])
    bench.store.changes.append(ROOM, note, b"later", live=True)
    bench.store.changes.append(ROOM, second, b"elsewhere", live=True)
    assert [p.payload for p in bench.store.pending(10)] == [b"elsewhere"]


def test_a_stopped_room_has_no_work(bench: Bench) -> None:
    note = bench.note()
    bench.store.changes.append(ROOM, note, b"one")
    bench.store.set_problem(ROOM, "fork")
    assert (bench.store.pending(10), bench.store.rooms_with_work()) == ([], [])
    assert bench.store.waiting_count() == 1
    bench.store.set_problem(ROOM, None)
    assert bench.store.rooms_with_work() == [ROOM]


def test_an_unknown_reason_removes_no_stored_one(bench: Bench) -> None:
    bench.store.set_problem(ROOM, "fork")
    with pytest.raises(BugError):
        bench.store.set_problem(ROOM, "withheld")
    assert bench.store.problem(ROOM) == "fork"


def test_rooms_do_not_mix(bench: Bench) -> None:
    other = RoomId(b"r" * 16)
    bench.join(other)
    note, there = bench.note(), bench.note(room=other)
    bench.store.changes.append(ROOM, note, b"here")
    bench.store.changes.append(other, there, b"there")
    assert [p.payload for p in bench.store.pending_in(other, 10)] == [b"there"]
    assert bench.store.rooms_with_work() == sorted([ROOM, other])
