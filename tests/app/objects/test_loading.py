# SPDX-License-Identifier: EUPL-1.2
"""Open objects that are loaded in parts, between which the event loop runs (app/objects/loading.py)."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotFound
from app.objects import loading
from app.richtext import flow
from app.store import statements as sql
from app.tasks import card_index
from tests.app.objects.live_place import SIDES, Place
from tests.app.objects.live_sides import OBJ
from tests.counting import crdt_docs

WRITTEN = 60


@pytest.fixture(params=SIDES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, request.param)
    for n in range(WRITTEN):
        made.side.edit(made.theirs, n, 1, f"deras {n}")
    made.store.receive(made.coming())
    yield made
    made.store.close()


def loaded(place: Place) -> "asyncio.Task[Any]":
    """The running task that loads the object in parts."""
    return asyncio.ensure_future(place.service._live.load(OBJ))


def cache(place: Place) -> None:
    """Caches the state that the object has now."""
    place.store.objects.set_crdt_state(OBJ, place.store.changes.of(OBJ)[-1].rowid, place.theirs.snapshot())


@pytest.mark.parametrize("is_cached", [True, False])
async def test_what_is_loaded_in_parts_is_what_is_loaded_at_once(place: Place, *, is_cached: bool) -> None:
    if is_cached:
        cache(place)
        place.store.db.conn.execute("UPDATE changes SET data = x'00' WHERE obj = ?", (OBJ,))  # only the state is read
    model = await loaded(place)
    assert place.side.view(model) == place.side.view(place.theirs)
    assert place.service.open(OBJ) is model
    place.write(model, "mitt")
    place.service.close(OBJ)
    assert is_cached or place.stored() == place.side.view(
        model if place.side.kind == "board" else place.service.open(OBJ)
    )


async def test_a_part_merges_and_reads_few_of_the_changes_and_cards(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board of 10,000 cards held the loop for a second."""
    monkeypatch.setattr(loading, "LOADED_AT_ONCE", 5)
    monkeypatch.setattr(card_index, "READ_AT_ONCE", 10)
    adapter, merged, turns = place.service._live._adapter, list[int](), 0
    load = adapter.load

    def counted(model: Any, updates: Sequence[bytes]) -> int:
        merged.append(len(updates))
        return int(load(model, updates))

    monkeypatch.setattr(adapter, "load", counted)
    task = loaded(place)
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    count = len(place.store.changes.of(OBJ))
    assert (sum(merged), max(merged)) == (count, 5)
    cards = len(place.theirs.cards_by_id()) if place.side.kind == "board" else 0
    assert turns > count / 5 + cards / 10


async def test_a_long_state_is_checked_in_parts_before_it_is_merged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 6 MB the check takes half a second."""
    cache(place)
    steps = list[int]()

    def checking(update: bytes) -> Iterator[None]:
        for _ in range(7):
            steps.append(len(update))
            yield

    monkeypatch.setattr(loading, "checking", checking)
    task, turns = loaded(place), 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert steps == [len(place.theirs.snapshot())] * 7
    assert turns > 7


async def test_what_is_received_while_an_object_is_loaded_is_in_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LOADED_AT_ONCE", 10)
    monkeypatch.setattr(card_index, "READ_AT_ONCE", 10)
    monkeypatch.setattr(flow, "BLOCKS_AT_ONCE", 10)
    task, turns = loaded(place), 0
    while not task.done():
        turns += 1
        if turns % 2 and turns < 40:  # also while the cards or the text are read
            place.write(place.theirs, f"senare {turns}")
            place.store.receive(place.coming())
        await asyncio.sleep(0)
    model = task.result()
    assert place.side.view(model) == place.side.view(place.theirs)
    place.write(place.theirs, "efteråt")
    place.store.receive(place.coming())
    assert place.side.view(model) == place.side.view(place.theirs)


async def test_a_change_whose_trial_is_over_while_the_object_is_loaded_is_in_it(place: Place) -> None:
    """▲ It has an earlier row than those that are merged by then, so nothing else would find it again."""
    late, hold = place.store.changes.of(OBJ)[0], "UPDATE changes SET unprojected = ? WHERE row = ?"
    place.store.db.conn.execute(hold, (sql.UNTRIED, late.rowid))
    task = loaded(place)
    for _ in range(3):
        await asyncio.sleep(0)
    place.store.db.conn.execute(hold, (None, late.rowid))
    place.store.changes.notify_received([late])
    assert not task.done()
    assert place.side.view(await task) == place.side.view(place.theirs)


async def test_an_object_of_which_something_is_taken_back_meanwhile_is_loaded_from_scratch(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ The change that counts no longer may be merged already."""
    adapter, made = place.service._live._adapter, list[Any]()
    new = adapter.new

    def counted(*args: Any) -> Any:
        made.append(new(*args))
        return made[-1]

    monkeypatch.setattr(adapter, "new", counted)
    task = loaded(place)
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(made) == 1
    place.store.changes.taken_back.emit(OBJ)
    model = await task
    assert [each is model for each in made] == [False, True]
    assert place.side.view(model) == place.stored()


async def test_all_who_load_an_object_at_once_share_it(place: Place) -> None:
    before = crdt_docs()
    first, second = loaded(place), loaded(place)
    await asyncio.sleep(0)
    third = place.service.open(OBJ)
    assert await first is third
    assert await second is third
    del first, second
    assert crdt_docs() <= before + 1


async def test_loading_that_is_cancelled_leaves_nothing_open(place: Place) -> None:
    before, task = crdt_docs(), loaded(place)
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    del task
    assert crdt_docs() <= before
    assert place.service._live.get(OBJ) is None


async def test_an_object_that_is_not_there_cannot_be_loaded(place: Place) -> None:
    place.store.db.conn.execute("DELETE FROM objects WHERE obj = ?", (OBJ,))
    with pytest.raises(NotFound):
        await loaded(place)
