# SPDX-License-Identifier: EUPL-1.2
"""Rooms in memory: each room's stream, which may be ahead of the disk, and its durable head.

A room's items are judged one placement after the other under the room's lock, and their commits overlap. Subscribers
and pulls see only what is durable. If a commit fails, the room is dropped from memory and read again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sync.crypto.signatures import SigningKey
from sync.errors import BugError, NeedLog
from sync.ids import RoomId, Uid
from sync.protocol.messages import ErrorCode, Receipt
from sync.protocol.version import MAX_BATCH_ITEMS
from sync.server.load.spending import metered
from sync.server.rules.entry_limits import EntryLimits, RememberedLimits
from sync.server.rules.named_items import Named, named_in
from sync.server.rules.people import People
from sync.server.rules.refusal import Refusal
from sync.server.store.base import RoomRow, Store, StoreError
from sync.trust.formats.items import RH_0, Item
from sync.trust.room import signed_receipts
from sync.trust.room.room_state import Member
from sync.trust.room.stream import RoomStream

log = logging.getLogger("sync.server")

_SLICE = MAX_BATCH_ITEMS
_SLICE_BYTES = 4 * 1024 * 1024
_WINDOW = 1024
MAX_OLD_SEEN = 16
"""How many different positions from before the room's last 4,096 the items of one placement may name as seen."""
_MAX_LOGS = 1000
"""Logs that one placement may need beside those that it names. They are loaded one at a time, and the placement is
judged again each time."""


class OldHashes:
    """The running hashes of one room, by position; each commits to all items up to there. A call returns the hash of a
    position, None if it is not in memory: the rules that verify items ask for hashes and cannot wait for the disk.
    `held`: the hashes of the newest positions. `fetched`: those of older positions that the items being judged name."""

    def __init__(self) -> None:
        self.held: dict[int, bytes] = {}
        self.fetched: Mapping[int, bytes] = {}

    def __call__(self, n: int) -> bytes | None:
        return self.held.get(n) or self.fetched.get(n)

    def trim(self) -> None:
        """Frees memory: once `held` has more than 2,048 running hashes, keeps only the newest 1,024. The others are
        read from the store when they are needed."""
        if len(self.held) > 2 * _WINDOW:
            self.held = dict(list(self.held.items())[-_WINDOW:])


@dataclass(slots=True, eq=False)
class LiveRoom:
    """One room in memory. `stream`: its verified items, also those that are still being written to the disk. `head`:
    the receipt (the server's signed statement) of the last one that is on the disk. `size_bytes`: of its items and
    parts of files. `state_n`: the position of the last stored state, or of the one that is being written, from which
    the room can be read again. `tail`: the write that was begun last. `limits`: what the limits on its entries rest on.
    `old_rhs`: running hashes of old positions. `broken`: the room was dropped from memory because its stream differs
    from the disk. `pending_rh`: the running hash at the end of `stream`."""

    stream: RoomStream
    head: Receipt
    size_bytes: int
    state_n: int
    limits: EntryLimits
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    old_rhs: OldHashes = field(default_factory=OldHashes)
    tail: "asyncio.Future[None] | None" = None
    broken: bool = False
    pending_rh: bytes = RH_0
    spoke: set[Uid] = field(default_factory=set)
    """The persons with an item in the room, as far as this process has seen."""
    pending_members: Mapping[Uid, Member] = field(default_factory=dict)
    """Members as of the newest placement that was begun."""

    @property
    def idle(self) -> bool:
        """Whether no write of the room is pending and nobody holds its lock."""
        return not self.lock.locked() and (self.tail is None or self.tail.done())

    async def settled(self) -> None:
        """Waits until the last write of the room that was begun has succeeded or failed; returns at once if there is
        none. Never raises the write's error. Does not wait for writes that begin meanwhile."""
        if self.tail is not None and not self.tail.done():
            await asyncio.wait([self.tail])


