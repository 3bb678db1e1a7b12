# SPDX-License-Identifier: EUPL-1.2
"""The person's own objects are checked in pieces before they are opened."""

import asyncio
from collections.abc import Coroutine

import pytest

from app.core.enums import Role
from app.objects import passed
from app.objects.pieces import PAYLOAD, Whole
from app.own.opening import check_ahead
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from tests.app.own.devices import Device, Two
from tests.counting import lines_run
from tests.office import EK, ROOM

KEYS = [f"{n:032x}" for n in range(5000)]


def fill(two: Two) -> Device:
    """Has the stolen device write 5,000 values. Returns the other device, which has received them."""
    home, stolen, server = two
    home.settings.set("theme", "light")
    home.own.flush()
    server.meet(home, stolen)
    _, model = stolen.own._present(ROOM)
    with stolen.store.transaction():
        model.write(stolen.own.dev, 1, {"notices": {key: [0, 4, 0, 20_000] for key in KEYS}})
    server.meet(home, stolen)
    return home


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drops what is remembered of earlier checks, as a start does."""
    monkeypatch.setattr(passed, "_passed", {})


async def turns_of(work: Coroutine[None, None, None]) -> int:
    """How many turns the event loop takes until the work is done."""
    task, turns = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    await task
    return turns


async def test_attack_what_a_stolen_device_wrote_is_checked_in_pieces_before_it_is_opened(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start took half a second in one piece for 20,000 values."""
    home = fill(two)
    forget(monkeypatch)
    assert await turns_of(check_ahead(home.store)) > 10
    opening = lines_run(home.restart)
    forget(monkeypatch)
    assert lines_run(home.restart) > 5 * opening
    assert home.own.keys("notices") == set(KEYS)


async def test_attack_many_small_changes_of_a_stolen_device_are_checked_in_pieces(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between short updates no other task ran, and 100 long ones were read from the disk at once."""
    home, stolen, server = two
    home.settings.set("theme", "light")
    home.own.flush()
    server.meet(home, stolen)
    _, model = stolen.own._present(ROOM)
    for key in KEYS[:100]:
        with stolen.store.transaction():
            model.write(stolen.own.dev, 1, {"notices": {key: [0, 4, 0, 20_000]}})
    server.meet(home, stolen)
    forget(monkeypatch)
    assert await turns_of(check_ahead(home.store)) >= 25
    home.restart()
    assert home.own.keys("notices") == set(KEYS[:100])


@pytest.mark.parametrize("data", [PAYLOAD.encode(Whole(update=b"\xff" * 40)), b"", b"\x01"])
async def test_what_is_damaged_is_left_to_the_opening(two: Two, data: bytes) -> None:
    home = fill(two)
    two[2].put_strange(home, data)
    two[2].meet(home)
    await check_ahead(home.store)
    home.restart()
    assert home.settings.get("theme") == "light"
    assert home.own.keys("notices") == set(KEYS)


async def test_attack_what_a_colleague_calls_an_object_of_ones_own_is_not_checked(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member of any room could have written megabytes, and each start would have waited for them."""
    home = fill(two)
    colleague = MemberRow(uid=EK, role=Role.WRITER, since_n=1, history=True)
    home.store.receive(ReceivedSlice(room=ROOM, cursor=len(two[2].log), state=b"", members=[colleague]))
    forget(monkeypatch)
    await check_ahead(home.store)
    assert len(passed._passed) == 0
