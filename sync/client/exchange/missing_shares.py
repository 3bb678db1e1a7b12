# SPDX-License-Identifier: EUPL-1.2
"""Shares that are missing at one end: this device asks for those that an item waits for, and uploads again those that
the server lost."""

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
"""The most lost shares that are noted until there is time to upload them."""


class Shares:
    """Fetches shares that this device lacks, and uploads again those that the server lost. A share is the 32-byte
    secret from which an object's keys are derived. Used by the inbox only."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: dict[tuple[RoomId, ObjId], None] = {}

    @property
    def idle(self) -> bool:
        return not self._wanted

    def note(self, frame: m.SharesWanted) -> None:
        """Notes the shares (objects' secrets) that the server says in `frame` it has lost: at most 1,000 of one frame
        and 4,096 in all; the others are ignored, and so are objects that the room does not have. Whether we hold them
        is looked up later, off the reader task."""
        room = self._link.rooms.get(RoomId(frame.room))
        known = room.stream.state.shares if room is not None else {}
        for obj in frame.objs[: min(_NAMES, _MOST_WANTED - len(self._wanted))]:
            if obj in known:  # ▲ the list never exceeds the objects of the room
                self._wanted[RoomId(frame.room), ObjId(obj)] = None

    async def give(self) -> None:
        """Uploads again the shares (objects' secrets) that the server lost and this device holds, one after the other.
        Those of destroyed objects, and of rooms that this person has left, are not uploaded. A refusal is only logged,
        and not tried again; Unreachable if the connection is lost."""
        while self._wanted:
            (room_id, obj), _ = self._wanted.popitem()
            room = self._link.rooms.get(room_id)
            if room is None or not room.is_member or obj in room.stream.state.destroyed:
                continue
            share = room.keys.share(obj)  # ▲ only a share to which the stream commits
            if share is not None:
                await self._put(room, m.WireShare(obj, share))

    async def _put(self, room: RoomSync, share: m.WireShare) -> None:
        try:
            await self._link.online.request(lambda rid: m.PutShare(rid=rid, room=room.room, share=share), m.Ok)
            log.info("uploaded a lost share again")
        except Refused as e:
            log.info("share refused: %s", e.code)

    async def ask(self, room: RoomSync) -> list[m.WireShare]:
        """Asks the server for the shares (objects' secrets) for which items of `room` wait, and returns those that it
        has; [] if it has none or refuses; Unreachable. The server asks the connected members for the others, which are
        received in a frame of their own."""
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
        except Refused as e:  # a removed member gets none
            log.info("shares refused: %s", e.code)
            return []
        return reply.shares
