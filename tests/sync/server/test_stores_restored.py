# SPDX-License-Identifier: EUPL-1.2
"""Every store after a restore: what is awaited, what comes back, and when a closed room may open."""

from dataclasses import replace

import pytest

from sync.server.store.base import Appended, MemberChange, SightingRow, StaffRow, Store, Taken, UnmetRow
from sync.server.store.restored import AwaitedItem, RestoreRow
from tests.sync.server.store_rows import ANNA, BERT, DEV, OTHER, ROOM, entry, invite, item, placement, store, user

__all__ = ["store"]  # a fixture


async def test_the_highest_receipt_for_what_is_not_here_is_kept_and_counted(store: Store) -> None:
    def unmet(n: int, room: bytes = ROOM, rh: bytes = b"x" * 32) -> UnmetRow:
        return UnmetRow(room=room, n=n, rh=rh, t=1, sig=b"s" * 64)

    assert await store.unmet(ROOM) is None
    for n in (5, 7, 6):
        await store.put_unmet(unmet(n))
    await store.put_unmet(unmet(2, OTHER))
    assert await store.unmet(ROOM) == unmet(7)
    await store.place(placement(0, 6))
    found = await store.counts(0)
    assert (found.rooms_behind, found.rooms_forked) == (2, 0)
    await store.place(placement(6, 1))
    await store.place(placement(0, 2, OTHER))
    found = await store.counts(0)
    assert (found.rooms_behind, found.rooms_forked) == (0, 2)
    assert (await store.population(0)).rooms_forked == 2
    await store.put_unmet(unmet(8, rh=item(8).rh))
    await store.place(placement(7, 1))
    found = await store.counts(0)
    assert (found.rooms_behind, found.rooms_forked) == (0, 1)


async def test_after_a_restore_every_room_is_closed_and_whoever_was_seen_lately_is_awaited(store: Store) -> None:
    await store.place(placement(0, 2))
    for dev, last in ((b"e" * 16, 5), (DEV, 6)):
        await store.put_sighting(SightingRow(dev=dev, uid=ANNA, last=last, agent="kansli/0.1"))
    assert await store.restored() is None
    newest = RestoreRow(t=9, backup_t=7, body=b"body", sig=b"s" * 64)
    await store.mark_restored(replace(newest, t=8), 0)
    await store.mark_restored(newest, 6)
    assert await store.restored() == newest
    assert await store.closed_rooms() == {ROOM}
    assert await store.awaited_devices() == [(DEV, ANNA)]
    counts = await store.counts(0)
    assert (counts.rooms_closed, counts.devices_awaited) == (1, 1)
    people = await store.population(6)
    assert (people.people, people.devices, people.rooms_closed) == (0, 1, 1)
    await store.stop_awaiting(DEV)
    assert await store.awaited_devices() == []
    await store.open_room(ROOM)
    assert await store.closed_rooms() == set()


async def test_what_comes_back_after_a_restore_is_awaited_no_more(store: Store) -> None:
    def awaited(n: int) -> AwaitedItem:
        return AwaitedItem(n=n, t=n, kind=2, id=b"%032d" % n)

    await store.await_items(ROOM, [awaited(2), awaited(1)])
    await store.await_items(ROOM, [replace(awaited(2), t=99), awaited(3)])
    assert await store.awaited_items(ROOM, 0, 10) == [awaited(1), awaited(2), awaited(3)]
    assert await store.awaited_items(ROOM, 1, 1) == [awaited(2)]
    assert (await store.awaited_until(ROOM), await store.awaited_until(OTHER)) == (3, 0)
    await store.place(placement(0, 2, reuploaded=[1]))
    await store.place(placement(2, reuploaded=[]))
    assert await store.awaited_items(ROOM, 0, 10) == []
    assert await store.closed_rooms() == {ROOM}  # it began again since the restore
    await store.open_room(ROOM)
    assert await store.await_items(ROOM, [awaited(2), awaited(3)]) == 0  # proven by a client that was too late
    assert await store.awaited_until(ROOM) == 0
    assert await store.closed_rooms() == set()
    assert await store.await_items(ROOM, [awaited(3), awaited(9)]) == 1
    assert await store.awaited_items(ROOM, 0, 10) == [awaited(9)]
    await store.open_room(ROOM)
    assert await store.awaited_until(ROOM) == 0
    await store.place(placement(0, 1, room=OTHER))
    assert await store.closed_rooms() == set()