class LiveRooms:
    """A cache of rooms: reads the stored state of each from the store, and verifies the items that came after it.
    `people` has the logs that this needs. `kept`: how many rooms stay in memory; the least recently used ones are
    evicted first. None is evicted while it has a write under way or is locked: then more than `kept` stay. `key` signs
    the server's receipts (statements to clients of a room's last position)."""

    def __init__(self, store: Store, people: People, key: SigningKey, kept: int) -> None:
        self._store = store
        self._people = people
        self._key = key
        self._kept = kept
        self._rooms: OrderedDict[bytes, LiveRoom] = OrderedDict()
        self._loading: dict[bytes, asyncio.Task[LiveRoom | None]] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._limits = RememberedLimits()
        self.loaded: Callable[[LiveRoom], None] = lambda live: None
        """Called with each room that was read from the disk."""

    def receipt(self, room: bytes, n: int, rh: bytes, t: int) -> Receipt:
        """The server's signed receipt for a position."""
        return Receipt(room, n, rh, t, signed_receipts.sign(self._key, room, n, rh, t))

    def at_hand(self, room: bytes) -> LiveRoom | None:
        """The room if it is in memory."""
        return self._rooms.get(room)

    async def get(self, room: bytes) -> LiveRoom:
        """The room with the id `room`, read from the store if it is not in memory; whether a person may see it is not
        checked. Refusal "unknown-room" if there is none. If what is stored is damaged: BugError if the state and the
        items disagree, Reject for an item that breaks a rule, Refusal "invalid" if a person's log that an item needs is
        missing or too short, any error for a state that cannot be decoded. Refusal "busy" if the items need too many
        logs."""
        live = self._rooms.get(room)
        if live is None:
            task = self._loading.get(room)
            if task is None:
                task = asyncio.create_task(metered(self._load, room))
                self._loading[room] = task
                task.add_done_callback(lambda _: self._loading.pop(room, None))
            live = await asyncio.shield(task)
            if live is None:
                raise Refusal(ErrorCode.UNKNOWN_ROOM)
        kept = self._rooms.get(room)
        if kept is not None:
            self._rooms.move_to_end(room)
            self._limits.note_use(room, kept.limits)
        return live

    async def reach(self, room: bytes, uid: bytes) -> LiveRoom:
        """The room with the id `room`, if the person `uid` is or was a member. Refusal "unknown-room" for any other
        person, and if there is no such room. If what is stored is damaged, raises what `get` raises."""
        live = self._rooms.get(room)
        is_member = live is not None and uid in live.stream.members
        if not is_member and await self._store.until_n(room, uid) is None:
            raise Refusal(ErrorCode.UNKNOWN_ROOM)
        return await self.get(room)

    def new(self, room: bytes) -> LiveRoom:
        """Makes an empty room in memory under the id `room`, and returns it. Neither the store nor the memory may have
        a room with this id. The caller must `forget` it if its first items are refused."""
        head = Receipt(room, 0, RH_0, 0, b"")
        limits = self._limits.of(room)
        live = LiveRoom(stream=RoomStream(RoomId(room)), head=head, size_bytes=0, state_n=0, limits=limits)
        self._rooms[room] = live
        self._evict()
        return live

    def forget(self, live: LiveRoom) -> None:
        """Drops a room from memory and marks it as broken, because its stream differs from the disk. The next request
        reads it again. Of a room of which nothing was stored, the limits are forgotten too."""
        live.broken = True
        if self._rooms.get(live.head.room) is live:
            del self._rooms[live.head.room]
            if live.head.n == 0:
                self._limits.drop(live.head.room)

    async def receipt_at(self, room: bytes, n: int) -> Receipt:
        """The server's signed receipt for the position `n` of the room with the id `room`. ValueError if that position
        is not on the disk."""
        (item,) = await self._store.items(room, n - 1, n, 1)
        return self.receipt(room, item.n, item.rh, item.t)

    async def _load(self, room: bytes) -> LiveRoom | None:
        row = await self._store.room(room)
        if row is None:
            return None
        stream = RoomStream.from_bytes(row.state)
        await self._catch_up(stream, row)
        if (stream.n, stream.rh) != (row.n, row.rh):
            raise BugError("a room's stored state and items disagree")
        head = self.receipt(room, row.n, row.rh, row.t)
        limits = self._limits.of(room)
        live = LiveRoom(stream=stream, head=head, size_bytes=row.size_bytes, state_n=row.state_n, limits=limits)
        live.pending_rh, live.pending_members = row.rh, stream.members
        start = max(0, row.n - _WINDOW)
        rhs = await self._store.rhs(room, start, row.n)
        live.old_rhs.held = {start + 1 + k: rh for k, rh in enumerate(rhs)}
        made = self._rooms.get(room)
        if made is not None:  # `new` made it while its first rows were read; of two, one would miss what follows
            return made
        self._rooms[room] = live
        self._evict()
        self.loaded(live)
        return live

    async def _catch_up(self, stream: RoomStream, row: RoomRow) -> None:
        """Brings `stream`, which was decoded from a stored state, up to the room's last position (`row`): reads the
        later items and verifies them again, a few at a time. Changes `stream`. BugError if the store does not have all
        of them. Reject if a stored item breaks a rule, Refusal "invalid" if a person's log that the items name is
        missing or too short, "busy" if they need too many logs."""
        while stream.n < row.n:
            rows = await self._store.items(row.room, stream.n, min(row.n, stream.n + _SLICE), _SLICE_BYTES)
            items = [Item(n=i.n, t=i.t, kind=i.kind, body=i.body, sig=i.sig, ct=i.ct) for i in rows]
            while items and items[-1].kind != 1 and not items[-1].sig:
                items.pop()  # a batch is judged whole: the next slice begins with it
            if not items:
                raise BugError("a room's items are not all there")
            old = OldHashes()

            def judge(items: list[Item] = items, old: OldHashes = old) -> None:
                stream.accept(items, self._people, old)

            await self.satisfied(stream, judge, old, named_in(items))

    async def satisfied(
        self, stream: RoomStream, judge: Callable[[], None], old: OldHashes, named: Named, *, most: int | None = None
    ) -> None:
        """Runs `judge`, which verifies items against `stream`, with everything in memory that it asks for: the user
        logs, and the running hashes of old positions, that the items name (`named`). `old` has these hashes while it
        runs. `judge` gets no arguments, and its errors are raised here; but if it raises NeedLog, that log is loaded
        and `judge` runs again, so it must change nothing when it raises. Refusal "invalid" for a log that does not
        exist or is shorter than the items say, "busy" for too many logs.

        ▲ All hashes are read by one query before anything is judged. Refusal "invalid" if the items name more than
        `most` positions whose hash must be read (None: no limit): an honest device names one position when it seals a
        batch.
        """
        await self._people.load_many(named.logs(stream))
        ns = [n for n in sorted(named.seen) if 0 < n <= stream.n and stream.rh_of(n, old) is None]
        if most is not None and len(ns) > most:
            raise Refusal(ErrorCode.INVALID, "seen")
        old.fetched = await self._store.rhs_at(stream.room, ns) if ns else {}
        try:
            await self._with_logs(judge)
        finally:
            old.fetched = {}

    async def _with_logs(self, judge: Callable[[], None]) -> None:
        for _ in range(_MAX_LOGS):
            try:
                judge()
                return
            except NeedLog as e:
                found = await self._people.newest(e.uid)
                if found is None or found.seq < e.seq:
                    raise Refusal(ErrorCode.INVALID, "user log") from e
        raise Refusal(ErrorCode.BUSY, "user logs")

    def _evict(self) -> None:
        surplus = len(self._rooms) - self._kept
        for room, live in list(self._rooms.items())[: max(0, surplus)]:
            if live.idle:
                del self._rooms[room]
                self._spawn(self.keep(live))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def keep(self, live: LiveRoom) -> None:
        """Stores the state of the room `live`, so that the next load is quick. Does nothing if it is stored already,
        while items of the room are not on the disk yet, and for a room that was dropped from memory. A failure is only
        logged: no data is lost by it."""
        n = live.head.n
        if live.broken or live.state_n == n or live.stream.n != n:
            return
        try:
            await self._store.put_state(live.head.room, n, live.stream.to_bytes())
            live.state_n = max(live.state_n, n)  # the room may have moved on, and stored a newer one
        except StoreError as e:
            log.warning("a room's state was not kept: %s", e.code)

    async def close(self) -> None:
        """Waits for pending writes, stores every room's state (a failure is only logged), and empties the cache. Called
        when the server stops."""
        for live in list(self._rooms.values()):
            await live.settled()
            await self.keep(live)
        if self._keeping:
            await asyncio.wait(self._keeping)
        self._rooms.clear()
