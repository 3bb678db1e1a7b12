# SPDX-License-Identifier: EUPL-1.2
"""When what newcomers are owed is tried again. tests/journeys/test_baselines.py gives it over real sockets."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.ids import ObjId, RoomId
from app.documents import KIND as DOCUMENTS
from app.errors import WorkerDied, WorkerUnavailable
from app.rooms import baselines, put_away
from app.rooms.baselines import Baselines
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectAnnounced, ObjectRetired, decode, encode
from app.store.store import Store
from tests.app.store.test_trials import KINDS, NOTE, found_room
from tests.bus import serving
from tests.office import BOARD_ID, ROOM
from tests.one_change import one_change
from tests.world import until


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "store.db", b"k" * 32, {**KINDS, ROOM_KIND.id: ROOM_KIND})
    found_room(made)
    return made


async def test_a_room_that_lacks_a_slice_is_tried_again_by_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room waited for half a minute, since nothing wakes `run` when the slice is stored. Meanwhile a newcomer had
    nothing."""
    whole, given = [False, True], list[str]()
    made = Baselines(store, lambda room: whole.pop(0))
    made.kinds = {DOCUMENTS.id: lambda obj: _state(given)}
    monkeypatch.setattr(store.newcomers, "owed", lambda room: None if given else 5)
    monkeypatch.setattr(baselines, "RETRY_S", 3600.0)
    async with serving(made.run()):
        await until(lambda: bool(given))
    assert whole == []
    store.close()


async def test_an_object_that_is_owed_waits_for_the_whole_room_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newcomers were given a part of the object as if it were all of it."""
    whole, asked, given = [False], list[None](), list[str]()

    def is_whole(room: RoomId) -> bool:
        asked.append(None)
        return whole[0]

    monkeypatch.setattr(baselines, "RETRY_S", 3600.0)
    monkeypatch.setattr(baselines, "LOOK_S", 0.01)
    store.newcomers.owe(NOTE)
    made = Baselines(store, is_whole)
    made.kinds = {DOCUMENTS.id: lambda obj: _state(given)}
    async with serving(made.run()):
        await until(lambda: len(asked) > 2)
        assert (given, store.newcomers.owing()) == ([], [NOTE])
        whole[0] = True
        await until(lambda: store.newcomers.owing() == [])
    assert given == ["given"]
    store.close()


async def test_newcomers_are_given_what_is_in_the_trash_as_such(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody restored it, a member without the history lacked it."""
    store.changes.append(ROOM, ObjId(ROOM), encode(ObjectRetired(obj=NOTE, on=True)))
    before = store.pending(100)
    by = put_away.read(store.db, ROOM)
    made = Baselines(store, lambda room: True)

    async def state(obj: ObjId) -> Sequence[bytes]:
        return [one_change(b"\0\0")]

    made.kinds = {DOCUMENTS.id: state}
    monkeypatch.setattr(store.newcomers, "owed", lambda room: 5)
    await made.give(ROOM)
    given = [change for change in store.pending(100) if change not in before]
    records = [decode(change.payload) for change in given if change.obj == ObjId(ROOM)]
    at = records.index(ObjectRetired(obj=NOTE, on=True))
    assert ObjectAnnounced(obj=NOTE, kind=DOCUMENTS.id) in records[:at]
    assert len([change for change in given if change.obj == NOTE]) == 1
    assert put_away.read(store.db, ROOM) == by, "the record is repeated: who put it away, and when, stays"
    store.close()


async def test_who_wakes_it_while_a_state_is_made_is_not_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, given = asyncio.Event(), asyncio.Event(), list[ObjId]()

    async def slow(obj: ObjId) -> Sequence[bytes]:
        begun.set()
        await go_on.wait()
        given.append(obj)
        return ()

    monkeypatch.setattr(baselines, "RETRY_S", 3600.0)
    store.newcomers.owe(NOTE)
    made = Baselines(store, lambda room: True)
    made.kinds = {kind.id: slow for kind in KINDS.values()}
    async with serving(made.run()):
        await begun.wait()  # what was owed at the start is tried
        store.newcomers.owe(BOARD_ID)
        made.pay(BOARD_ID)
        go_on.set()
        await until(lambda: given == [NOTE, BOARD_ID])
        await until(lambda: store.newcomers.owing() == [])
    store.close()


async def test_attack_an_object_at_which_the_worker_ends_is_owed_and_stops_no_other(store: Store) -> None:
    """▲ Otherwise newcomers would be given an empty state in place of the object."""
    given: list[ObjId] = []

    async def dies(obj: ObjId) -> Sequence[bytes]:
        if obj == NOTE:
            raise WorkerDied
        given.append(obj)
        return ()

    made = Baselines(store, lambda room: True)
    made.kinds = {kind.id: dies for kind in KINDS.values()}
    assert await made.renew(ROOM, NOTE) == []
    assert store.newcomers.owing() == [NOTE]
    assert await made.renew(ROOM, BOARD_ID) == []
    assert given == [BOARD_ID]
    store.close()


async def test_a_state_is_owed_if_a_change_is_held_back_while_it_is_made(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newcomers were given the object without that change, and nobody owed it to them any more."""
    sound, made = [True], Baselines(store, lambda room: True)

    async def state(obj: ObjId) -> Sequence[bytes]:
        sound[0] = False
        return (b"en del av det",)

    made.kinds = {DOCUMENTS.id: state}
    monkeypatch.setattr(store.trials, "is_sound", lambda obj: sound[0])
    before = len(store.changes.of(NOTE))
    assert await made.renew(ROOM, NOTE) == []
    assert len(store.changes.of(NOTE)) == before
    assert store.newcomers.owes(NOTE)
    store.close()


async def test_while_the_worker_cannot_be_started_everything_stays_owed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[ObjId] = []

    async def unavailable(obj: ObjId) -> Sequence[bytes]:
        tried.append(obj)
        if len(tried) == 1:
            raise WorkerUnavailable
        return ()

    monkeypatch.setattr(baselines, "RETRY_S", 0.01)
    store.newcomers.owe(NOTE)
    made = Baselines(store, lambda room: True)
    made.kinds = {DOCUMENTS.id: unavailable}
    async with serving(made.run()):
        await until(lambda: store.newcomers.owing() == [])
    assert tried == [NOTE, NOTE]
    store.close()


async def _state(given: list[str]) -> Sequence[bytes]:
    given.append("given")
    return ()
