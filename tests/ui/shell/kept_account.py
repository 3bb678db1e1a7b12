# SPDX-License-Identifier: EUPL-1.2
"""Stores of a real account, and sessions on them, that never connect: the account is enrolled once in each process, and
every test opens a copy of its store.

The account has four devices: the oldest, TOWER; LAPTOP, which it added; TABLET, which was revoked; and one without a
name, which LAPTOP added.
"""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final, Literal, TypeAlias

from app.core.enums import LinkState
from app.core.ids import RoomId
from app.kinds import KINDS, TOOLS
from app.people.notices import Notices
from app.people.service import PeopleService
from app.personal.records import Alive, encode
from app.personal.service import DEVICE_NAME, KIND_ID, Personal
from app.profile import Profile
from app.recovery import RecoverySheetState
from app.rooms.service import RoomService
from app.scopes import Closing, Scopes
from app.session import Session
from app.settings import Settings
from app.store.store import Store
from sync.client.wire.dialled_address import Nowhere
from sync.server.operator import admin
from tests.world import Client, World, until, world

TOWER, LAPTOP, TABLET = "Tornet", "Bärbar dator", "Surfplatta"
"""The names of the devices that have one."""
REVOKED: Final = "revoked"
"""The account as TABLET has it: it was revoked while it was offline, and has three changes that were not sent."""
RESET: Final = "reset"
"""The account as LAPTOP has it after the agency ended the account."""

AccountState: TypeAlias = RecoverySheetState | Literal["revoked", "reset"]
Kept = dict[AccountState, tuple[bytes, bytes]]
"""A store's file and its key. By the state of the recovery sheet: as TOWER has it, or LAPTOP for ELSEWHERE."""
_BY_ID = {kind.id: kind for kind in KINDS}
_open: list[Closing] = []
_numbers = count()


def account_store(folder: Path, state: AccountState) -> Store:
    """Opens a copy of a store of the account in `folder`. `close_stores` closes it."""
    data, key = _kept()[state]
    path = folder / f"account-{next(_numbers)}.db"
    path.write_bytes(data)
    store = Store.open(path, key, _BY_ID)
    _open.append(store)
    return store


def account_session(folder: Path, state: AccountState) -> Session:
    """A session on a copy of a store of the account, which `close_stores` closes too. It never starts."""
    profile = Profile.open_in(folder, f"account-{next(_numbers)}")
    _open.append(profile)
    store = account_store(folder, state)
    return Session(Scopes(), profile, Settings(profile.settings_path), store, TOOLS, Nowhere())


def close_stores() -> None:
    """Closes every store that `account_store` opened, and the profiles of sessions."""
    while _open:
        _open.pop().close()


@cache
def _kept() -> Kept:
    with ThreadPoolExecutor(1) as thread:  # the loop of the caller's thread may be running
        return thread.submit(asyncio.run, _enrol()).result()


async def _enrol() -> Kept:
    kept: Kept = {}

    async def keep(client: Client, state: AccountState) -> None:
        await client.stop()
        kept[state] = client.path.read_bytes(), client.key

    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder), kinds=_BY_ID) as w:
            first, second, third = await _four_devices(w)
            await _revoke_offline(first, third)
            await keep(third, REVOKED)
            room = _personal_room(first)
            await w.settle(room, first, second)
            await keep(second, RecoverySheetState.ELSEWHERE)
            await keep(first, RecoverySheetState.NONE)
            await first.restart()
            await until(lambda: first.engine.status.state is LinkState.ONLINE)
            await w.make_sheet(first)
            await keep(first, RecoverySheetState.STANDS)
            await admin.reset(w.data, uid=second.uid)
            await second.restart()
            await until(lambda: second.engine.devices.ended == RESET)
            await keep(second, RESET)
    return kept


async def _four_devices(w: World) -> tuple[Client, Client, Client]:
    """The devices that have a name. Their names are in the personal room, where answers and blocks are kept too."""
    (first,) = await w.hire("Handläggare")
    store, engine = first.store, first.engine
    store.notes.set(DEVICE_NAME, TOWER)
    people = PeopleService(store.people, engine, Notices(store.key_notices, store.people, engine))
    personal = Personal(store, engine, people, RoomService(store, engine, people, []).announce)
    await personal.found()
    second, third = await w.second(first), await w.second(first)
    await w.second(second)
    personal.rename(second.engine.devices.mine, LAPTOP)
    personal.rename(third.engine.devices.mine, TABLET)
    await w.settle(personal.rooms[0], *w.clients)
    return first, second, third


async def _revoke_offline(first: Client, third: Client) -> None:
    """Ends the third device, which writes three changes before it hears of that."""
    room = _personal_room(third)
    await third.offline()
    for _ in range(3):
        third.say(room, third.store.objects.all(kind=KIND_ID)[0].obj, encode(Alive()))
    await first.engine.devices.revoke(third.engine.devices.mine)
    third.online()
    await until(lambda: third.engine.devices.ended == REVOKED)
    await until(lambda: first.engine.revocation_progress[0] == 0)


def _personal_room(client: Client) -> RoomId:
    return client.store.objects.all(kind=KIND_ID)[0].room
