# SPDX-License-Identifier: EUPL-1.2
"""Two calls that race for one log, and the devices that make them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core.ids import DevId
from sync.errors import Refused
from sync.server.rules import service
from sync.server.store.base import EntryRow
from sync.server.store.sql_people import SqlPeople
from sync.trust.person.user_entry import UserEntry
from tests.patience import PATIENCE_S
from tests.world import Client, World, until, world

DAY_MS = 86_400_000
OURS, THEIRS = "ours", "theirs"
ORDERS = pytest.mark.parametrize("first", [OURS, THEIRS])


@pytest_asyncio.fixture
async def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server that does not read what the agency's command line adds to its store."""
    monkeypatch.setattr(service, "WATCH_S", 3600.0)
    async with world(tmp_path) as running:
        yield running


class Race:
    """Holds the first two calls of a method until both have begun, and lets them continue one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, ours: Callable[..., bool], first: str):
        """`ours`: whether a call with these arguments is the one that the test is about."""
        self._real, self._ours, self._first = getattr(owner, name), ours, first
        self.calls: list[str] = []
        self._both, self._done = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(owner, name, lambda *a, **k: self._call(*a, **k))

    async def _call(self, *args: Any, **named: Any) -> Any:
        if len(self.calls) >= 2:
            return await self._real(*args, **named)
        who = OURS if self._ours(*args) else THEIRS
        self.calls.append(who)
        if len(self.calls) == 2:
            self._both.set()
        async with asyncio.timeout(PATIENCE_S):
            await self._both.wait()
            if who != self._first:
                await self._done.wait()
        try:
            return await self._real(*args, **named)
        finally:
            self._done.set()

    @property
    def was_run(self) -> bool:
        return sorted(self.calls) == [OURS, THEIRS]


def at_the_disk(monkeypatch: pytest.MonkeyPatch, kind: str, first: str) -> Race:
    """Two calls that append to one user log have both been judged, and reach the compare-and-swap. Ours begins with an
    entry of this type."""

    def ours(store: object, uid: bytes, seq: int, entries: list[EntryRow], *rest: object) -> bool:
        return UserEntry.decode(entries[0].body).type == kind

    return Race(monkeypatch, SqlPeople, "append_user", ours, first)


async def both(*operations: Awaitable[object]) -> list[object]:
    return await asyncio.gather(*operations, return_exceptions=True)


def dev(client: Client) -> DevId:
    return client.engine.parts.link.account.dev


async def same_log(*clients: Client) -> None:
    await until(lambda: len({c.engine.devices.own_log.head for c in clients}) == 1)


async def three(w: World) -> tuple[Client, Client, Client]:
    """Three devices of one person that know of each other."""
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    phone = await w.second(a)
    await same_log(a, tablet, phone)
    return a, tablet, phone


async def code_of(operation: Awaitable[object]) -> str:
    with pytest.raises(Refused) as e:
        await operation
    return e.value.code
