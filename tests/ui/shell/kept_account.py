# SPDX-License-Identifier: EUPL-1.2
"""Stores of a real account for sessions that never connect: the account is enrolled once in each process, and every
test opens a copy of its store."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path

from app.core.enums import LinkState
from app.kinds import KINDS
from app.people.notices import Notices
from app.people.service import PeopleService
from app.personal.service import Personal
from app.recovery import RecoverySheetState
from app.rooms.service import RoomService
from app.store.store import Store
from tests.world import Client, until, world

Kept = dict[RecoverySheetState, tuple[bytes, bytes]]
"""A store's file and its key, for each state of the account's recovery sheet."""
_BY_ID = {kind.id: kind for kind in KINDS}
_open: list[Store] = []
_numbers = count()


def account_store(folder: Path, sheet: RecoverySheetState) -> Store:
    """Opens a copy of the account's store in `folder`. `close_stores` closes it."""
    data, key = _kept()[sheet]
    path = folder / f"account-{next(_numbers)}.db"
    path.write_bytes(data)
    store = Store.open(path, key, _BY_ID)
    _open.append(store)
    return store


def close_stores() -> None:
    """Closes every store that `account_store` opened."""
    while _open:
        _open.pop().close()


@cache
def _kept() -> Kept:
    with ThreadPoolExecutor(1) as thread:  # the loop of the caller's thread may be running
        return thread.submit(asyncio.run, _enrol()).result()


async def _enrol() -> Kept:
    """The account of a first device before and after it made a recovery sheet, and of a second device before."""
    kept: Kept = {}

    async def keep(client: Client, sheet: RecoverySheetState) -> None:
        await client.stop()
        kept[sheet] = client.path.read_bytes(), client.key

    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder), kinds=_BY_ID) as w:
            (first,) = await w.hire("Handläggare")
            await _found_personal(first)
            second = await w.second(first)
            await keep(second, RecoverySheetState.ELSEWHERE)
            await keep(first, RecoverySheetState.NONE)
            await first.restart()
            await until(lambda: first.engine.status.state is LinkState.ONLINE)
            await w.make_sheet(first)
            await keep(first, RecoverySheetState.STANDS)
    return kept


async def _found_personal(client: Client) -> None:
    """Makes the personal room, in which answers and blocks are kept."""
    store, engine = client.store, client.engine
    people = PeopleService(store.people, engine, Notices(store.key_notices, store.people, engine))
    personal = Personal(store, engine, people, RoomService(store, engine, people, []).announce)
    await personal.found()
    await until(lambda: personal.ready and store.waiting_count() == 0)
