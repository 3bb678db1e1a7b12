# SPDX-License-Identifier: EUPL-1.2
"""The logs that the server has in memory, and the directory."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from sync.errors import NeedLog
from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.process.running import start_server
from sync.server.rules import people as module
from tests.sync.server.house import House
from tests.sync.server.wire import config


async def test_the_log_that_was_not_used_for_longest_leaves_memory_first(data: Path) -> None:
    """Also where it was only looked up, or loaded with others."""
    async with start_server(config(data, Limits(logs_in_memory=2))) as server:
        house, people = House(server, data), server.service.people
        a, b, c = [(await house.person(name)).uid for name in ("Handläggare", "Registrator", "Enhetschef")]
        for use in (lambda: people.log(a), None):
            await people.load(a)
            await people.load(b)
            if use is not None:
                use()
            else:
                await people.load_many([a])
            await people.load(c)
            assert people.log(a).uid == a
            with pytest.raises(NeedLog):
                people.log(b)
        await house.close()


async def test_people_without_a_record_take_no_place_in_the_directory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore there may be more of them than an answer holds."""
    monkeypatch.setattr(module, "DIRECTORY_LIMIT", 1)
    anna, bert = await house.person(), await house.person("Registrator")
    with contextlib.closing(sqlite3.connect(house.data / "server.sqlite3")) as c, c:
        c.execute("UPDATE users SET salt = x'', record = x'', search = '' WHERE uid = ?", (bert.uid,))
    found = await anna.wire.ask(m.Directory(anna.wire.rid(), "", []), m.DirectoryReply)
    assert [person.uid for person in found.people] == [anna.uid]
