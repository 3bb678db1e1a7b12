# SPDX-License-Identifier: EUPL-1.2
"""The cached state of open objects: never ahead of its rows, never without one of them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.errors import DiskFull
from app.objects import live, state_cache
from app.objects.held import Held
from app.objects.pieces import Assembler
from sync.client.received import ReceivedSlice
from tests.app.objects.live_place import SIDES, Place
from tests.app.objects.live_sides import OBJ, Gate
from tests.app.steps import idle
from tests.app.threads import note_threads
from tests.office import ROOM


@pytest.fixture(params=SIDES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, request.param)
    yield made
    made.store.close()


def cache_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CACHE_AFTER", 1)


def cached(place: Place) -> tuple[int, bytes] | None:
    return place.store.objects.crdt_state(OBJ)


def test_the_last_close_caches_the_state_with_all_rows(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_soon(monkeypatch)
    model = place.service.open(OBJ)
    place.write(model, "mitt")
    place.write(place.theirs, "deras")
    place.store.receive(place.coming())
    shown = place.side.view(model)
    place.service.close(OBJ)
    found = cached(place)
    assert found is not None
    assert found[0] == place.store.changes.of(OBJ)[-1].rowid
    place.store.db.conn.execute("UPDATE changes SET data = x'00' WHERE obj = ?", (OBJ,))  # only the state is read
    assert place.side.view(place.service.open(OBJ)) == shown


async def test_what_waits_for_the_next_turn_is_in_the_state_that_the_last_close_caches(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_soon(monkeypatch)
    gate, model = Gate(monkeypatch), place.service.open(OBJ)
    place.write(place.theirs, "deras")
    gate.asked.clear()
    storing = asyncio.ensure_future(place.store.inbox.receive_apart(place.coming()))
    for _ in range(4):
        await asyncio.sleep(0)
    place.write(model, "mitt")
    place.service.close(OBJ)
    found = cached(place)
    assert found is not None
    assert found[0] == place.store.changes.of(OBJ)[-1].rowid
    await storing
    assert place.side.view(place.service.open(OBJ)) == place.stored()


def held(place: Place) -> Held[Any]:
    """What the object's owner keeps in memory of it."""
    found: Held[Any] = place.service._live._needed[OBJ]
    return found


def lacks(place: Place) -> None:
    place.store.receive(ReceivedSlice(room=ROOM, waiting=[(99, b"shut")]))


def refused(place: Place) -> None:
    held(place).unsaved.append(b"refused")


def queued(place: Place) -> None:
    held(place).received += place.store.changes.of(OBJ)[:1]


def stale(place: Place) -> None:
    held(place).is_stale = True


def in_pieces(place: Place) -> None:
    """A piece of an update is here whose other pieces are not."""
    held(place).feeder = _Waiting()


class _Waiting(Assembler):
    @property
    def waiting(self) -> bool:
        return True

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        return []


@pytest.mark.parametrize("why", [lacks, refused, queued, stale, in_pieces])
def test_a_state_that_is_not_whole_is_not_cached(
    place: Place, monkeypatch: pytest.MonkeyPatch, why: Callable[[Place], None]
) -> None:
    cache_soon(monkeypatch)
    place.write(place.service.open(OBJ), "mitt")
    why(place)
    place.service._live._cache(held(place))
    assert cached(place) is None


def test_a_state_that_cannot_be_cached_fails_no_close(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_soon(monkeypatch)

    def refuse(*_args: object) -> None:
        raise DiskFull

    monkeypatch.setattr(place.store.objects, "set_crdt_state", refuse)
    place.write(place.service.open(OBJ), "mitt")
    place.service.close(OBJ)
    assert cached(place) is None


def test_an_object_whose_state_cannot_be_made_is_closed_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_soon(monkeypatch)
    model = place.service.open(OBJ)
    place.write(model, "mitt")
    with monkeypatch.context() as broken:
        broken.setattr(model, "snapshot", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.service.close(OBJ)
    with pytest.raises(KeyError):
        place.service.close(OBJ)
    assert place.side.view(place.service.open(OBJ)) == place.stored()


def test_a_damaged_state_is_passed_over_and_everything_is_read(place: Place) -> None:
    place.store.objects.set_crdt_state(OBJ, 9999, b"\xff\x00nonsense")
    assert place.side.view(place.service.open(OBJ)) == place.stored()


def test_a_state_that_is_too_large_to_be_read_again_is_not_cached(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache_soon(monkeypatch)
    monkeypatch.setattr("app.objects.crdt.updates.MAX_BYTES", 10)
    place.write(place.service.open(OBJ), "mitt")
    place.service.close(OBJ)
    assert cached(place) is None


@pytest.fixture
def all_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each state counts as so long that it is checked in the background."""
    cache_soon(monkeypatch)
    monkeypatch.setattr("app.objects.crdt.updates.MAX_THINGS", 10)


async def test_a_long_state_is_checked_in_a_thread_and_cached_when_that_ends(
    place: Place, all_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_loop = note_threads(monkeypatch, state_cache, "may_be_kept")
    model = place.service.open(OBJ)
    place.write(model, "mitt")
    shown = place.side.view(model)
    place.service.close(OBJ)
    assert cached(place) is None
    assert place.side.view(place.service.open(OBJ)) == shown
    place.service.close(OBJ)
    await idle()
    found = cached(place)
    assert found is not None
    assert found[0] == place.store.changes.of(OBJ)[-1].rowid
    assert on_loop
    assert not any(on_loop)
    place.store.db.conn.execute("UPDATE changes SET data = x'00' WHERE obj = ?", (OBJ,))  # only the state is read
    assert place.side.view(place.service.open(OBJ)) == shown


async def test_a_long_state_is_dropped_if_a_change_in_it_counts_no_more_meanwhile(place: Place, all_long: None) -> None:
    place.write(place.service.open(OBJ), "mitt")
    place.service.close(OBJ)
    with place.store.transaction():
        place.store.changes.withdraw(place.store.changes.of(OBJ)[-1:])
    await idle()
    assert cached(place) is None


async def test_the_later_of_two_long_states_is_the_one_that_is_cached(place: Place, all_long: None) -> None:
    for text in ("mitt", "mer"):
        place.write(place.service.open(OBJ), text)
        place.service.close(OBJ)
    await idle()
    found = cached(place)
    assert found is not None
    assert found[0] == place.store.changes.of(OBJ)[-1].rowid


async def test_a_long_state_that_is_too_large_to_be_read_again_is_not_cached(
    place: Place, all_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.objects.crdt.updates.MAX_BYTES", 10)
    place.write(place.service.open(OBJ), "mitt")
    place.service.close(OBJ)
    await idle()
    assert cached(place) is None


async def test_the_end_of_the_session_caches_a_long_state_at_once(place: Place, all_long: None) -> None:
    place.write(place.service.open(OBJ), "mitt")
    place.service.close_all()
    assert cached(place) is not None
    await idle()
