# SPDX-License-Identifier: EUPL-1.2
"""A command that was given before, or that names nobody, gets a sentence; and a new agency is whole."""

import asyncio
import json
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.operator.admin import opened
from tests.sync.server.house import House
from tests.sync.server.wire import new_data


async def run(house: House, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    status = await asyncio.to_thread(main, [*words, "--data", str(house.data)])
    found = capsys.readouterr()
    return status, found.out + found.err


async def entries(house: House, uid: bytes) -> int:
    async with opened(house.data) as store:
        return len(await store.user_entries(uid, -1))


async def test_a_device_that_is_revoked_already_is_reported_with_the_time(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    person = await house.person()
    revoke = ["revoke", "--person", person.uid.hex(), "--device"]
    assert (await run(house, capsys, *revoke, person.author.dev.hex()))[1].startswith("Revoked. ")
    count = await entries(house, person.uid)
    status, text = await run(house, capsys, *revoke, person.author.dev.hex())
    assert status == 0
    assert text.startswith("Revoked already, 20")
    assert text.endswith(". Nothing was changed.\n")
    status, text = await run(house, capsys, *revoke, "00" * 16)
    assert (status, "no device with this id" in text) == (1, True)
    assert await entries(house, person.uid) == count


async def test_an_account_that_has_ended_is_reported_with_the_time(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    person = await house.person()
    reset = ["reset", "--person", person.uid.hex()]
    assert (await run(house, capsys, *reset))[1].startswith("Reset. ")
    count = await entries(house, person.uid)
    for command, did in ((reset, "Reset"), (["revoke", *reset[1:], "--device", person.author.dev.hex()], "Revoked")):
        status, text = await run(house, capsys, *command)
        assert (status, text.startswith(f"{did} already, 20")) == (0, True)
    status, text = await run(house, capsys, "reset", "--person", "00" * 16)
    assert (status, "nobody has this id" in text) == (1, True)
    assert await entries(house, person.uid) == count


def test_an_agency_that_was_just_founded_is_verified_counted_and_backed_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(new_data(tmp_path / "server"))]
    assert main(["verify", *data]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == 0
    assert main(["status", *data]) == 0
    assert json.loads(capsys.readouterr().out)["users"] == 0
    assert main(["backup", *data, str(tmp_path / "backup")]) == 0
    assert main(["verify", "--data", str(tmp_path / "backup")]) == 0
