# SPDX-License-Identifier: EUPL-1.2
"""A real account, which is enrolled once in each process: a test opens copies of its stores, without a network or at a
copy of its server.

The account has four devices: the oldest, TOWER; LAPTOP, which it added; TABLET, which was revoked; and one without a
name, which LAPTOP added.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final, Literal, TypeAlias

from app.core import clock
from app.core.enums import LinkState
from app.core.ids import RoomId
from app.people.notices import KeyWatch
from app.people.service import PeopleService
from app.personal.records import Alive, encode
from app.personal.service import DEVICE_NAME, KIND_ID, Personal
from app.recovery import RecoverySheetState
from app.rooms.service import RoomService
from app.session import Session
from app.setting import Value
from app.store.store import Store
from sync.client.wire.dialled_address import Nowhere
from sync.client.wire.transport import Dialer
from sync.server.operator import admin
from tests.ui.shell.moment import moment
from tests.ui.shell.served import BY_ID, Served, close_after_test, made_in_folder, served, session_on
from tests.world import Client, World, until, world

TOWER, LAPTOP, TABLET = "Tornet", "Bärbar dator", "Surfplatta"
"""The names of the devices that have one."""
REVOKED: Final = "revoked"
"""The account as TABLET has it: it was revoked while it was offline, and has three changes that were not sent."""
RESET: Final = "reset"
"""The account as LAPTOP has it after the agency ended the account."""

AccountState: TypeAlias = RecoverySheetState | Literal["revoked", "reset"]


@dataclass(frozen=True, slots=True)
class _Kept:
    """`stores`: a store's file and its key. By the state of the recovery sheet: as TOWER has it, or LAPTOP for
    ELSEWHERE. `served`: the server's folder."""

    served: Path
    stores: dict[AccountState, tuple[bytes, bytes]] = field(default_factory=dict)


_numbers = count()


def account_session(
    folder: Path, state: AccountState, policy: Mapping[str, Value] | None = None, dialer: Dialer | None = None
) -> Session:
    """A session on a copy of a store of the account, which `close_all` closes. It never starts."""
    data, key = _kept().stores[state]
    own = folder / f"account-{next(_numbers)}"
    own.mkdir()
    (own / "store.db").write_bytes(data)
    store = Store.open(own / "store.db", key, BY_ID)
    return close_after_test(session_on(own, store, dialer or Nowhere(), policy))


@asynccontextmanager
async def served_account(folder: Path) -> AsyncIterator[Served]:
    """The account's server, as it was before the account was ended, in `folder`. Its devices: TOWER and LAPTOP."""
    stores = {TOWER: _kept().stores[RecoverySheetState.STANDS], LAPTOP: _kept().stores[RecoverySheetState.ELSEWHERE]}
    with moment(clock.now_ms()) as now:
        async with served(folder, _kept().served, stores, now) as running:
            yield running


@cache
def _kept() -> _Kept:
    return made_in_folder(lambda folder: _enrol(folder / "server"))


async def _enrol(data: Path) -> _Kept:
    kept = _Kept(data)

    async def keep(client: Client, state: AccountState) -> None:
        await client.stop()
        kept.stores[state] = client.path.read_bytes(), client.key

    # the server keeps the readings of its clocks, which `moment` sets: those of a copy go on from these
    with tempfile.TemporaryDirectory() as folder, moment(clock.now_ms()):
        async with world(Path(folder), kinds=BY_ID) as w:
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
            await w.stop_server()
            shutil.copytree(w.data, data)
            await w.start_server()
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
    people = PeopleService(store.people, engine, KeyWatch(store.key_notices, store.people, engine))
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
