# SPDX-License-Identifier: EUPL-1.2
"""What the engine's parts share: the current connection, the account, the rooms, and the listener."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sync.client.account.account_secrets import Account
from sync.client.account.known_logs import Book
from sync.client.ports import Listener, Ports
from sync.client.room.room_phase import UnlistedTransition
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wire.connection import Connection
from sync.errors import BugError, Reject, Unreachable
from sync.ids import RoomId
from sync.protocol import messages as m
from sync.protocol.version import MAX_PULL_BYTES
from sync.trust.room.state_codec import STATE_TOO_LARGE
from sync.trust.room.stream import RoomStream

log = logging.getLogger("sync")

LARGE_BYTES = 64 * 1024
"""A larger state is read in pieces. A state of 64 KiB takes about 8 ms, a state of 5.7 MB 0.7 s."""
TURN_US = 2000
"""How long one turn of the loop may take to load logs."""


@dataclass(slots=True, kw_only=True)
class Link:
    """What the parts of one account's engine share: the store, the account's secrets, everybody's key logs, the rooms,
    and the connection (None while offline). `now_ms` returns this device's clock (ms). A part waits for its work at one
    of the events (`outbox_work`, …)."""

    ports: Ports
    account: Account
    book: Book
    listener: Listener
    now_ms: Callable[[], int]
    rooms: dict[RoomId, RoomSync] = field(default_factory=dict)
    large: dict[RoomId, bytes] = field(default_factory=dict)
    """The states of large rooms that are not read yet; see `open_large`."""
    _is_loaded: bool = field(default=True, init=False)
    """False while an error of the store has interrupted `reload`: `rooms` and `large` then lack some rooms."""
    connection: Connection | None = None
    outbox_work: asyncio.Event = field(default_factory=asyncio.Event)
    inbox_work: asyncio.Event = field(default_factory=asyncio.Event)
    seal_work: asyncio.Event = field(default_factory=asyncio.Event)
    own_log_moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the own log may have grown."""
    compare_clocks: Callable[[], None] = lambda: None
    """Signs in again, at most once in a while: a sign-in compares the server's clock with ours."""
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set and replaced when `moved` is, and whenever the server has confirmed the last position of a room."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set and replaced whenever a room's stream has moved. A task that waits for its own items in the stream then
    checks again."""

    @property
    def online(self) -> Connection:
        """The connection to the server. Raises Unreachable while there is none."""
        if self.connection is None:
            raise Unreachable("offline")
        return self.connection

    @property
    def server_now_ms(self) -> int:
        """The server's clock as the handshake showed it."""
        return self.now_ms() + (self.connection.identity.offset_ms if self.connection else 0)

    def waited_ms(self, room: RoomId, n: int) -> int:
        """▲ For how many ms this device has known position `n` of `room`, by its own clock; 0 if it has seen it only
        since it last stored what it has seen, or not at all. It may be too short, by an hour or two in most cases,
        never too long. An action that this client takes after some days waits by this time too. Otherwise a server
        whose clock is ahead could make the client take it at once."""
        seen = self.ports.seen_ms(room, n)
        return 0 if seen is None else max(0, self.now_ms() - seen)

    def room(self, room: RoomId) -> RoomSync:
        """The room with the id `room` as this device follows it; never None. If it is in `large`, it is read from its
        stored state, and is stopped as UNREADABLE if that fails; if it is not known, a new `RoomSync` is added to
        `rooms`. An error of the store is raised."""
        found = self.rooms.get(room)
        if found is None and room in self.large:
            # ▲ a new RoomSync in its place would begin at the room's first position
            found = self.rooms[room] = self._restore(room, self.large[room])
            del self.large[room]  # ▲ only now: `_restore` may raise an error of the store
        if found is None:
            found = self.rooms[room] = RoomSync(room, self.ports, self.book, self.account, None)
        return found

    def reload(self) -> None:
        """Loads every room from the store, and discards the rooms and people's key logs in memory: at the start, and
        after a session that an error of the store or of this program ended. The states of large rooms are not read
        here, but by `open_large`. An error of the store is raised; the next `open_large` then loads everything again. ▲
        A key log in memory that is ahead of the disk would be appended with entries missing before it."""
        self._is_loaded = False
        self.book.forget()
        self.rooms.clear()
        self.large.clear()
        for room, state in self.ports.rooms():
            if state is not None and len(state) > LARGE_BYTES:
                self.large[room] = state
            else:
                self.rooms[room] = self._restore(room, state)
        self._is_loaded = True

    async def open_large(self) -> None:
        """Reads the states of large rooms, lets other tasks of the event loop run after each part of a state, and
        notifies the listener of each room. A room whose state cannot be read is stopped as UNREADABLE, and the others
        are read; an error of the store is raised, and the next call tries again what was not read. It runs before each
        connection, since until then such a room is not in `rooms` and can neither receive nor send.

        ▲ What an interrupted `reload` did not read is read first. Otherwise such a room would be taken for a new one,
        and be read again from its first position.
        """
        if not self._is_loaded:
            self.reload()
        while self.large:
            room, state = next(iter(self.large.items()))
            stream = await _read(state)
            if self.large.get(room) is not state:  # `room` read it during the wait, or everything was loaded again
                continue
            self.rooms[room] = self._restore(room, state, stream)
            del self.large[room]  # ▲ only now: `_restore` may raise an error of the store
            self.listener.on_room(room)

    def _restore(self, room: RoomId, state: bytes | None, stream: RoomStream | None = None) -> RoomSync:
        """A `RoomSync` from the stored `state` (None for none), or from `stream` if that was already decoded from it. ▲
        If the state cannot be read, this room alone is stopped as UNREADABLE, until the next start; the others open. An
        error of the store is raised."""
        try:
            return RoomSync(room, self.ports, self.book, self.account, state, stream)
        except Exception as e:
            if not of_one_room(e) and not isinstance(e, Reject):
                raise
            log.error("room %s cannot be read", room[:4].hex(), exc_info=e)
            stopped = RoomSync(room, self.ports, self.book, self.account, None)
            stopped.stop(RoomState.UNREADABLE)
            return stopped

    @contextmanager
    def apart(self, room: RoomId) -> Iterator[None]:
        """A context manager for work on `room` alone. ▲ A fault of this program in that work stops that room until the
        next start, and is not raised. So does a state of the room that has grown too large to be read again.

        A lost connection, a refusal, a lying server and a full disk have a `code` and are raised: they concern more
        than one room.
        """
        try:
            yield
        except Exception as e:
            if not of_one_room(e):
                raise
            self._stop(room, e)

    def _stop(self, room: RoomId, why: Exception) -> None:
        log.error("room %s stopped by a fault of this program", room[:4].hex(), exc_info=why)
        if (found := self.rooms.get(room)) is not None:
            found.stop(RoomState.UNREADABLE)
        self.listener.on_room(room)

    async def pull(self, room: RoomId, after: int, *, headers_only: bool = False, limit_bytes: int = 0) -> m.Items:
        """Asks the server for the items of `room` after position `after`, without their content if `headers_only`, at
        most `limit_bytes` bytes in all (0: MAX_PULL_BYTES), but at least one if there is any. One request: there may be
        more items. Nothing of the answer is verified, not even that its items are the ones asked for. Raises
        Unreachable (also while offline), Refused, Outdated if the operator asks for a newer program, or Reject
        "malformed" for a reply of another type."""
        return await self.online.request(
            lambda rid: m.Pull(
                rid=rid, room=room, after=after, limit_bytes=limit_bytes or MAX_PULL_BYTES, headers_only=headers_only
            ),
            m.Items,
        )

    @contextmanager
    def kept(self, room: RoomSync) -> Iterator[None]:
        """A context manager for storing a slice of `room` that was judged (verified by the room's rules, which moves
        the room in memory). ▲ Keeps a room from running ahead of the store. If the block raises (the connection was
        lost, the disk is full), the room in `rooms` is replaced by one that is read from the store again, and the error
        is raised on. The same items are later pulled and judged again."""
        try:
            yield
        except BaseException:
            state = dict(self.ports.rooms()).get(room.room)
            again = self._restore(room.room, state)
            again.take_over(room)
            self.rooms[room.room] = again
            raise

    async def load_logs(self, room: RoomSync) -> None:
        """Loads the key logs of the members of `room` from the store into memory, and computes for each member the key
        to which an epoch (a generation of the room's key) is sealed, which is kept with the log; lets other tasks of
        the event loop run in between. A member whose log is not stored is left out; Reject if a stored log breaks a
        rule. Call it before an entry is verified or drafted: that needs all of the logs without a pause, or in a
        thread."""
        cost_us, pins = 0, room.stream.pins
        for uid, member in list(room.stream.members.items()):
            cost_us += 5 if uid in self.book else 1000  # a log that is not in memory is replayed
            log = self.book.log(uid)
            if log is not None and uid in pins:
                log.recipient(*pins[uid], member.history)
            if cost_us >= TURN_US:
                cost_us = 0
                await asyncio.sleep(0)

    def notify_moved(self) -> None:
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()
        self.notify_confirmed()

    def notify_confirmed(self) -> None:
        confirmed, self.confirmed = self.confirmed, asyncio.Event()
        confirmed.set()


async def _read(state: bytes) -> RoomStream | None:
    """Decodes a room's stored `state` into its stream, and lets other tasks of the event loop run after each piece.
    None if the state cannot be read: `_restore` then has the same error, and stops the room."""
    steps = RoomStream.reading(state)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: RoomStream = done.value
            return found
        except Exception:  # `_restore` reads it once more, has the same error, and stops the room
            return None
        await asyncio.sleep(0)


def of_one_room(fault: Exception) -> bool:
    """Whether `fault`, which work on one room raised, is a fault of this program, so that this room alone is stopped
    and the others go on: an exception without a `code`, or a BugError other than UnlistedTransition, which is raised in
    tests alone. Faults of the connection, the server or the store have a `code` and concern more. A state that is too
    large to be read again counts as a fault of its room."""
    if isinstance(fault, Reject):
        return (fault.code, fault.where) == STATE_TOO_LARGE
    if isinstance(fault, BugError):
        return not isinstance(fault, UnlistedTransition)  # raised in our tests alone, and there it must not be hidden
    return not isinstance(getattr(fault, "code", None), str)
