# SPDX-License-Identifier: EUPL-1.2
"""Each room's recipients, looked over at each sync: has a member lost a device that the room does not know of?

▲ Whoever sees it states it (`pin`), so that from there on nothing is written under a key that the lost device has; the
room is then dirty and its next writer rotates. Also this client's own rooms after it revoked a device: what is left to
do is read off the rooms themselves, so a program that was closed in between goes on where it was.
"""

import asyncio
import logging
import random
from collections.abc import Iterable

from sync.client.link import Link
from sync.client.outbox import Outbox
from sync.client.room import RoomSync
from sync.client.waking import woken
from sync.errors import Refused, Reject
from sync.ids import RoomId, Uid
from sync.protocol import messages as m

log = logging.getLogger("sync")

AGAIN_S = 3600.0
"""Between two looks at a room while the connection lasts."""
SPREAD_S = 5.0
"""Everybody sees the same: each waits up to so long before stating it. One's own is stated at once."""
SOON_S = 2.0


class Audit:
    """One `work` task while the connection lives."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._due: dict[RoomId, float] = {}
        self._wake = asyncio.Event()

    def start(self, rooms: Iterable[RoomId]) -> None:
        """A new connection: every room is due."""
        now = asyncio.get_running_loop().time()
        self._due = dict.fromkeys(rooms, now)

    def meet(self, rooms: Iterable[RoomId]) -> None:
        """▲ Rooms that this device has just come to know are due too: one that came back by the sheet and revoked the
        others in the same breath has them all to tell."""
        now, known = asyncio.get_running_loop().time(), len(self._due)
        for room in rooms:
            self._due.setdefault(room, now)
        if len(self._due) > known:
            self._wake.set()

    def look_now(self) -> None:
        """This person's own log has moved: all rooms at once."""
        self.start(self._link.rooms)
        self._wake.set()

    @property
    def left(self) -> tuple[int, int]:
        """(rooms that do not know this person's newest revocation yet, all rooms of theirs)."""
        mine = [room for room in self._link.rooms.values() if room.is_member]
        return sum(self._behind(room, self._link.account.uid) for room in mine), len(mine)

    async def work(self, outbox: Outbox) -> None:
        """Looks at rooms as they are due and caught up."""
        loop = asyncio.get_running_loop()
        while True:
            wait_s = max(0.0, min(self._due.values(), default=loop.time() + AGAIN_S) - loop.time())
            await woken(self._wake, wait_s)
            for room_id in [r for r, at in self._due.items() if at <= loop.time()]:
                room = self._link.rooms.get(room_id)
                if room is None or not room.is_member or room.problem is not None:
                    del self._due[room_id]
                elif not room.caught_up:
                    self._due[room_id] = loop.time() + SOON_S
                else:
                    self._due[room_id] = loop.time() + AGAIN_S
                    with self._link.apart(room_id):
                        self._due[room_id] = loop.time() + await self._look(room, outbox)

    async def _look(self, room: RoomSync, outbox: Outbox) -> float:
        """Fetches what moved and states what must be known. Gives in how many seconds to look again."""
        try:
            reply = await self._link.online.request(lambda rid: m.MovedLogs(rid=rid, room=room.room), m.MovedLogsReply)
            moved = [Uid(h.uid) for h in reply.heads if h.uid in room.stream.members]
            for uid in moved:
                await self._link.book.fetch(self._link.online, uid)
            behind = [uid for uid in moved if self._behind(room, uid)]
            if not behind:
                return AGAIN_S
            if behind != [self._link.account.uid]:
                await asyncio.sleep(random.uniform(0, SPREAD_S))  # noqa: S311 - no secret: that not all do it at once
                behind = [uid for uid in behind if self._behind(room, uid)]
            if behind:
                await outbox.append(room, outbox.drafter(room).pin(behind))
                log.info("stated %d newer logs", len(behind))
            return AGAIN_S
        except (Refused, Reject) as e:
            log.info("recipients not looked over: %s", e.code)
            return SOON_S if isinstance(e, Refused) else AGAIN_S

    def _behind(self, room: RoomSync, uid: Uid) -> bool:
        """Whether a revocation or the end of the person's log is not pinned in the room yet."""
        known, pin = self._link.book.log(uid), room.stream.pins.get(uid)
        if known is None or pin is None or uid not in room.stream.members:
            return False
        return known.revoked_between(pin[0], known.seq) or (known.ended_at(known.seq) and not known.ended_at(pin[0]))
