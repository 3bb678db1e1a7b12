# SPDX-License-Identifier: EUPL-1.2
"""Every store: a room's items, members, states, seals and files. What holds for memory holds on disk."""

import asyncio
from dataclasses import replace

import pytest

from sync.server.store.base import (
    BlobRow,
    Crowding,
    DeviceHead,
    MemberChange,
    Moved,
    RoomSize,
    SealRow,
    ShareRow,
    Store,
    Taken,
    Tally,
    UploadRow,
)
from tests.sync.server.store_rows import ANNA, BERT, DEV, OTHER, ROOM, SENT, invite, item, placement, store

__all__ = ["store"]  # a fixture


async def test_positions_are_given_in_the_order_of_the_calls(store: Store) -> None:
    await asyncio.gather(*[store.place(placement(n)) for n in range(40)])
    row = await store.room(ROOM)
    assert row is not None
    assert (row.n, row.rh, row.t, row.size_bytes) == (40, item(40).rh, 1040, 4000)
    assert [i.n for i in await store.items(ROOM, 0, 99, 1 << 20)] == list(range(1, 41))


async def test_a_placement_on_another_head_changes_nothing(store: Store) -> None:
    await store.place(placement(0, 2))
    for wrong in (0, 1, 3):
        with pytest.raises(Moved):
            await store.place(placement(wrong, members=[MemberChange(uid=ANNA, until_n=None)]))
    with pytest.raises(Moved):
        await store.place(placement(5, room=OTHER))
    assert await store.until_n(ROOM, ANNA) is None
    assert await store.counted(SENT, 3) == 100
    assert len(await store.items(ROOM, 0, 99, 1 << 20)) == 2


async def test_a_pull_is_bounded_by_bytes_but_never_empty(store: Store) -> None:
    await store.place(placement(0, 10))
    assert [i.n for i in await store.items(ROOM, 2, 10, 1)] == [3]
    assert [i.n for i in await store.items(ROOM, 2, 10, 16)] == [3, 4]
    assert [i.n for i in await store.items(ROOM, 2, 4, 1 << 20)] == [3, 4]
    assert await store.items(ROOM, 10, 10, 1 << 20) == []
    assert await store.items(OTHER, 0, 10, 1 << 20) == []
    assert await store.items(ROOM, 4, 5, 1 << 20) == [item(5)]


async def test_items_are_given_without_content_and_one_by_one(store: Store) -> None:
    await store.place(placement(0, 10))
    assert await store.items(ROOM, 2, 4, 1 << 20, bare=True) == [replace(item(n), ct=None) for n in (3, 4)]
    assert await store.items_at(ROOM, [2, 5, 9], 1 << 20) == [item(2), item(5), item(9)]
    assert await store.items_at(ROOM, [2, 5, 9], 1) == [item(2)]
    assert await store.items_at(ROOM, [9, 11], 1 << 20) == [item(9)]
    assert await store.items_at(OTHER, [1], 1 << 20) == []


async def test_content_is_forgotten_and_the_chain_stays(store: Store) -> None:
    await store.place(placement(0, 4))
    before = await store.room(ROOM)
    whole = [replace(item(n), ct=b"c" * 9) for n in (5, 6)]
    await store.place(replace(placement(4, 2), items=whole, size_bytes=99))
    assert await store.forget(ROOM, [2, 5]) == len(item(2).ct or b"") + 9
    assert await store.forget(ROOM, [2, 5]) == 0
    assert await store.items_at(ROOM, [5, 6], 1 << 20) == [replace(whole[0], ct=None), whole[1]]
    after = await store.room(ROOM)
    assert before is not None
    assert after is not None
    assert after.size_bytes == before.size_bytes + 99 - 9 - len(item(2).ct or b"")
    assert await store.rhs(ROOM, 4, 6) == [i.rh for i in whole]


async def test_hashes_and_positions_are_found(store: Store) -> None:
    await store.place(placement(0, 3))
    assert await store.rhs(ROOM, 1, 3) == [item(2).rh, item(3).rh]
    assert await store.rh_at(ROOM, 3) == item(3).rh
    assert await store.rh_at(ROOM, 4) is None
    assert await store.rh_at(ROOM, 0) is None
    assert await store.positions(ROOM, [item(2).id, b"x" * 32]) == {item(2).id: 2}
    assert await store.positions(OTHER, [item(2).id]) == {}


