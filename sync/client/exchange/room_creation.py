# SPDX-License-Identifier: EUPL-1.2
"""Creates rooms, so that a reply that is lost leaves no room unused: the next creation takes that room.

A room's id follows from its genesis, which is drafted here. So the very same room can be asked for again, and a room
that this device made and nobody has used yet can be recognised in its verified log, also after a restart.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sync.client.account.compare_and_swap import again
from sync.client.exchange.inbox import Inbox
from sync.client.exchange.outbox import Outbox
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.errors import Refused, Unreachable
from sync.ids import RoomId
from sync.protocol.messages import ErrorCode
from sync.trust.room.entry_drafts import Draft, new_room
from sync.trust.room.successor_claim import Origin

_AGAIN = (ErrorCode.CONFLICT, ErrorCode.STALE, ErrorCode.ROTATION_OWED, ErrorCode.SEALS, ErrorCode.BUSY)
"""The refusals after which a new draft may be accepted."""

IsFree = Callable[[RoomId], bool]


class RoomCreation:
    """Creates the rooms of one account. Several creations may run at once: no two of them end with the same room."""

    def __init__(
        self, link: Link, inbox: Inbox, outbox: Outbox, settled: Callable[[RoomSync], Awaitable[None]]
    ) -> None:
        """`settled` waits until this device has read everything that the server announced of a room."""
        self._link, self._inbox, self._outbox, self._settled = link, inbox, outbox, settled
        self._unanswered: dict[tuple[Origin | None, bool], list[Draft]] = {}
        """The rooms that the server was asked for without an answer, by the arguments of `create`, the oldest first."""
        self._running: set[RoomId] = set()
        """The rooms that a creation waits for now."""

    async def create(self, origin: Origin | None, *, own: bool, is_free: IsFree | None) -> RoomId:
        """As `RoomOperations.create_room`."""
        unanswered = self._unanswered.setdefault((origin, own), [])
        while unanswered:
            draft = unanswered.pop(0)
            if is_free is not None and self._is_read(draft.room):
                continue  # `_left_over` finds it
            room = await self._ask(origin, own, draft)
            if origin is not None or self._is_unused(room, own, is_free or _always):
                return room.room
        found = self._left_over(own, is_free) if origin is None and is_free is not None else None
        return found or (await self._ask(origin, own, None)).room

    def _is_read(self, room: RoomId) -> bool:
        found = self._link.rooms.get(room)
        return found is not None and found.stream.n > 0

    def _left_over(self, own: bool, is_free: IsFree) -> RoomId | None:
        """Returns a room that an earlier creation had made when it failed, for the next one to use; None if there is
        none. `own` and `is_free` are those of `create`. ▲ Returns only a room of which this device has everything by
        the server's word on the present connection. Otherwise a computer that was restored from a backup could return a
        room that has got a name and members after the backup was made."""
        if self._link.connection is None:
            return None
        rooms = ((ident, room) for ident, room in self._link.rooms.items() if ident not in self._running)
        found = (ident for ident, room in rooms if self._is_unused(room, own, is_free) and room.is_settled)
        return next(found, None)

    def _is_unused(self, room: RoomSync, own: bool, is_free: IsFree) -> bool:
        """Whether the room can be the one of a new creation. This device has made it, nobody else was ever in it, no
        other device has written in it, it has the policy of a new room, nothing stops it, and `is_free` says so too. ▲
        Otherwise two devices of one person could both give it a name, and each would invite other people into it."""
        state, me = room.stream.state, self._link.account
        is_mine = state.dev_owner == {me.dev: me.uid} and state.pins.keys() == state.members.keys() == {me.uid}
        return is_mine and state.policy == _policy(own) and room.problem is None and is_free(room.room)

    async def _ask(self, origin: Origin | None, own: bool, draft: Draft | None) -> RoomSync:
        """Has the server make the room that `draft` begins, or a new one (None), and waits until it is read here. If no
        answer comes, the draft is kept for a later call."""

        async def attempt() -> RoomSync:
            nonlocal draft
            draft = draft or await self._draft(origin, _policy(own))
            self._running.add(ident := draft.room)
            try:
                room = await self._begin(draft)
                self._inbox.follow(room)
                await self._settled(room)
            except Refused:
                draft = None
                raise
            finally:
                self._running.discard(ident)
            return room

        try:
            return await again(attempt, codes=_AGAIN)
        except (Unreachable, asyncio.CancelledError):
            if draft is not None:
                self._unanswered.setdefault((origin, own), []).append(draft)
            raise

    async def _draft(self, origin: Origin | None, policy: dict[str, object]) -> Draft:
        link = self._link
        log = link.book.log(link.account.uid)
        if log is None:
            raise Refused(ErrorCode.UNKNOWN_USER)
        author = link.account.author(log)
        return await asyncio.to_thread(new_room, author, link.book, link.server_now_ms, policy, origin=origin)

    async def _begin(self, draft: Draft) -> RoomSync:
        """Has the server make the room that `draft` begins, and returns it. Asks for nothing if this device has read
        the room already. A server that has the room gives its first answer again."""
        room = self._link.room(draft.room)
        if room.stream.n:
            return room
        try:
            await self._outbox.append(room, draft)
        except (Refused, Unreachable, asyncio.CancelledError):
            if not room.stream.n:
                self._link.rooms.pop(draft.room, None)
            raise
        return room


def _policy(own: bool) -> dict[str, object]:
    return {"own": True} if own else {}


def _always(room: RoomId) -> bool:
    return True
