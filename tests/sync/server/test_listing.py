# SPDX-License-Identifier: EUPL-1.2
"""What an operator lists: JSON a line by default, columns with --table."""

import asyncio
import json
from typing import Any

import pytest

from sync.server import admin
from sync.server.__main__ import main
from tests.sync.server.house import House


def told(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, Any]]:
    assert main(list(args)) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_people_are_listed_with_their_state(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    anna, bert, carl = [await house.person(name) for name in ("Arkivarie Å 🙂", "Registrator", "Jurist")]
    await admin.revoke(house.data, uid=bert.uid, dev=bert.author.dev)
    await admin.reset(house.data, uid=carl.uid)
    data = ["--data", str(house.data)]
    lines = {line["name"]: line for line in await asyncio.to_thread(told, capsys, "users", *data)}
    assert {name: line["state"] for name, line in lines.items()} == {
        "Arkivarie Å 🙂": "active",
        "Registrator": "no-device",
        "Jurist": "ended",
    }
    assert lines["Arkivarie Å 🙂"]["person"] == anna.uid.hex()
    assert lines["Arkivarie Å 🙂"]["devices"] == 1
    assert lines["Arkivarie Å 🙂"]["unit"] == "Bygglov"
    assert lines["Arkivarie Å 🙂"]["last_seen"] > 0
    found = await asyncio.to_thread(told, capsys, "users", "arkivarie å", *data)
    assert [line["name"] for line in found] == ["Arkivarie Å 🙂"]


async def test_rooms_are_listed_by_size_and_nothing_of_what_is_in_them(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, _, shared = await house.two_in_a_room()
    large = await anna.create()
    await anna.push(large, "å" * 9000)
    first, second = await asyncio.to_thread(told, capsys, "rooms", "--data", str(house.data))
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
