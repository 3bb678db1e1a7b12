# SPDX-License-Identifier: EUPL-1.2
"""A member who was given the history later (`hist`): what stood before them is pulled and judged once more, and opened.

It had been judged and left closed. ▲ Judged again from the first position, not only chained: what was void is never
applied, whoever shows it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sync.client.link import Link
from sync.client.room import RoomSync
from sync.errors import Refused, Reject
from sync.ids import ObjId, RoomId
from sync.protocol.messages import WireShare
from sync.trust.items import Item
from sync.trust.stream import Accepted, RoomStream

log = logging.getLogger("sync")

PIECE = 64
"""Items judged in one turn of the event loop, about 1.5 ms."""

WithLogs = Callable[[Callable[[], list[Accepted]], int], Awaitable[list[Accepted]]]
"""Judges so many items, fetching the user logs that are missing. Reject "withheld"."""


class Rereading:
    """Goes on with whatever is left to read again; cut off, it begins anew with the next connection."""

    def __init__(self, link: Link, with_logs: WithLogs) -> None:
        self._link = link
        self._with_logs = with_logs
        self._given_up: set[RoomId] = set()

    def start(self) -> None:
        """A new connection: what the server did not show may be there now."""
        self._given_up.clear()

    async def look(self, room: RoomSync) -> None:
        """Reads a room again as far as it is to be, once the key that reaches back is here."""
        if not room.reread or room.keys.needs_key or room.problem is not None or room.room in self._given_up:
            return
        try:
            await self._read(room, room.reread)
        except (Refused, Reject) as e:
            self._given_up.add(room.room)
            log.error("room %s is not read again: %s", room.room[:4].hex(), e.code)
            return
        await self._link.ports.receive_apart(room.reread_done())
        self._link.listener.on_room(room.room)

    async def _read(self, room: RoomSync, until: int) -> None:
        again = RoomStream(room.room)
        while again.n < until:
            pulled = await self._link.pull(room.room, again.n)
            items = [Item(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in pulled.items if i.n <= until]
            if not items:
                raise Reject("withheld", "history")
            for piece in _pieces(items):
                await self._take(room, again, piece, pulled.shares)
        # ▲ what explains that content is missing may stand after what is read again
        if any(not room.stream.may_be_gone(ObjId(obj), n) for n, obj in again.state.missing.items()):
            raise Reject("withheld", "history")

    async def _take(
        self, room: RoomSync, again: RoomStream, piece: Sequence[Item], shares: Sequence[WireShare]
    ) -> None:
        accepted = await self._with_logs(lambda: again.accept(piece, self._link.book, room.rh_at), len(piece))
        if again.rh != room.rh_at(again.n):
            raise Reject("fork", f"position {again.n}")
        for received in room.open_again(accepted, shares):
            await self._link.ports.receive_apart(received)
            await asyncio.sleep(0)


def _pieces(items: Sequence[Item]) -> list[list[Item]]:
    """In pieces that end where a signature stands."""
    pieces: list[list[Item]] = [[]]
    for item in items:
        pieces[-1].append(item)
        if item.sig and len(pieces[-1]) >= PIECE:
            pieces.append([])
    return [piece for piece in pieces if piece]
