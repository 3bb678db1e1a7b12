# SPDX-License-Identifier: EUPL-1.2
"""Every store: invitations, people, their logs and what they asked. What holds for memory holds on disk."""

from dataclasses import replace

import pytest

from sync.server.store.base import Appended, Moved, RecoveryRequestRow, SightingRow, Store, Taken
from tests.sync.server.store_rows import ANNA, BERT, DEV, entry, invite, store, user

__all__ = ["store"]  # a fixture


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


async def test_no_invites_at_all_are_none_that_is_taken(store: Store) -> None:
    await store.add_invites([])
    assert await store.invites() == []


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


async def test_what_counts_revocations_is_stored_with_their_entries_alone(store: Store) -> None:
    await store.add_invite(invite())
    await store.enrol(b"p" * 32, user(), [entry(0)])
    made = Appended(head=b"1" * 32, root_pk=b"k" * 32)
    rows = [RecoveryRequestRow(uid=ANNA, what="revoked", dev=dev, since=1) for dev in (DEV, b"e" * 16)]
    with pytest.raises(Moved):
        await store.append_user(ANNA, 1, [entry(2)], made, revoked=rows)
    assert await store.recovery_requests(ANNA) == []
    await store.append_user(ANNA, 0, [entry(1)], made, revoked=rows)
    assert await store.recovery_requests(ANNA) == rows


async def test_what_was_asked_is_kept_by_person_and_device(store: Store) -> None:
    first = RecoveryRequestRow(uid=ANNA, what="add", dev=DEV, since=2, invite_pk=b"p" * 32)
    second = RecoveryRequestRow(uid=ANNA, what="revoke", dev=DEV, since=1)
    await store.put_recovery_requests([first, second, RecoveryRequestRow(uid=BERT, what="add", dev=DEV, since=3)])
    assert await store.recovery_requests(ANNA) == [second, first]
    await store.put_recovery_requests([replace(first, vetoed_by=b"v" * 16)])
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
    moved = await store.moved_logs({ANNA: -1, BERT: 0, b"x" * 16: -1})
    assert [(row.uid, row.seq, row.head) for row in moved] == [(ANNA, 0, b"h" * 32)], "those that go further"


async def test_people_whose_record_was_lost_take_no_place_among_those_who_have_one(store: Store) -> None:
    for k, made in enumerate([user(ANNA), replace(user(BERT, ""), salt=b"", record=b"")]):
        await store.add_invite(invite(bytes([k]) * 32))
        await store.enrol(bytes([k]) * 32, made, [entry(0)])
    assert [u.uid for u in await store.search_people([], 1)] == [BERT]
    assert [u.uid for u in await store.search_people([], 1, recorded=True)] == [ANNA]


async def test_a_device_is_seen_again_with_the_program_that_it_signed_in_with(store: Store) -> None:
    other = b"e" * 16
    row = SightingRow(dev=DEV, uid=ANNA, last=5, agent="kansli/0.1")
    await store.put_sighting(row)
    await store.see_again([(ANNA, DEV), (BERT, DEV), (ANNA, other)], 9)
    assert await store.sightings(ANNA) == [replace(row, last=9)]
    assert await store.sightings(BERT) == []
    await store.see_again([], 10)