async def test_members_come_and_go_and_come_back(store: Store) -> None:
    joined = [MemberChange(uid=ANNA, until_n=None), MemberChange(uid=BERT, until_n=None)]
    await store.place(placement(0, members=joined, device_head=DeviceHead(dev=DEV, dev_seq=7, id=b"7" * 32)))
    await store.place(placement(1, members=[MemberChange(uid=BERT, until_n=2)]))
    assert (await store.until_n(ROOM, ANNA), await store.until_n(ROOM, BERT)) == (0, 2)
    (mine,) = await store.memberships(ANNA, DEV)
    assert (mine.room, mine.n, mine.dev_seq, mine.dev_head) == (ROOM, 2, 7, b"7" * 32)
    (other,) = await store.memberships(ANNA, b"e" * 16)
    assert (other.dev_seq, other.dev_head) == (0, b"")
    assert await store.memberships(BERT, DEV) == []
    await store.place(placement(2, members=[MemberChange(uid=BERT, until_n=None)]))
    assert await store.until_n(ROOM, BERT) == 0


async def test_the_last_positions_are_those_of_own_rooms(store: Store) -> None:
    for room, uid in ((ROOM, ANNA), (OTHER, BERT)):
        await store.place(placement(0, 2, room=room, members=[MemberChange(uid=uid, until_n=None)]))
    await store.place(placement(2))
    assert await store.last_positions(ANNA, [OTHER, ROOM, b"x" * 16]) == {ROOM: 3}
    assert await store.last_positions(ANNA, []) == {}
    await store.place(placement(3, members=[MemberChange(uid=ANNA, until_n=4)]))
    assert await store.last_positions(ANNA, [ROOM]) == {}


async def test_a_pruning_is_noted_until_it_has_ended_and_no_newer_one_has_begun(store: Store) -> None:
    await store.place(placement(0, 2))
    assert await store.prunings() == []
    await store.place(placement(2, prunes=True))
    await store.place(placement(0, room=OTHER, prunes=True))
    assert set(await store.prunings()) == {ROOM, OTHER}
    await store.end_pruning(ROOM, 2)
    assert set(await store.prunings()) == {ROOM, OTHER}, "that was of an earlier one"
    await store.place(placement(3))
    await store.end_pruning(ROOM, 4)
    await store.end_pruning(ROOM, 4)
    assert await store.prunings() == [OTHER]


async def test_unanswered_adds_are_counted_by_adder_until_the_person_has_an_item(store: Store) -> None:
    added = [MemberChange(uid=BERT, until_n=None, by=ANNA)]
    await store.place(placement(0, members=[MemberChange(uid=ANNA, until_n=None), *added], spoke=[ANNA]))
    await store.place(placement(0, room=OTHER, members=added))
    assert await store.crowding(BERT, ANNA) == Crowding(rooms=2, unanswered=2)
    assert await store.crowding(BERT, BERT) == Crowding(rooms=2, unanswered=0)
    await store.place(placement(1, spoke=[BERT]))
    assert await store.crowding(BERT, ANNA) == Crowding(rooms=2, unanswered=1)
    await store.place(placement(2, members=[MemberChange(uid=BERT, until_n=3)]))
    assert await store.crowding(BERT, ANNA) == Crowding(rooms=1, unanswered=1)
    await store.place(placement(3, members=added))
    assert await store.crowding(BERT, ANNA) == Crowding(rooms=2, unanswered=1)
    assert await store.crowding(ANNA, BERT) == Crowding(rooms=1, unanswered=0)


async def test_a_state_never_goes_back(store: Store) -> None:
    await store.place(placement(0, 3, state=b"three"))
    await store.place(placement(3))
    await store.put_state(ROOM, 4, b"four")
    await store.put_state(ROOM, 3, b"late")
    await store.put_state(ROOM, 9, b"never placed")
    row = await store.room(ROOM)
    assert row is not None
    assert (row.state_n, row.state) == (4, b"four")


async def test_a_lost_share_is_filled_in_and_a_held_one_stays(store: Store) -> None:
    held = ShareRow(obj=b"o" * 16, n=1, share_c=b"c" * 32, share=b"s" * 32)
    lost = ShareRow(obj=b"l" * 16, n=2, share_c=b"d" * 32, share=None)
    await store.place(placement(0, 2, shares=[held, lost]))
    gone = ShareRow(obj=b"none" * 4, n=2, share_c=b"e" * 32, share=b"z" * 32)
    assert not await store.put_share(ROOM, replace(held, share=b"x" * 32))
    assert await store.put_share(ROOM, replace(lost, n=9, share=b"y" * 32))
    assert not await store.put_share(ROOM, replace(lost, share=b"w" * 32))
    assert await store.put_share(ROOM, gone)
    found = {h.obj: (h.n, h.share) for h in await store.shares(ROOM, [held.obj, lost.obj, gone.obj])}
    assert found == {held.obj: (1, b"s" * 32), lost.obj: (2, b"y" * 32), gone.obj: (2, b"z" * 32)}
    assert [h.obj for h in await store.shares_between(ROOM, 1, 2)] == [lost.obj, gone.obj]


