# SPDX-License-Identifier: EUPL-1.2
"""An error of this program in a merge (app/objects/live.py): it stops no room, and loses and hides no change."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.objects import live
from tests.app.objects.live_place import SIDES, Place
from tests.app.objects.live_sides import OBJ


@pytest.fixture(params=SIDES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, request.param)
    yield made
    made.store.close()


class Failing:
    """Merges of the open objects fail, and with `also_again` reading the whole object again too. `times` counts the
    failures; `errors` are those that reached the loop's exception handler."""

    def __init__(self, patch: pytest.MonkeyPatch, place: Place, *, also_again: bool = False) -> None:
        self.times = 0
        self.errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: self.errors.append(about["exception"]))
        for name in ("merge", "reset") if also_again else ("merge",):
            patch.setattr(type(place.service._live._adapter), name, self._fail)

    def _fail(self, *_args: object, **_more: object) -> int:
        self.times += 1
        raise ZeroDivisionError


async def turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def receive(place: Place, token: str) -> None:
    place.write(place.theirs, token)
    place.store.receive(place.coming())


async def test_a_fault_in_a_merge_reaches_no_store_and_the_object_is_read_again_in_the_next_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        failing = Failing(patch, place)
        receive(place, "deras å")
    assert [type(error) for error in failing.errors] == [ZeroDivisionError]
    assert place.side.view(model) != place.stored() == place.side.view(place.theirs)
    await turns()
    assert place.side.view(model) == place.stored()


async def test_an_object_that_cannot_be_read_again_either_is_read_with_the_next_change_and_not_in_every_turn(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = place.service.open(OBJ)
    with monkeypatch.context() as patch:
        failing = Failing(patch, place, also_again=True)
        receive(place, "deras å")
        await turns()
        await turns()
        assert failing.times == len(failing.errors) == 2
    receive(place, "mer 🙂")
    assert place.side.view(model) == place.stored() == place.side.view(place.theirs)


async def test_no_state_is_cached_of_an_object_in_which_a_merge_failed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CACHE_AFTER", 1)
    place.service.open(OBJ)
    with monkeypatch.context() as patch:
        Failing(patch, place, also_again=True)
        receive(place, "deras å")
        place.service.close(OBJ)
    assert place.store.objects.crdt_state(OBJ) is None
    model = place.service.open(OBJ)
    await turns()
    assert place.side.view(model) == place.stored() == place.side.view(place.theirs)