async def test_a_person_whose_log_was_lost_is_there_again_once(store: Store) -> None:
    mine = replace(invite(), used_by=ANNA)
    await store.return_user(user(), [entry(0)], [mine])
    assert await store.user(ANNA) == user()
    assert await store.user_entries(ANNA, -1) == [entry(0)]
    assert await store.invite(mine.invite_pk) == mine
    with pytest.raises(Taken):
        await store.return_user(user(), [entry(0)], [mine])
    with pytest.raises(Taken):
        await store.return_user(user(BERT), [entry(0)], [replace(mine, used_by=BERT)])
    other = invite(b"q" * 32)
    await store.add_invite(other)
    await store.return_user(user(BERT), [entry(0)], [replace(other, used_by=BERT)])
    assert await store.invite(other.invite_pk) == replace(other, used_by=BERT)


async def test_invitations_that_were_used_before_a_restore_are_noted_with_the_entries(store: Store) -> None:
    await store.return_user(user(), [entry(0)], [])
    await store.add_invites([invite(b"q" * 32), replace(invite(b"r" * 32), used_by=BERT)])
    made, mine = Appended(head=b"1" * 32, root_pk=b"k" * 32), [invite(b"p" * 32), invite(b"q" * 32)]
    with pytest.raises(Taken):
        await store.append_user(ANNA, 0, [entry(1)], made, returned=[*mine, invite(b"r" * 32)])
    assert await store.user_entries(ANNA, -1) == [entry(0)]
    assert await store.invite(b"p" * 32) is None
    await store.append_user(ANNA, 0, [entry(1)], made, returned=mine)
    assert [row.used_by for row in await store.invites()] == [ANNA, ANNA, BERT]


async def test_a_record_is_filled_in_where_it_is_lost_and_the_log_has_not_moved(store: Store) -> None:
    lost = replace(user(), salt=b"", record=b"", search="")
    await store.return_user(lost, [entry(0)], [replace(invite(), used_by=ANNA)])
    assert await store.nameless() == [ANNA]
    staff = StaffRow(salt=b"salt", record=b"record")
    await store.fill_record(ANNA, lost.seq + 1, staff, "anna")
    await store.fill_record(BERT, 0, staff, "bert")
    assert await store.user(ANNA) == lost
    await store.fill_record(ANNA, lost.seq, staff, "anna")
    named = replace(lost, salt=b"salt", record=b"record", search="anna")
    assert await store.user(ANNA) == named
    await store.fill_record(ANNA, lost.seq, StaffRow(salt=b"other", record=b"other"), "other")
    assert await store.user(ANNA) == named
    assert await store.nameless() == []


async def test_a_closed_room_may_open_when_it_awaits_no_item_and_no_device_of_a_member(store: Store) -> None:
    joined = [MemberChange(uid=ANNA, until_n=None), MemberChange(uid=BERT, until_n=1)]
    await store.place(placement(0, members=joined))
    await store.place(placement(0, room=OTHER))
    for dev, uid in ((DEV, ANNA), (b"e" * 16, BERT)):
        await store.put_sighting(SightingRow(dev=dev, uid=uid, last=5, agent="kansli/0.1"))
    await store.mark_restored(RestoreRow(t=9, backup_t=7, body=b"body", sig=b"s" * 64), 0)
    assert await store.openable_rooms() == [OTHER]
    await store.await_items(OTHER, [AwaitedItem(n=2, t=2, kind=2, id=b"2" * 32)])
    assert await store.openable_rooms() == []
    await store.stop_awaiting(DEV)
    assert await store.openable_rooms() == [ROOM]


async def test_a_closed_room_is_opened_only_if_it_is_ready(store: Store) -> None:
    for room in (ROOM, OTHER):
        await store.place(placement(0, room=room))
    await store.mark_restored(RestoreRow(t=9, backup_t=7, body=b"body", sig=b"s" * 64), 0)
    await store.put_unmet(UnmetRow(room=OTHER, n=3, rh=b"3" * 32, t=3, sig=b"s" * 64))
    assert [await store.open_if_ready(room) for room in (ROOM, OTHER, b"q" * 16)] == [True, False, False]
    assert await store.closed_rooms() == {OTHER}
    assert not await store.open_if_ready(ROOM)


async def test_a_closed_room_does_not_open_below_a_receipt_that_was_presented(store: Store) -> None:
    await store.place(placement(0, 1))
    await store.mark_restored(RestoreRow(t=9, backup_t=7, body=b"body", sig=b"s" * 64), 0)
    await store.put_unmet(UnmetRow(room=ROOM, n=3, rh=b"3" * 32, t=3, sig=b"s" * 64))
    await store.put_unmet(UnmetRow(room=OTHER, n=3, rh=b"3" * 32, t=3, sig=b"s" * 64))
    assert await store.openable_rooms() == []
    await store.await_items(ROOM, [AwaitedItem(n=n, t=n, kind=2, id=b"%032d" % n) for n in (2, 3)])
    await store.place(placement(1, reuploaded=[]))
    await store.place(placement(2, reuploaded=[]))
    assert await store.openable_rooms() == [ROOM]