async def test_seals_come_newest_first_and_are_bounded(store: Store) -> None:
    await store.place(placement(0, seals=[SealRow(epoch=1, uid=ANNA, seal=b"0")]))
    for k in range(1, 6):
        await store.add_seal(ROOM, SealRow(epoch=1, uid=ANNA, seal=b"%d" % k), keep=3)
    assert await store.seals(ROOM, 1, ANNA) == [b"5", b"4", b"0"]
    assert await store.seals(ROOM, 2, ANNA) == []
    await store.add_seal(ROOM, SealRow(epoch=1, uid=ANNA, seal=b"five5"), 3, (SENT, Tally("person", ANNA)), 4)
    assert [await store.counted(t, 4) for t in (SENT, Tally("person", ANNA), Tally("device", ANNA))] == [5, 5, 0]


async def test_counts_of_a_day_add_up(store: Store) -> None:
    entries, size = Tally("log-entries", ANNA), Tally("log-bytes", ANNA)
    for _ in range(2):
        await store.count({entries: 1, size: 400}, 7)
    assert [await store.counted(t, day) for t in (entries, size) for day in (7, 8)] == [2, 0, 800, 0]


async def test_old_running_hashes_come_by_one_look_and_only_those_that_there_are(store: Store) -> None:
    await store.place(placement(0, 5))
    await store.place(placement(0, 2, room=OTHER))
    assert await store.rhs_at(ROOM, [1, 4, 9]) == {1: item(1).rh, 4: item(4).rh}
    assert await store.rhs_at(b"n" * 16, [1]) == {}


async def test_an_upload_is_kept_counted_as_it_comes_and_gone_when_the_part_is_whole(store: Store) -> None:
    row = UploadRow(room=ROOM, obj=b"o" * 16, part=b"p" * 16, uid=ANNA, dev=DEV, held_bytes=30, since=2)
    other = replace(row, part=b"q" * 16, since=1)
    await store.place(placement(0))
    await store.put_upload(row, (SENT,), 3, 30)
    await store.put_upload(replace(row, held_bytes=45), (SENT,), 3, 15)
    await store.put_upload(other, (SENT,), 3, 30)
    assert await store.uploads() == [other, replace(row, held_bytes=45)]
    for again in (replace(other, uid=BERT, dev=b"e" * 16), other):  # another person begins the same part
        await store.put_upload(again, (), 3, 0)
        assert again in await store.uploads()
    assert await store.counted(SENT, 3) == 175
    await store.add_blob(BlobRow(room=ROOM, obj=row.obj, part=row.part, size_bytes=50, sha256=b"h" * 32), (SENT,), 3, 5)
    assert await store.uploads() == [other]
    assert await store.counted(SENT, 3) == 180
    for _ in range(2):
        await store.drop_upload(*other.name)
    assert await store.uploads() == []


async def test_a_blob_counts_once(store: Store) -> None:
    row = BlobRow(room=ROOM, obj=b"o" * 16, part=b"p" * 16, size_bytes=50, sha256=b"h" * 32)
    await store.place(placement(0))
    await store.add_blob(row, (SENT,), 3, 50)
    with pytest.raises(Taken):
        await store.add_blob(row, (SENT,), 3, 50)
    assert await store.blob(ROOM, row.obj, row.part) == row
    assert await store.blob(OTHER, row.obj, row.part) is None
    assert await store.counted(SENT, 3) == 150
    assert await store.counted(SENT, 4) == 0
    await store.add_invite(invite())
    counts = await store.counts(1999)
    assert (counts.rooms, counts.items, counts.blobs, counts.blob_bytes, counts.invites_open) == (1, 1, 1, 50, 1)
    assert (await store.counts(2000)).invites_open == 0


async def test_rooms_are_counted_and_measured(store: Store) -> None:
    anna, bert = MemberChange(uid=ANNA, until_n=None), MemberChange(uid=BERT, until_n=None)
    await store.place(placement(0, 2, members=[anna, bert]))
    await store.place(placement(2, members=[MemberChange(uid=BERT, until_n=3)]))
    await store.place(placement(0, room=OTHER))
    sizes = {size.room: size for size in await store.room_sizes()}
    assert sizes[ROOM] == RoomSize(room=ROOM, members=1, n=3, size_bytes=200, t=1003)
    assert (sizes[OTHER].members, sizes[OTHER].n) == (0, 1)
