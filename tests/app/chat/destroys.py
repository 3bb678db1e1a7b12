# SPDX-License-Identifier: EUPL-1.2
"""Destroys months of a desk's conversation without a server, and looks for what is left of them."""

import asyncio
from collections.abc import Iterator

import pytest

from app.chat.destroying import Months
from app.core import clock
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.store.store import Store
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.chat.months import DECEMBER
from tests.office import CHANNEL, EK, HL, ROOM, Desk

CANARY = "Gallringskanariefågeln åäö 🙂"
WORD = "Gallringskanariefågeln"


class Destroys:
    """Destroys objects as the server and the engine do, for these stores."""

    def __init__(self, *stores: Store) -> None:
        self.changed: Signal[()] = Signal()
        self.stores = list(stores)
        self.code: str | None = None
        self.gate: asyncio.Event | None = None
        """Until it is set, nothing is destroyed; None: at once."""
        self.error: Exception | None = None
        """What the next attempt raises."""
        self.n = 900

    def refusal(self, room: RoomId) -> str | None:
        return self.code

    def now_ms(self) -> int:
        return clock.now_ms()

    async def destroy(self, room: RoomId, obj: ObjId) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.n += 1
        event = RoomEvent(n=self.n, t=self.now_ms(), kind="destroy", by=HL, obj=obj)
        for store in self.stores:
            store.receive(ReceivedSlice(room=room, cursor=self.n, state=b"", events=[event]))


def months_of(desk: Desk, destroys: Destroys) -> Months:
    """Gives the desk's conversation the months that `destroys` destroys, and returns them."""
    desk.chat.months = Months(desk.store.db, desk.store.changes, desk.folk, desk.chat, destroys)
    return desk.chat.months


def values(store: Store) -> Iterator[tuple[str, bytes]]:
    """(table, value) of everything that is stored, the search index's own tables included."""
    with store.db.reader() as reader:
        for (name,) in reader.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            for row in reader.rows(f'SELECT * FROM "{name}"'):  # noqa: S608 - names of our own tables
                for value in row:
                    if isinstance(value, str | bytes):
                        yield name, value.encode() if isinstance(value, str) else value


def found_in(store: Store, word: str = WORD) -> set[str]:
    """The tables in which the word is stored; the index of search has it in small letters."""
    forms = [word.encode(), word.lower().encode(), word.lower().encode()[:12]]
    return {name for name, value in values(store) if any(form in value for form in forms)}


def by_words(store: Store) -> int:
    """How many messages a search for WORD finds."""
    return len(store.search.find_here(WORD))


def destroy(*stores: Store, obj: ObjId = CHANNEL, n: int = 900) -> None:
    """The stores receive that another administrator destroyed an object of the conversation, by default its first."""
    event = RoomEvent(n=n, t=DECEMBER, kind="destroy", by=EK, obj=obj)
    for store in stores:
        store.receive(ReceivedSlice(room=ROOM, cursor=n, state=b"", events=[event]))


@pytest.fixture
def destroys(hl: Desk) -> Destroys:
    return Destroys(hl.store)


@pytest.fixture
def months(hl: Desk, destroys: Destroys) -> Months:
    """The months as an administrator of the room has them."""
    hl.folk.admin = True
    return months_of(hl, destroys)


def nothing(done: int, total: int) -> None:
    """Shows no progress."""
