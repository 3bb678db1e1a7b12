# SPDX-License-Identifier: EUPL-1.2
"""`open-room` after a restore: one room, those that wait for one device, all; and the result for each."""

import asyncio
import time
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.operator import admin, listing
from sync.server.store.base import SightingRow
from sync.server.store.restored import AwaitedItem, RestoreRow
from sync.server.store.sql import SqlStore
from tests.sync.server.house import House

DAY_MS = 86_400_000


@pytest.fixture
async def closed(house: House, monkeypatch: pytest.MonkeyPatch) -> tuple[House, dict[str, str], dict[str, str]]:
    """A server in which every room is closed, more than a day after its restore: one room of one person, one of
    another, one of both. The rooms' ids and the devices' ids, by name."""
    anna, bert, both = await house.two_in_a_room()
    rooms = {"of anna": (await anna.create()).hex(), "of bert": (await bert.create()).hex(), "both": both.hex()}
    await house.close()
    await restored(house.data, int(time.time() * 1000) - DAY_MS - 1000)
    return house, rooms, {"anna": anna.author.dev.hex(), "bert": bert.author.dev.hex()}


async def restored(data: Path, t: int) -> None:
    async with admin.opened(data) as store:
        for user in await store.search_people([], 10):
            for seen in await store.sightings(user.uid):
                await store.put_sighting(SightingRow(uid=seen.uid, dev=seen.dev, last=t, agent=seen.agent))
        await store.mark_restored(RestoreRow(t=t, backup_t=t, body=b"", sig=b""), 0)


async def run(house: House, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], str]:
    """Status, the lines that were printed, and the complaint. The house's server runs in this process too, and copies
    the admin log to its own log when it looks: that is no complaint."""
    capsys.readouterr()
    status = await asyncio.to_thread(main, ["open-room", *words, "--data", str(house.data)])
    printed = capsys.readouterr()
    complaint = [line for line in printed.err.splitlines(keepends=True) if " sync.server." not in line]
    return status, printed.out.splitlines(), "".join(complaint)


async def still_closed(house: House) -> set[str]:
    return {line.room for line in await listing.closed(house.data)}


Closed = tuple[House, dict[str, str], dict[str, str]]


async def test_rooms_that_wait_for_one_device_alone_are_opened_and_the_others_name_whom_they_wait_for(
    closed: Closed, capsys: pytest.CaptureFixture[str]
) -> None:
    house, rooms, devices = closed
    status, lines, _ = await run(house, capsys, "--waits-for", devices["anna"])
    assert status == 0
    assert sorted(line.split(":")[0] for line in lines) == ["Not opened", "Opened"]
    assert f"Opened: {rooms['of anna']}." in lines
    (kept,) = [line for line in lines if line.startswith("Not opened")]
    assert rooms["both"] in kept
    assert f"It also waits for Registrator ({devices['bert']}, seen " in kept
    assert await still_closed(house) == {rooms["of bert"], rooms["both"]}
    status, lines, _ = await run(house, capsys, "--waits-for", devices["anna"])
    assert (status, len(lines)) == (1, 1), "none could be opened"


async def test_all_closed_rooms_are_opened_at_once_and_again_nothing_happens(
    closed: Closed, capsys: pytest.CaptureFixture[str]
) -> None:
    house, rooms, _ = closed
    assert await run(house, capsys, "--all") == (0, sorted(f"Opened: {room}." for room in rooms.values()), "")
    assert await still_closed(house) == set()
    assert await run(house, capsys, "--all") == (0, ["No room is closed. Nothing was changed."], "")


async def test_a_room_that_the_server_opens_meanwhile_ends_nothing(
    closed: Closed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, rooms, _ = closed
    real, asked = admin.open_room, list[bytes]()

    async def open_room(data: Path, room: bytes) -> None:
        asked.append(room)
        if len(asked) == 2:
            await real(data, room)
        await real(data, room)

    monkeypatch.setattr(admin, "open_room", open_room)
    status, lines, complaint = await run(house, capsys, "--all")
    assert (status, complaint) == (0, "")
    assert [line.split(":")[0] for line in lines] == ["Opened", "Open already", "Opened"]
    assert lines[1] == f"Open already: {asked[1].hex()}."
    assert {room.hex() for room in asked} == set(rooms.values())


async def test_what_is_given_up_is_counted(closed: Closed, capsys: pytest.CaptureFixture[str]) -> None:
    house, rooms, _ = closed
    room = bytes.fromhex(rooms["both"])
    store = SqlStore(house.data / "server.sqlite3")
    await store.open()
    await store.await_items(room, [AwaitedItem(n=90 + k, t=1, kind=2, id=bytes([k]) * 32) for k in range(2)])
    await store.close()
    (line,) = [line for line in await listing.closed(house.data) if line.room == rooms["both"]]
    assert line.missing == 2
    status, lines, _ = await run(house, capsys, "--room", rooms["both"])
    assert (status, lines) == (
        0,
        [f"Opened: {rooms['both']}. 2 changes that are known to be missing are given up."],
    )


async def test_a_room_that_is_open_and_one_that_is_none_get_a_sentence(
    closed: Closed, capsys: pytest.CaptureFixture[str]
) -> None:
    house, rooms, _ = closed
    assert (await run(house, capsys, "--room", rooms["both"]))[0] == 0
    status, lines, _ = await run(house, capsys, "--room", rooms["both"])
    assert (status, lines) == (0, ["This room is open already. Nothing was changed."])
    status, lines, complaint = await run(house, capsys, "--room", "00" * 16)
    assert (status, lines, "no room has this id" in complaint) == (1, [], True)
    status, lines, complaint = await run(house, capsys, "--waits-for", "00" * 16)
    assert (status, lines, "no closed room waits for a device" in complaint) == (1, [], True)


@pytest.mark.parametrize("how", [("--all",), ("--waits-for", "anna"), ("--room", "both")])
async def test_nothing_is_opened_before_a_day_has_passed(
    closed: Closed, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    house, rooms, devices = closed
    await restored(house.data, int(time.time() * 1000) - DAY_MS + 600_000)
    words = [(rooms | devices).get(word, word) for word in how]
    status, lines, complaint = await run(house, capsys, *words)
    assert (status, lines) == (1, [])
    assert "24 hours after the restore, from 20" in complaint
    assert await still_closed(house) == set(rooms.values())


async def test_the_table_names_items_missing_changes_and_the_devices_to_name(
    closed: Closed, capsys: pytest.CaptureFixture[str]
) -> None:
    house, rooms, devices = closed
    assert await asyncio.to_thread(main, ["closed", "--table", "--data", str(house.data)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["ROOM", "ITEMS", "MISSING", "WAITS"]
    (line,) = [line for line in lines if line.startswith(rooms["both"])]
    assert devices["anna"] in line
    assert devices["bert"] in line
