# SPDX-License-Identifier: EUPL-1.2
"""Shares that are missing at one end: asked for when something waits for them, given back when the server lost them."""

import logging

from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.errors import Refused
from sync.ids import ObjId, RoomId
from sync.protocol import messages as m

log = logging.getLogger("sync")

_NAMES = 1000
"""Objects that one request names."""
_MOST_WANTED = 4096
"""What is noted of the server's wishes until there is time for them."""


class Shares:
    """Asks and gives. Used by the inbox only."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: dict[tuple[RoomId, ObjId], None] = {}

    @property
    def idle(self) -> bool:
        return not self._wanted

    def note(self, frame: m.SharesWanted) -> None:
        """The server has lost these; whether we hold them is looked at later, off the reader's turn."""
        room = self._link.rooms.get(RoomId(frame.room))
        known = room.stream.state.shares if room is not None else {}
        for obj in frame.objs[: min(_NAMES, _MOST_WANTED - len(self._wanted))]:
            if obj in known:  # ▲ what waits is never more than what the room has
                self._wanted[RoomId(frame.room), ObjId(obj)] = None

    async def give(self) -> None:
        """Puts back what the server lost and this device holds, one after the other."""
        while self._wanted:
            (room_id, obj), _ = self._wanted.popitem()
            room = self._link.rooms.get(room_id)
            if room is None or not room.is_member or obj in room.stream.state.destroyed:
                continue
            share = room.keys.share(obj)  # ▲ only one that the stream commits to
            if share is not None:
                await self._put(room, m.WireShare(obj, share))

    async def _put(self, room: RoomSync, share: m.WireShare) -> None:
        try:
            await self._link.online.request(lambda rid: m.PutShare(rid=rid, room=room.room, share=share), m.Ok)
            log.info("put a lost share back")
        except Refused as e:
            log.info("share refused: %s", e.code)

    async def ask(self, room: RoomSync) -> list[m.WireShare]:
        """What the server has of the shares that something waits for. For the rest it asks those who listen; they
        come in a frame of their own."""
        missing = room.keys.missing_shares()
        found: list[m.WireShare] = []
        for at in range(0, len(missing), _NAMES):
            found += await self._request(room, missing[at : at + _NAMES])
        return found

    async def _request(self, room: RoomSync, objs: list[ObjId]) -> list[m.WireShare]:
        try:
            reply = await self._link.online.request(
                lambda rid: m.ShareRequest(rid=rid, room=room.room, objs=list(objs)), m.ShareReply
            )
        except Refused as e:  # one who was removed has no more to ask for
            log.info("shares refused: %s", e.code)
            return []
        return reply.shares
