# SPDX-License-Identifier: EUPL-1.2
"""Pulls, judges and opens again, in the background, what was judged before its content was opened: everything before a
member was given the history (`hist`), or before the snapshots with which a newcomer began.

▲ The items are judged again from the first position, not only chained: a void item is never applied, no matter who
shows it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from sync.client.exchange.prefetch import Prefetch
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.errors import Refused, Reject
from sync.ids import ObjId, RoomId
from sync.protocol.messages import Items, WireShare
from sync.trust.formats.items import Item
from sync.trust.room.stream import Accepted, RoomStream

log = logging.getLogger("sync")

PIECE = 32
"""Items judged, opened and stored together, up to the next signature: 50 items under one signature take 3 ms of the
loop."""

FINISHING = 2
"""Rooms whose snapshots are checked at the same time."""

WithLogs = Callable[[Callable[[], list[Accepted]], int], Awaitable[list[Accepted]]]
"""(a function without arguments that verifies items of a room, the number of those items) → its verdicts, after
fetching the user logs that are missing. `MissingLogs.judge`; Reject "withheld"."""


FetchPruned = Callable[[RoomSync], Awaitable[None]]
"""`Backfill.fetch_pruned`, which gets the room."""


@dataclass(slots=True)
class _RereadProgress:
    """How far a room has been read again, that is, pulled, verified and decrypted from its first position: up to the
    last position of `stream`, of the positions up to `until`. `piece` are the items that `stream` verified last, and
    `shares` the objects' secrets that the server sent with them. Everything that `stream` has verified is stored,
    except `piece` and `shares` if the connection was lost just then; they are empty otherwise."""

    room: RoomId
    until: int
    stream: RoomStream
    piece: Sequence[Accepted] = field(default=())
    shares: Sequence[WireShare] = field(default=())


class Rereading:
    """Reads rooms again from their first position (pulls, verifies and decrypts their items), in the background and one
    at a time, where this device got the keys of earlier items later or began with snapshots. If the connection is lost
    it resumes on the next one; after a restart of the program it begins at the first position again."""

    def __init__(self, link: Link, with_logs: WithLogs, snapshots: Snapshots, fetch_pruned: FetchPruned) -> None:
        self._link = link
        self._fetch_pruned = fetch_pruned
        self._with_logs = with_logs
        self._snapshots = snapshots
        self._prefetch = Prefetch(link)
        self._begun: _RereadProgress | None = None
        self._read_up_to: dict[RoomId, int] = {}
        """Rooms that were read again completely and are not finished (`_finish`), with the value of `RoomSync.reread`
        at that time. Such a room is not read a second time after the connection was lost, unless `reread` has grown."""
        self._finishing: dict[RoomId, asyncio.Task[None]] = {}
        self._given_up: set[RoomId] = set()
        self._todo: dict[RoomId, None] = {}
        self._wake = asyncio.Event()
        self._reached: dict[RoomId, int] = {}
        self._calm = asyncio.Event()

    def pause(self) -> None:
        """Call it when items are received or a room is to be pulled: that work goes first, in every room."""
        self._calm.clear()

    def go_on(self) -> None:
        """Call it when everything that was received is judged and stored."""
        self._calm.set()

    def reached(self, room: RoomId) -> int:
        """The position up to which a room has been read again."""
        return self._reached.get(room, 0)

    def start(self) -> None:
        """Call it on a new connection. Forgets which rooms could not be read again (pulled, verified and decrypted from
        their first position) because of what the server showed, since it may show now what it did not show before.
        Queues nothing itself: such a room is tried once more after the next `queue`. Drops a pull that was begun
        ahead."""
        self._given_up.clear()
        self._prefetch.drop()

    def queue(self, room: RoomSync) -> None:
        """Queues `room` if older items of it are to be pulled, verified and decrypted again (`RoomSync.reread`); does
        nothing otherwise. Call it when the room has moved: it can be read only once the key of its earlier items is
        here."""
        if room.reread:
            self._todo[room.room] = None
            self._wake.set()

    async def work(self) -> None:
        """Reads the queued rooms again, one after the other, until cancelled. While a room is read, tasks check the
        snapshots of the rooms that were read before; the check computes them in other processes. An error that concerns
        more than one room ends it, for example Unreachable; the checks are then cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._todo:
                    room = next(iter(self._todo))
                    del self._todo[room]
                    with self._link.apart(room):
                        if room not in self._finishing and await self._again(room):
                            await self._finished(at_most=FINISHING - 1)
                            self._finishing[room] = asyncio.create_task(self._finish(room))
                await self._finished()
        finally:
            tasks, self._finishing = list(self._finishing.values()), {}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _finished(self, at_most: int = 0) -> None:
        """Waits until at most `at_most` rooms are still being finished, that is, all their items are read again, but
        their snapshots are not yet checked. Raises what `_finish` raised."""
        while len(self._finishing) > at_most:
            await asyncio.wait(self._finishing.values(), return_when=asyncio.FIRST_COMPLETED)
            for room in [room for room, task in self._finishing.items() if task.done()]:
                await self._finishing.pop(room)

    def _room(self, room: RoomId) -> RoomSync | None:
        """The room with the id `room`, if it is to be read again (pulled, verified and decrypted from its first
        position), this device has its newest key, and it is not stopped. None otherwise. Call it for each piece: the
        room may have been loaded from the store again."""
        found = self._link.rooms.get(room)
        ready = found is not None and found.reread and not found.keys.needs_key and found.problem is None
        return found if ready else None

    async def _again(self, room_id: RoomId) -> bool:
        """Pulls, verifies and decrypts the room `room_id` again from its first position to `RoomSync.reread`, since
        this device got the keys of earlier items later or began with snapshots. Returns True when all of it is read; at
        once if that was done before the connection was lost. False if the room cannot be read now: nothing is left to
        read, this device lacks its newest key, or it is stopped. False also if the server refuses, or shows what breaks
        the rules: that is logged, and the room is tried again only on the next connection. Unreachable if the
        connection is lost; the next call resumes there."""
        room = self._room(room_id)
        if room is None or room_id in self._given_up:
            return False
        until = room.reread
        if self._read_up_to.get(room_id) == until:
            return True
        try:
            whole = await self._read(self._begin(room_id, until))
        except (Refused, Reject) as e:
            self._begun = None
            self._given_up.add(room_id)
            log.error("room %s is not read again: %s", room_id[:4].hex(), e.code)
            return False
        finally:
            self._reached.pop(room_id, None)
        if whole:
            self._begun = None
            self._read_up_to[room_id] = until
        return whole

    async def _finish(self, room_id: RoomId) -> None:
        """Call it when all items of the room `room_id` are read again. Checks the snapshots with which this device
        began the room against these items, then stores that nothing of the room is left to be read, fetches snapshots
        in place of pruned changes (deleted at the server) that are missing here, and notifies the application. If more
        is to be read by now, queues the room again instead. A false snapshot does not prevent that: `Snapshots.check`
        has dropped the state that was made of it. Does nothing if the room lacks its key, is stopped, or is not to be
        read again. If the store fails, its error is raised, and the room still counts as to be read again. Unreachable
        if the connection is lost during the fetch: the room counts as read, and the application is not notified."""
        with self._link.apart(room_id):
            room = self._room(room_id)
            if room is None:
                return
            await self._snapshots.check(room)
            if room.reread != self._read_up_to.pop(room_id, None):  # `reread` has grown since
                self.queue(room)
                return
            until = room.reread
            try:
                await self._link.ports.receive_apart(room.reread_done())
            except BaseException:
                room.not_reread(until)
                self._read_up_to[room_id] = until
                raise
            if room.incomplete:  # the reread brings no pruned content
                await self._fetch_pruned(room)
            self._snapshots.reread_finished(room)
            self._link.listener.on_room(room_id)

    def _begin(self, room: RoomId, until: int) -> _RereadProgress:
        """The progress of reading `room` again up to position `until`: that of a reread that was cut off, if it was of
        the same room and to the same position. Otherwise a new one from the first position, which replaces any other
        progress."""
        begun = self._begun
        if begun is None or (begun.room, begun.until) != (room, until):
            begun = self._begun = _RereadProgress(room, until, RoomStream(room))
        return begun

    async def _read(self, begun: _RereadProgress) -> bool:
        """Pulls, verifies and decrypts again the items of a room, and stores what they contain, from where `begun` is
        up to `begun.until`; `begun` moves along. Pauses while newly received items are handled. True when all of that
        is stored. False if the room is not to be read any more now (`_room`). Reject "withheld" or "fork" if the server
        does not show the items that were verified, another Reject if an item breaks a rule. Refused or Unreachable if
        the server does not give them."""
        room_id, until, again = begun.room, begun.until, begun.stream
        if (room := self._room(room_id)) is not None:
            await self._keep(room, begun)
        self._reached[room_id] = again.n
        while again.n < until:
            await self._calm.wait()
            pulled = await self._prefetch.pull(room_id, again.n)
            self._pull_ahead(begun, pulled)
            items = [Item.of(i) for i in pulled.items if i.n <= until]
            if not items:
                raise Reject("withheld", "history")
            for piece in pieces(items):
                await self._calm.wait()
                room = self._room(room_id)
                if room is None:
                    return False
                await self._take(room, begun, piece, pulled.shares)
            self._reached[room_id] = again.n
            self._link.listener.on_room(room_id)
        room = self._room(room_id)
        if room is None:
            return False
        # ▲ the entry that explains missing content may be after the positions that are read again
        if any(not room.stream.may_be_gone(ObjId(obj), n) for n, obj in again.state.missing.items()):
            raise Reject("withheld", "history")
        return True

    def _pull_ahead(self, begun: _RereadProgress, pulled: Items) -> None:
        """Starts to pull what is read after `pulled`, the items that the server just gave: more of the same room if it
        has more, and otherwise the first items of the next room in the queue that can be read. Does nothing if there is
        none."""
        if pulled.items and pulled.items[-1].n < begun.until:
            self._prefetch.start(begun.room, pulled.items[-1].n)
            return
        for room_id in self._todo:  # this room may be in the queue again after a new frame
            room = self._room(room_id)
            if room_id != begun.room and room is not None and self._read_up_to.get(room_id) != room.reread:
                self._prefetch.start(room_id, 0)
                return

    async def _take(
        self, room: RoomSync, begun: _RereadProgress, piece: Sequence[Item], shares: Sequence[WireShare]
    ) -> None:
        again = begun.stream
        accepted = await self._with_logs(lambda: again.accept(piece, self._link.book, room.rh_at), len(piece))
        if again.rh != room.rh_at(again.n):
            raise Reject("fork", f"position {again.n}")
        begun.piece, begun.shares = accepted, shares
        await self._keep(room, begun)

    async def _keep(self, room: RoomSync, begun: _RereadProgress) -> None:
        """Stores `begun.piece`, the items of `room` that were verified last while it is read again, decrypted as far as
        possible; `begun.piece` is empty then. If a call was cut off, the next one stores them again, which does no
        harm."""
        for received in room.open_again(begun.piece, begun.shares):
            await self._link.ports.receive_apart(replace(received, more=True))
            await asyncio.sleep(0)
        begun.piece = begun.shares = ()


def pieces(items: Sequence[Item]) -> list[list[Item]]:
    """Splits `items` into pieces of at least PIECE items, which are verified one after the other. Each piece ends at an
    item with a signature, since a signature covers the items before it. The last one ends where `items` end, and may
    have fewer items. [] if there are no items."""
    pieces: list[list[Item]] = [[]]
    for item in items:
        pieces[-1].append(item)
        if item.sig and len(pieces[-1]) >= PIECE:
            pieces.append([])
    return [piece for piece in pieces if piece]
