# SPDX-License-Identifier: EUPL-1.2
"""What an operator lists: JSON a line by default, columns with --table."""

import asyncio
import json
import sqlite3
from typing import Any

import pytest

from sync.protocol.programs import AGENT
from sync.server.__main__ import main
from sync.server.operator import admin, listing
from sync.server.store.base import SightingRow
from tests.sync.server.house import House


def lines_of(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, Any]]:
    assert main(list(args)) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_people_are_listed_with_their_state(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    anna, bert, carl = [await house.person(name) for name in ("Arkivarie Å 🙂", "Registrator", "Jurist")]
    await admin.revoke(house.data, uid=bert.uid, dev=bert.author.dev)
    await admin.reset(house.data, uid=carl.uid)
    data = ["--data", str(house.data)]
    lines = {line["name"]: line for line in await asyncio.to_thread(lines_of, capsys, "users", *data)}
    assert {name: line["state"] for name, line in lines.items()} == {
        "Arkivarie Å 🙂": "active",
        "Registrator": "no-device",
        "Jurist": "ended",
    }
    assert lines["Arkivarie Å 🙂"]["person"] == anna.uid.hex()
    assert lines["Arkivarie Å 🙂"]["devices"] == 1
    assert lines["Arkivarie Å 🙂"]["unit"] == "Bygglov"
    assert lines["Arkivarie Å 🙂"]["last_seen"] > 0
    found = await asyncio.to_thread(lines_of, capsys, "users", "arkivarie å", *data)
    assert [line["name"] for line in found] == ["Arkivarie Å 🙂"]


async def test_rooms_are_listed_by_size_and_nothing_of_what_is_in_them(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, _, shared = await house.two_in_a_room()
    large = await anna.create()
    await anna.push(large, "å" * 9000)
    first, second = await asyncio.to_thread(lines_of, capsys, "rooms", "--data", str(house.data))
    assert (first["room"], first["members"], first["items"], first["closed"]) == (large.hex(), 1, 3, False)
    assert (second["room"], second["members"]) == (shared.hex(), 2)
    assert first["size_bytes"] > 18_000 > second["size_bytes"]
    assert first["changed"] > 0


async def test_a_table_is_columns_for_people(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    await house.person("Handläggare Å 🙂")
    data = ["--data", str(house.data)]
    for command, first in (("users", "PERSON"), ("devices", "PERSON")):
        assert await asyncio.to_thread(main, [command, "--table", *data]) == 0
        head, line = capsys.readouterr().out.splitlines()
        assert head.startswith(first)
        assert "LAST SEEN" in head
        assert "Handläggare Å 🙂" in line
        assert line.index("Handläggare") == head.index("NAME")
    assert await asyncio.to_thread(main, ["rooms", "--table", *data]) == 0
    assert capsys.readouterr().out == ""


async def test_devices_show_the_program_and_who_runs_an_older_one(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    people = [await house.person(name) for name in ("A Å 🙂", "B", "C", "D", "E")]
    named = ["kansli/0.0.9", AGENT, "kansli/7.0.0", "other/0.0.1", AGENT]

    async def listed() -> dict[str, tuple[str, bool]]:
        for person, agent in zip(people, named, strict=True):
            row = SightingRow(dev=person.author.dev, uid=person.uid, last=1, agent=agent)
            await house.server.store.put_sighting(row)
        lines = await asyncio.to_thread(lines_of, capsys, "devices", "--data", str(house.data))
        return {line["name"]: (line["agent"], line["older"]) for line in lines}

    assert await listed() == {
        "A Å 🙂": ("kansli/0.0.9", True),
        "B": (AGENT, False),
        "C": ("kansli/7.0.0", False),  # one person's claim makes no other program look old
        "D": ("other/0.0.1", False),
        "E": (AGENT, False),
    }
    named[3] = "kansli/7.0.0"
    assert {name for name, (_, older) in (await listed()).items() if older} == {"A Å 🙂", "B", "E"}


async def test_rooms_that_depend_on_one_owner_are_listed_with_that_owner(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, bert, shared = await house.two_in_a_room()
    two = await anna.create()
    await anna.add(two, bert, 4)
    await anna.create()  # nobody else is in it
    data = ["rooms", "--one-owner", "--data", str(house.data)]
    (line,) = await asyncio.to_thread(lines_of, capsys, *data)
    assert line.pop("changed") > 0
    assert line == {"room": shared.hex(), "owner": anna.uid.hex(), "name": "Handläggare", "members": 2}
    await admin.reset(house.data, uid=bert.uid)  # the second owner of the other room has left the agency
    lines = await asyncio.to_thread(lines_of, capsys, *data)
    assert {each["room"] for each in lines} == {shared.hex(), two.hex()}
    assert {each["owner"] for each in lines} == {anna.uid.hex()}
    assert await asyncio.to_thread(main, [*data, "--table"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["ROOM", "OWNER", "NAME", "MEMBERS", "CHANGED"]
    assert len(rows) == 2


async def test_a_room_that_is_damaged_hides_no_other(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    anna, bert, shared = await house.two_in_a_room()
    other = await anna.create()
    await anna.add(other, bert)
    with sqlite3.connect(house.data / "server.sqlite3") as db:
        db.execute("UPDATE rooms SET state_n = 0, state = x'00' WHERE room = ?", (shared,))
    db.close()
    assert await asyncio.to_thread(main, ["rooms", "--one-owner", "--data", str(house.data)]) == 1
    printed = capsys.readouterr()
    assert [json.loads(line)["room"] for line in printed.out.splitlines()] == [other.hex()]
    assert f"room {shared.hex()} cannot be read" in printed.err


@pytest.mark.parametrize("record", [b"\0", "Å", 7])
async def test_a_room_whose_only_owner_has_a_damaged_record_is_listed_without_a_name(
    house: House, capsys: pytest.CaptureFixture[str], record: bytes | str | int
) -> None:
    anna, _, shared = await house.two_in_a_room()
    with sqlite3.connect(house.data / "server.sqlite3") as db:
        db.execute("UPDATE users SET record = ? WHERE uid = ?", (record, anna.uid))
    db.close()
    (line,) = await asyncio.to_thread(lines_of, capsys, "rooms", "--one-owner", "--data", str(house.data))
    assert (line["room"], line["owner"], line["name"]) == (shared.hex(), anna.uid.hex(), "")


def test_attack_a_name_commands_no_terminal() -> None:
    """A record that was signed before names were judged, and a login name of this machine."""
    line = listing.UserLine(
        person="00",
        name="Å\x1b[2J\x9b1A\u202e🙂",
        title="",
        unit="",
        state="active",
        devices=1,
        last_seen=0,
        note="",
    )
    shown = "Å\\u001b[2J\\u009b1A\\u202e🙂"
    assert shown in listing.as_table([line])
    assert json.loads(listing.as_json([line]))["name"] == line.name
    assert all(c.isprintable() or c == "\n" for c in listing.as_json([line]) + listing.as_table([line]))
