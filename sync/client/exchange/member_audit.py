# SPDX-License-Identifier: EUPL-1.2
"""Checks at each sign-in, each hour and on MemberMoved whether a member lost a device that a room does not know of.

▲ The client that finds a revocation states it in the room (`pin`). After that nothing more is written under a key that
the device has, and the next writer rotates. This covers the client's own revocations too. The rooms themselves show
what is left to do, so nothing is lost if the program was closed in between.
"""

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sync.client.exchange.outbox import Outbox
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.client.wakeup import woken
from sync.errors import Refused, Reject
from sync.ids import RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.version import MAX_KNOWN_LOGS

log = logging.getLogger("sync")
T = TypeVar("T")

AGAIN_S = 3600.0
"""Between two checks of a room while the connection lasts."""
REPORTED_S = 2.0
"""Least time between two checks of a room on MemberMoved."""
SPREAD_S = 5.0
"""All members see the same revocation, so each client waits up to so long before stating it. A person's own is stated
at once."""
SOON_S = 2.0


class Audit:
    """Finds members who lost a device (it was revoked) that a room does not know of yet, and states the revocation in
    the room, so that it gets a new key. One `work` task while the connection lives."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._due: dict[RoomId, float] = {}
        """When (loop time) each room is to be checked."""
        self._checked: dict[RoomId, float] = {}
        """When (loop time) each room was last checked."""
        self._wake = asyncio.Event()

    def start(self, rooms: Iterable[RoomId]) -> None:
        """Call it on a new connection, with the ids of all rooms that this device follows. All of `rooms`, and no
        others, are due now: `work` checks them for members who lost a device. A room of which this person is no member
        is dropped by `work`."""
        now = asyncio.get_running_loop().time()
        self._due = dict.fromkeys(rooms, now)

    def add_rooms(self, rooms: Iterable[RoomId]) -> None:
        """▲ Makes those of `rooms` that this audit does not know yet due now, so that `work` checks them for members
        who lost a device. A device that came back with the person's recovery sheet, and revoked the other devices in
        the same step, must state those revocations in all its rooms."""
        now, known = asyncio.get_running_loop().time(), len(self._due)
        for room in rooms:
            self._due.setdefault(room, now)
        if len(self._due) > known:
            self._wake.set()

    def check_now(self) -> None:
        """Has all rooms checked at once for members who lost a device. Call it when this person's own key log has
        grown."""
        self.start(self._link.rooms)
        self._wake.set()

    def on_member_moved(self, room: RoomId) -> None:
        """Handles the server's report that a member of `room` lost a device or their account: plans to fetch the
        members' key logs. ▲ Repeated reports cause at most one such check per REPORTED_S. A revocation that the server
        does not report is found by the check every AGAIN_S."""
        if room in self._due:
            now = asyncio.get_running_loop().time()
            self._due[room] = min(self._due[room], max(now, self._checked.get(room, now - REPORTED_S) + REPORTED_S))
            self._wake.set()

    @property
    def left(self) -> tuple[int, int]:
        """For the progress that the person sees after they revoked a device: (the number of rooms whose log does not
        state the revocation yet, the number of all rooms of which they are a member). Without stopped rooms, in which
        nothing can be stated."""
        mine = [room for room in self._link.rooms.values() if room.is_member and room.problem is None]
        return sum(self._behind(room, self._link.account.uid) for room in mine), len(mine)

    async def work(self, outbox: Outbox) -> None:
        """Checks the rooms that are due, and of which all that the server announced is stored, for revoked devices of
        members, and states in each room, by `outbox`, those that it does not know yet. Runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            wait_s = max(0.0, min(self._due.values(), default=loop.time() + AGAIN_S) - loop.time())
            await woken(self._wake, wait_s)
            await self._round(outbox)

    async def _round(self, outbox: Outbox) -> None:
        """Checks once all rooms that are due: finds the members with a revoked device of which the room does not know
        yet. Appends entries about this person's own at once, by `outbox`. Then waits up to SPREAD_S, a random time, and
        appends those about other people that are still missing: otherwise every client would append the same ones. It
        asks and waits once for all rooms together, so that fifty rooms take seconds and not minutes."""
        now, rooms = asyncio.get_running_loop().time(), list[RoomId]()
        for room_id in [r for r, at in self._due.items() if at <= now]:
            room = self._link.rooms.get(room_id)
            if room is None or not room.is_member or room.problem is not None:
                del self._due[room_id]
            elif not room.caught_up:
                self._due[room_id] = now + SOON_S
            else:
                self._due[room_id] = now + AGAIN_S
                self._checked[room_id] = now
                rooms.append(room_id)
        moved = await self._moved(rooms)
        behind = {room: left for room in rooms if (left := [uid for uid in moved if self._lacks(room, uid)])}
        mine = self._link.account.uid
        await self._state_all({room: [mine] for room, uids in behind.items() if mine in uids}, outbox)
        others = {room: left for room, uids in behind.items() if (left := [uid for uid in uids if uid != mine])}
        if others:
            await asyncio.sleep(random.uniform(0, SPREAD_S))  # noqa: S311 - no secret: that not all do it at once
            await self._state_all(others, outbox)

    async def _moved(self, rooms: Sequence[RoomId]) -> list[Uid]:
        """Fetches the key logs of those members of `rooms` that, as the server says, have grown since one of the rooms
        last referred to them, and returns the members whose logs are here as far as the server says. If a request for
        some of them, or for one log, is refused or rejected, the others are checked all the same; after a refusal the
        rooms with these people are checked again in SOON_S. Unreachable if the connection is lost."""
        known = await self._lowest_pins(rooms)
        uids, moved = list(known), list[Uid]()
        for at in range(0, len(uids), MAX_KNOWN_LOGS):
            part = uids[at : at + MAX_KNOWN_LOGS]
            asked = [m.KnownLog(uid, known[uid]) for uid in part]
            heads = await self._try(rooms, part, self._heads(asked)) or []
            for uid, seq in {Uid(h.uid): h.seq for h in heads if h.uid in known}.items():
                try:
                    if await self._try(rooms, [uid], self._fetch(uid, seq)):
                        moved.append(uid)
                except Exception as e:
                    self._stop_rooms_of(uid, rooms, e)
        return moved

    def _stop_rooms_of(self, uid: Uid, rooms: Iterable[RoomId], fault: Exception) -> None:
        """▲ A fault of this program in the key log of the person `uid` stops those of `rooms` in which they are a
        member, and no others. Raises `fault` if it is none: the connection was lost, the store fails."""
        for room in [r for r in rooms if self._has_any(r, {uid})]:
            with self._link.apart(room):
                raise fault

    async def _lowest_pins(self, rooms: Sequence[RoomId]) -> dict[Uid, int]:
        """For each member of `rooms`: the lowest number of an entry of their key log to which one of these rooms
        refers. Lets other tasks run between rooms: together they may have thousands of members."""
        known: dict[Uid, int] = {}
        for room_id in rooms:
            with self._link.apart(room_id):
                stream = self._link.rooms[room_id].stream
                for uid in stream.members:
                    seq = stream.pins[uid][0]
                    if seq < known.get(uid, seq + 1):
                        known[uid] = seq
            await asyncio.sleep(0)
        return known

    async def _heads(self, asked: list[m.KnownLog]) -> list[m.LogHead]:
        return (await self._link.online.request(lambda rid: m.MovedLogs(rid=rid, known=asked), m.MovedLogsReply)).heads

    async def _fetch(self, uid: Uid, seq: int) -> bool:
        """Fetches what is new in the key log of the person `uid`, whose newest entry has the number `seq` as the server
        says. Returns True: `_try` returns None if the log was refused or rejected."""
        known = self._link.book.log(uid)
        if known is None or known.seq < seq:
            await self._link.book.fetch(self._link.online, uid, seq)
        return True

    async def _state_all(self, behind: Mapping[RoomId, Sequence[Uid]], outbox: Outbox) -> None:
        for room, uids in behind.items():
            with self._link.apart(room):
                await self._try([room], uids, self._append_pins(room, uids, outbox))

    async def _try(self, rooms: Iterable[RoomId], uids: Sequence[Uid], work: Coroutine[Any, Any, T]) -> T | None:
        """Runs `work`, a part of the check for revoked devices of the people `uids`, and returns its result; None if it
        was refused or rejected. After Refused, those of `rooms` in which one of them is a member are checked again in
        SOON_S; after Reject, at the next regular check. Other errors are raised."""
        try:
            return await work
        except (Refused, Reject) as e:
            log.info("recipients not checked: %s", e.code)
            if isinstance(e, Refused):
                soon, people = asyncio.get_running_loop().time() + SOON_S, set(uids)
                for room in [r for r in rooms if r in self._due and self._has_any(r, people)]:
                    self._due[room] = min(self._due[room], soon)
            return None

    def _has_any(self, room: RoomId, people: set[Uid]) -> bool:
        found = self._link.rooms.get(room)
        return found is not None and not people.isdisjoint(found.stream.members)

    def _lacks(self, room: RoomId, uid: Uid) -> bool:
        found = self._link.rooms.get(room)
        return found is not None and self._behind(found, uid)

    async def _append_pins(self, room_id: RoomId, uids: Sequence[Uid], outbox: Outbox) -> None:
        """States in the room `room_id`, by `outbox`, that devices of the people `uids` were revoked, or their accounts
        ended. Leaves out the people for whom another client has stated it since. Does nothing if this person is no
        member now, or the room is stopped. Refused (for example "conflict": the room has changed meanwhile), Reject for
        an answer that breaks a rule, Unreachable; it is not tried again here."""
        room = self._link.rooms.get(room_id)
        if room is None or not room.is_member or room.problem is not None:
            return
        behind = [uid for uid in uids if self._behind(room, uid)]
        if behind:
            await outbox.append(room, outbox.drafter(room).pin(behind))
            log.info("stated %d newer logs", len(behind))

    def _behind(self, room: RoomSync, uid: Uid) -> bool:
        """Whether the key log of the member `uid`, as far as this device has it, has a device's revocation, or the end
        of the account, after the entry to which `room` last referred: the room does not know of it yet. False for a
        person who is no member, and if their log is not here."""
        known, pin = self._link.book.log(uid), room.stream.pins.get(uid)
        if known is None or pin is None or uid not in room.stream.members:
            return False
        return known.revoked_between(pin[0], known.seq) or (known.ended_at(known.seq) and not known.ended_at(pin[0]))
