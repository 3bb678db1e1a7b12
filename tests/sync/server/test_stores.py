# SPDX-License-Identifier: EUPL-1.2
"""One suite over every store: what holds for memory holds on disk, and there it also survives."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.server.store.base import (
    Appended,
    BlobRow,
    Crowding,
    DeviceHead,
    EntryRow,
    Full,
    InviteRow,
    ItemRow,
    MemberChange,
    Moved,
    Placement,
    RecoveryRequestRow,
    RoomSize,
    SealRow,
    ShareRow,
    SightingRow,
    StaffRow,
    Store,
    StoreError,
    Taken,
    Tally,
    UnmetRow,
    Unwritable,
    UploadRow,
    UserRow,
)
from sync.server.store.database import TooNew, TooOld
from sync.server.store.memory import MemoryStore
from sync.server.store.restored import AwaitedItem, RestoreRow
from sync.server.store.sql import SqlStore

ROOM, OTHER = b"r" * 16, b"s" * 16
ANNA, BERT = b"a" * 16, b"b" * 16
DEV = b"d" * 16
SENT = Tally("device", DEV)


def invite(pk: bytes = b"p" * 32) -> InviteRow:
    return InviteRow(invite_pk=pk, cert_body=b"c", cert_sig=b"s" * 64, salt=b"t", record=b"r", not_after=2000)


def user(uid: bytes = ANNA, search: str = "handläggare å 🙂 enheten för bygglov") -> UserRow:
    return UserRow(uid=uid, seq=0, head=b"h" * 32, salt=b"t", record=b"r", search=search, root_pk=b"k" * 32)


def entry(seq: int) -> EntryRow:
    return EntryRow(seq=seq, body=b"body %d" % seq, sig=b"s" * 64)


def item(n: int, ct: bytes | None = b"sealed") -> ItemRow:
    mark = n.to_bytes(4, "big")
    return ItemRow(n=n, t=1000 + n, kind=2, id=b"i" * 28 + mark, rh=b"h" * 28 + mark, body=b"b", sig=b"s", ct=ct)


def placement(expected_n: int, count: int = 1, room: bytes = ROOM, **more: Any) -> Placement:
    items = [item(expected_n + k + 1) for k in range(count)]
    return Placement(room=room, expected_n=expected_n, items=items, size_bytes=100, by=(SENT,), day=3, **more)


@pytest.fixture(params=["memory", "sql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqlStore(tmp_path / "s.sqlite3")
    await made.open()
    yield made
    await made.close()


async def test_an_invite_is_used_once(store: Store) -> None:
    await store.add_invite(invite())
    await store.enrol(b"p" * 32, user(), [entry(0), entry(1)])
    found = await store.invite(b"p" * 32)
    assert found is not None
    assert found.used_by == ANNA
    with pytest.raises(Taken):
        await store.enrol(b"p" * 32, user(BERT), [entry(0)])
    assert await store.user(BERT) is None
    assert [e.seq for e in await store.user_entries(ANNA, -1)] == [0, 1]
    assert [e.seq for e in await store.user_entries(ANNA, 0)] == [1]


async def test_an_enrolment_that_is_refused_leaves_its_invite_unused(store: Store) -> None:
    await store.add_invite(invite())
    await store.add_invite(invite(b"q" * 32))
    await store.enrol(b"p" * 32, user(), [entry(0)])
    with pytest.raises(Taken):
        await store.enrol(b"q" * 32, user(), [entry(0)])
    second = await store.invite(b"q" * 32)
    assert second is not None
    assert second.used_by is None


async def test_an_unknown_invite_is_none_and_a_known_one_is_not_added_twice(store: Store) -> None:
    assert await store.invite(b"x" * 32) is None
    await store.add_invite(invite())
    with pytest.raises(Taken):
        await store.add_invite(invite())


async def test_a_user_log_moves_by_compare_and_swap(store: Store) -> None:
    await store.add_invite(invite())
    await store.enrol(b"p" * 32, user(), [entry(0)])
    await store.append_user(ANNA, 0, [entry(1), entry(2)], Appended(head=b"1" * 32, root_pk=b"k" * 32))
    with pytest.raises(Moved):
        await store.append_user(ANNA, 0, [entry(1)], Appended(head=b"2" * 32, root_pk=b"x" * 32))
    found = await store.user(ANNA)
    assert found is not None
    assert (found.seq, found.head, found.record, found.root_pk) == (2, b"1" * 32, b"r", b"k" * 32)
    assert await store.user_entries(ANNA, 0) == [entry(1), entry(2)]


async def test_entries_use_an_invitation_once_and_change_record_and_root(store: Store) -> None:
    for pk in (b"p", b"q"):
        await store.add_invite(invite(pk * 32))
    await store.enrol(b"p" * 32, user(), [entry(0)])
    made = Appended(head=b"1" * 32, root_pk=b"n" * 32, salt=b"u", record=b"s", search="annat ord")
    await store.append_user(ANNA, 0, [entry(1)], made, invite_pk=b"q" * 32)
    found = await store.by_root(b"n" * 32)
    assert found is not None
    assert (found.uid, found.salt, found.record, found.search) == (ANNA, b"u", b"s", "annat ord")
    assert await store.by_root(b"k" * 32) is None
    used = await store.invite(b"q" * 32)
    assert used is not None
    assert used.used_by == ANNA
    with pytest.raises(Taken):
        await store.append_user(ANNA, 1, [entry(2)], made, invite_pk=b"q" * 32)
    assert await store.user_entries(ANNA, 1) == []


async def test_what_was_asked_is_kept_by_person_and_device(store: Store) -> None:
    first = RecoveryRequestRow(uid=ANNA, what="add", dev=DEV, since=2, invite_pk=b"p" * 32)
    second = RecoveryRequestRow(uid=ANNA, what="revoke", dev=DEV, since=1)
    for row in (first, second, RecoveryRequestRow(uid=BERT, what="add", dev=DEV, since=3)):
        await store.put_recovery_request(row)
    assert await store.recovery_requests(ANNA) == [second, first]
    await store.put_recovery_request(replace(first, vetoed_by=b"v" * 16))
    assert await store.recovery_requests(ANNA) == [second, replace(first, vetoed_by=b"v" * 16)]
    await store.drop_recovery_request(ANNA, "add", DEV)
    await store.drop_recovery_request(ANNA, "add", DEV)
    assert await store.recovery_requests(ANNA) == [second]


async def test_people_are_found_by_every_word_and_wildcards_are_letters(store: Store) -> None:
    for k, (uid, text) in enumerate([(ANNA, "handläggare å 🙂 bygglov"), (BERT, "registrator 100% arkiv")]):
        await store.add_invite(invite(bytes([k]) * 32))
        await store.enrol(bytes([k]) * 32, user(uid, text), [entry(0)])
    assert [u.uid for u in await store.search_people(["bygg", "å"], 10)] == [ANNA]
    assert [u.uid for u in await store.search_people(["🙂"], 10)] == [ANNA]
    assert [u.uid for u in await store.search_people(["%"], 10)] == [BERT]
    assert [u.uid for u in await store.search_people([], 1)] == [ANNA]
    assert await store.search_people(["bygg", "arkiv"], 10) == []
    assert {u.uid for u in await store.people([ANNA, BERT, b"x" * 16, ANNA])} == {ANNA, BERT}


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


async def test_a_database_of_before_the_first_release_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("UPDATE meta SET value = '7'")
    with pytest.raises(TooOld, match="before the first release"):
        await SqlStore(path).open()


async def test_what_was_answered_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    first = SqlStore(path)
    await first.open()
    await first.place(placement(0, 3, state=b"state", members=[MemberChange(uid=ANNA, until_n=None)]))
    await first.close()
    second = SqlStore(path)
    await second.open()
    row = await second.room(ROOM)
    assert row is not None
    assert (row.n, row.state) == (3, b"state")
    assert await second.items(ROOM, 0, 3, 1 << 20) == [item(1), item(2), item(3)]
    await second.close()


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    store = SqlStore(path)
    await store.open()
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as c, c:
        c.execute("UPDATE meta SET value = '99'")
    c.close()
    before = path.read_bytes()
    with pytest.raises(TooNew):
        await SqlStore(path).open()
    assert path.read_bytes() == before


async def test_a_full_disk_acknowledges_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3", max_pages=120)
    await store.open()
    await store.place(placement(0))
    big = ItemRow(n=2, t=1, kind=2, id=b"2" * 32, rh=b"h" * 32, body=b"b", sig=b"s", ct=bytes(1 << 20))
    full = Placement(room=ROOM, expected_n=1, items=[big], size_bytes=1, by=(SENT,), day=1)
    answers = await asyncio.gather(store.place(full), store.place(placement(2)), return_exceptions=True)
    assert isinstance(answers[0], Full)
    assert isinstance(answers[1], StoreError)
    row = await store.room(ROOM)
    assert row is not None
    assert row.n == 1
    await store.place(placement(1))
    assert await store.positions(ROOM, [big.id]) == {}
    await store.close()


async def test_rooms_are_counted_and_measured(store: Store) -> None:
    anna, bert = MemberChange(uid=ANNA, until_n=None), MemberChange(uid=BERT, until_n=None)
    await store.place(placement(0, 2, members=[anna, bert]))
    await store.place(placement(2, members=[MemberChange(uid=BERT, until_n=3)]))
    await store.place(placement(0, room=OTHER))
    sizes = {size.room: size for size in await store.room_sizes()}
    assert sizes[ROOM] == RoomSize(room=ROOM, members=1, n=3, size_bytes=200, t=1003)
    assert (sizes[OTHER].members, sizes[OTHER].n) == (0, 1)


async def test_a_probe_writes_a_page_each_time(tmp_path: Path) -> None:
    """Otherwise no disk would be tested: SQLite writes no page that has not changed."""
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    written = tmp_path / "s.sqlite3-wal"
    sizes = []
    for _ in range(3):
        await store.probe()
        sizes.append(written.stat().st_size)
    assert sizes == sorted(set(sizes))
    await store.close()


async def test_a_probe_changes_nothing_else(store: Store) -> None:
    before = await store.counts(0)
    await store.probe()
    assert await store.counts(0) == before
    assert store.queued == 0


async def test_a_database_that_somebody_else_writes_to_is_busy_and_not_full(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    await store._write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout=10"))
    with contextlib.closing(sqlite3.connect(tmp_path / "s.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unwritable) as e:
            await store.probe()
        other.execute("ROLLBACK")
    assert (type(e.value), e.value.code) == (Unwritable, "busy")
    await store.probe()
    await store.close()
