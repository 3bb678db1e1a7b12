# SPDX-License-Identifier: EUPL-1.2
"""Asks the server to send what is new in rooms at once: for many rooms in one request."""

import logging
from collections.abc import Iterable

from sync.client.link import Link
from sync.errors import Refused, Reject
from sync.ids import RoomId
from sync.protocol import messages as m
from sync.protocol.version import MAX_SUBSCRIBED

log = logging.getLogger("sync")


class Subscriptions:
    """The rooms that are to be subscribed to on this connection and are not yet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: dict[RoomId, None] = {}

    def start(self) -> None:
        """Forgets all rooms. Call it on a new connection, on which nothing is subscribed to."""
        self._wanted.clear()

    def want(self, room: RoomId) -> None:
        """Has `room` subscribed to by the next `ask` that names it. A second call before that changes nothing."""
        self._wanted[room] = None

    @property
    def wanted(self) -> list[RoomId]:
        """The rooms that are not subscribed to yet, in the order of `want`."""
        return list(self._wanted)

    async def ask(self, rooms: Iterable[RoomId]) -> dict[RoomId, int]:
        """Subscribes to those of `rooms` that are wanted, at most 1,000 in a request. Returns for each of them the last
        position that the server says the room had then; 0 if the server sends nothing of the room, because it counts
        this person as no member, or refused the request. None of them is wanted any more, also those with 0. ▲ The
        answer is not signed. So it may cause a pull, but it alone does not make a room current. Unreachable if the
        connection is lost; Reject "malformed" for an answer about another number of rooms. The rooms of that request,
        and of those after it, are then still wanted."""
        ns: dict[RoomId, int] = {}
        asked = [room for room in rooms if room in self._wanted]
        for at in range(0, len(asked), MAX_SUBSCRIBED):
            part = asked[at : at + MAX_SUBSCRIBED]
            for room, n in zip(part, await self._positions(part), strict=True):
                self._wanted.pop(room, None)
                ns[room] = n
        return ns

    async def _positions(self, rooms: list[RoomId]) -> list[int]:
        try:
            reply = await self._link.online.request(
                lambda rid: m.Subscribe(rid=rid, rooms=[bytes(room) for room in rooms]), m.Subscribed
            )
        except Refused as e:
            log.info("subscribe refused: %s", e.code)
            return [0] * len(rooms)
        if len(reply.ns) != len(rooms):
            raise Reject("malformed", "subscribed")
        return reply.ns
