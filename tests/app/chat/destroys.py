# SPDX-License-Identifier: EUPL-1.2
"""Destroys months of a desk's conversation without a server."""

import asyncio

from app.chat.destroying import Months
from app.core import clock
from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.store.store import Store
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.office import HL, Desk


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
    desk.chat.months = Months(desk.store.db, desk.store.changes, desk.folk, desk.chat, destroys)
    return desk.chat.months
