# SPDX-License-Identifier: EUPL-1.2
"""Restore recovery of rooms: after a restore, clients upload again what was acknowledged since the backup, and it gets
its old positions (protocol §10).

Every room is closed to writing. A client first proves which items came after the server's head: it sends short stubs
whose running hash is the one in a receipt that this server signed. Then anybody uploads the items again, in order. A
room opens when no proven item is missing, its head is not below a receipt that a device presented at sign-in, and every
device that may hold more has reported that it has nothing more. The operator can also open it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync.errors import Reject
from sync.ids import Uid
from sync.protocol.messages import (
    ErrorCode,
    Ok,
    Promise,
    Receipt,
    RestoreProgress,
    Reupload,
    ReuploadDone,
    ReuploadLog,
    RoomHead,
    Signed,
    Wanted,
)
from sync.server.host.identity import Identity
from sync.server.load.fanout import Hub
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import LiveRoom, LiveRooms
from sync.server.rules.log_growth import LogGrowth
from sync.server.rules.named_items import named_in
from sync.server.rules.people import People
from sync.server.rules.placing import Placing
from sync.server.rules.refusal import Refusal
from sync.server.rules.restored_people import Returned, ReturnedLogs
from sync.server.store.base import Store
from sync.server.store.restored import AwaitedItem, RestoreRow
from sync.trust.formats.items import ENTRY, ENVELOPE, RH_0, STUB, Item, item_id, next_rh
from sync.trust.person.user_log import UserLog
from sync.trust.room import signed_receipts
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.stream import Accepted

log = logging.getLogger("sync.server")

_MOST_BYTES = 16 * 1024 * 1024
"""Most bytes of stubs that one device may send before their receipt: 400,000 positions."""
LOGS_AFTER_MS = 86_400_000
"""How long after the restore a person's log waits for missing devices before it takes new entries."""


@dataclass(slots=True)
class _Stubs:
    """A device's unfinished proof of the items that `room` had after the position `after`. `data` has a stub (time,
    kind and id) of each, one position after the other."""

    room: bytes
    after: int
    data: bytearray = field(default_factory=bytearray)

    @property
    def until(self) -> int:
        return self.after + len(self.data) // STUB.size


class RestoreRecovery:
    """Takes back from clients what a restored server lost, and opens each room for writing when nothing of it is
    missing any more. `closed`: the ids of rooms that take no writing. It is changed here; Placing, the part that takes
    new items, reads the same set."""

    def __init__(
        self,
        store: Store,
        people: People,
        hub: Hub,
        live: LiveRooms,
        placing: Placing,
        identity: Identity,
        closed: set[bytes],
        growth: LogGrowth,
    ) -> None:
        self._store = store
        self._people = people
        self._hub = hub
        self._live = live
        self._placing = placing
        self._server_pk = identity.key.public
        self._logs = ReturnedLogs(store, people, identity, growth)
        self._closed = closed
        self._awaited: dict[bytes, bytes] = {}
        self._restored: RestoreRow | None = None
        self._stubs: dict[bytes, _Stubs] = {}
        self._changing = asyncio.Lock()
        """Held while rooms are closed or opened in the store and in memory. Otherwise a room that is closed in
        between would be open in memory, and something new could take the positions of what was lost."""

    async def open(self) -> None:
        """Reads the state of the recovery from the store, once at the start: the signed statement of the restore, the
        devices that may still upload something, and the closed rooms. All are empty if there was no restore. Stops
        waiting for devices that are revoked or ended meanwhile."""
        self._restored = await self._store.restored()
        self._awaited = dict(await self._store.awaited_devices())
        self._closed |= await self._store.closed_rooms()
        for uid in set(self._awaited.values()):
            found = await self._people.load(uid)
            if found is not None:
                await self._forget_ended(found)

    @property
    def statement(self) -> Signed | None:
        """The signed statement of the restore, which every client gets at sign-in; None if there was no restore."""
        return Signed(self._restored.body, self._restored.sig) if self._restored is not None else None

    def closed_among(self, heads: Sequence[RoomHead]) -> list[bytes]:
        """Those of these rooms that take no writing."""
        return [h.receipt.room for h in heads if h.receipt.room in self._closed]

    def _check_restored(self) -> RestoreRow:
        if self._restored is None:
            raise Refusal(ErrorCode.FORBIDDEN, "not restored")
        return self._restored

    # -- people -----------------------------------------------------------------------------------------------------

    def check_log_open(self, uid: bytes) -> None:
        """▲ Refusal "closed" if the log of the person `uid` takes no new entries: one of their devices may still hold
        entries that the restore lost. For a day after the restore at most. Otherwise a device whose revocation was lost
        could add the next entry first."""
        if uid in self._awaited.values() and now_ms() < self._check_restored().t + LOGS_AFTER_MS:
            raise Refusal(ErrorCode.CLOSED, "user log")

    async def reupload_log(self, frame: ReuploadLog) -> Returned | None:
        """Stores entries of a person's log that a restore lost and a client uploads again. Returns the longer log, None
        if no entry was new. Refusal "forbidden" on a server that was never restored, and from a day after the restore
        for entries that need an invitation or a veto period; otherwise the errors of `ReturnedLogs.take`."""
        restored = self._check_restored()
        late = now_ms() >= restored.t + LOGS_AFTER_MS
        taken = await self._logs.take(frame, backup_ms=restored.backup_t, late=late)
        if taken is not None:
            log.info("entries of a person's log are back: %d", taken.log.seq - taken.after)
        return taken

    async def log_moved(self, moved: UserLog) -> None:
        """Called with a person's log that has new entries. Stops waiting for uploads by the devices that these entries
        revoke or end, and opens the rooms that waited for those devices alone."""
        if await self._forget_ended(moved):
            await self.open_ready()

    async def _forget_ended(self, moved: UserLog) -> bool:
        ended = [d for d, uid in self._awaited.items() if uid == moved.uid and not moved.device_active(d, moved.seq)]
        for dev in ended:
            await self._forget(dev)
        return bool(ended)

    async def _forget(self, dev: bytes) -> None:
        if dev in self._awaited:
            await self._store.stop_awaiting(dev)
            self._awaited.pop(dev, None)

    async def finish_reupload(self, who: Who, frame: ReuploadDone) -> Ok:
        """Notes that the device `who` has nothing more to upload after a restore; `frame` only says so. Drops its
        unfinished proof of lost items, and opens the rooms that waited for this device alone. Ok also for a device that
        is not awaited."""
        await self._forget(who.dev)
        self._stubs.pop(who.dev, None)
        await self.open_ready()
        return Ok(frame.rid)

    # -- proofs -----------------------------------------------------------------------------------------------------

    async def promise(self, who: Who, frame: Promise) -> Wanted:
        """Takes a proof by the device `who` of which items a room had after a position: `frame` has a stub (time, kind,
        id) of each, and further frames may continue it; one that does not begins a new proof. With the last frame comes
        the receipt that proves them, signed by this server before it was restored; if the server lacks any, it then
        closes the room to writing and awaits those. Returns (the room's head, or None if the server does not have the
        room; the last position that is awaited, 0 for none), and (None, 0) before the last frame. Refusal "stale" if
        the server does not have the position from which the stubs begin, "invalid" for malformed stubs or if the
        receipt does not prove them, "quota" for too many stubs, "forbidden" on a server that was never restored, "busy"
        if the room was just dropped from memory: the client sends the proof again."""
        self._check_restored()
        stubs = self._stubs.get(who.dev)
        if stubs is None or (stubs.room, stubs.until) != (frame.room, frame.after):
            stubs = self._stubs[who.dev] = _Stubs(frame.room, frame.after)
        if len(frame.room) != 16 or frame.after < 0 or len(frame.stubs) % STUB.size:
            raise Refusal(ErrorCode.INVALID, "stubs")
        if len(stubs.data) + len(frame.stubs) > _MOST_BYTES:
            del self._stubs[who.dev]
            raise Refusal(ErrorCode.QUOTA, "stubs")
        stubs.data += frame.stubs
        if frame.receipt is None:
            return Wanted(frame.rid, None, 0)
        del self._stubs[who.dev]
        await self._prove(stubs, frame.receipt)
        return await self._wanted(frame.rid, who, frame.room, stubs.until)

    async def _prove(self, stubs: _Stubs, r: Receipt) -> None:
        """▲ Checks that the receipt `r` proves the stubs, a device's list of the items that a room had. This server
        must have signed the receipt. The stubs must chain from a position that the server has, through its head, to the
        receipt's running hash, which covers all items up to there. Then exactly these items were at these positions:
        those after the head are awaited, and the room is closed to writing if there are any. Refusal "invalid" if one
        of this is not so, "stale" if the server does not have the position before the first stub, "busy" if the room
        was just dropped from memory."""
        try:
            signed_receipts.check(self._server_pk, r)
        except Reject as e:
            raise Refusal(ErrorCode.INVALID, "receipt") from e
        if (r.room, r.n) != (stubs.room, stubs.until) or not stubs.data:
            raise Refusal(ErrorCode.INVALID, "receipt")
        live = await self._find(stubs.room)
        if live is None:
            await self._note(stubs, r, 0, RH_0)
            return
        async with live.lock:
            await live.settled()
            if live.broken:
                raise Refusal(ErrorCode.BUSY, "room")
            await self._note(stubs, r, live.head.n, live.head.rh)
        await self._notify_members(live)

    async def _note(self, stubs: _Stubs, r: Receipt, head_n: int, head_rh: bytes) -> None:
        if stubs.after > head_n:
            raise Refusal(ErrorCode.STALE, str(head_n))
        base = head_rh if stubs.after == head_n else await self._store.rh_at(stubs.room, stubs.after)
        base = RH_0 if stubs.after == 0 else base
        if base is None:
            raise Refusal(ErrorCode.STALE, str(head_n))
        through, last = await asyncio.to_thread(_chained, stubs, base, head_n)
        if last != r.rh or (through or head_rh) != head_rh:
            raise Refusal(ErrorCode.INVALID, "receipt")
        if r.n > head_n:
            new = [i for i in _items(stubs) if i.n > head_n]
            async with self._changing:
                self._closed.add(stubs.room)
                missing = await self._store.await_items(stubs.room, new)
            if missing == 0:  # another client uploaded them while we looked for a room that was not there
                await self.check_closed_rooms()
                return
            log.warning("a receipt proves items that were lost, positions: %d", missing)

    async def _find(self, room: bytes) -> LiveRoom | None:
        try:
            return self._live.at_hand(room) or await self._live.get(room)
        except Refusal:
            return None

    # -- items ------------------------------------------------------------------------------------------------------

    async def reupload(self, who: Who, frame: Reupload) -> Wanted:
        """Stores items that the device `who` uploads again at their old positions, if they are the items that a proof
        named. Skips items that the server has. Returns the room's head and the last position that is still awaited (0:
        none, so that the room may be opened). Refusal "unknown-room" if the server has neither the room nor a proof
        about it, "invalid" for other items, "forbidden" on a server that was never restored, "busy".

        ▲ "unknown-room" too if the device's person is not and was not a member and its first item is none that the room
        has or awaits. Otherwise every device could find out which rooms exist and how they grow. A person who was added
        after the backup is no member yet, and may be the only person who has what was lost.
        """
        self._check_restored()
        items = [Item.of(i) for i in frame.items]
        stranger = await self._store.until_n(frame.room, who.uid) is None
        if stranger and not (items and await self._is_here(frame.room, items[0])):
            raise Refusal(ErrorCode.UNKNOWN_ROOM)
        live = await self._find(frame.room)
        if live is None:
            if await self._store.awaited_until(frame.room) == 0:
                raise Refusal(ErrorCode.UNKNOWN_ROOM)
            live = self._live.at_hand(frame.room) or self._live.new(frame.room)
        async with live.lock:
            if live.broken:
                raise Refusal(ErrorCode.BUSY, "room")
            try:
                done = await self._place(live, who, [i for i in items if i.n > live.stream.n], frame)
            finally:
                if live.stream.n == 0:
                    self._live.forget(live)
        if done is not None:
            await done
        proven = done is not None or (stranger and await self._is_here(frame.room, items[-1]))
        reply = await self._wanted(frame.rid, who, frame.room, items[-1].n if proven else 0)
        if reply.until == 0 and done is not None:
            await self._notify_members(live)
            await self.open_ready()
        return reply

    async def _place(
        self, live: LiveRoom, who: Who, items: list[Item], frame: Reupload
    ) -> "asyncio.Future[Receipt] | None":
        """▲ Stores `items`, those of `frame` that the room lacks. Each must be the proven one at the next position,
        with its original time, and with its content unless that was pruned or destroyed; Refusal "invalid" otherwise.
        It is judged as any other item (Reject, or Refusal "invalid" or "busy"), but time limits and quotas do not
        apply. Entries and batches before the one that is refused are stored all the same. The future ends when they are
        on the disk. None if nothing is stored: there are none, they do not begin at the next position, or are only the
        beginning of a batch."""
        if not items or items[0].n != live.stream.n + 1:
            return None  # the answer has the room's head
        awaited = await self._store.awaited_items(frame.room, live.stream.n, len(items))
        wanted = [(a.n, a.t, a.kind, a.id) for a in awaited]
        if [(i.n, i.t, i.kind, item_id(i.kind, i.body)) for i in items] != wanted:
            raise Refusal(ErrorCode.INVALID, "not proven")
        done = None
        for unit in _units(items):
            if any(i.kind == ENVELOPE and i.ct is None and not self._may_be_gone(live, i) for i in unit):
                raise Refusal(ErrorCode.INVALID, "content")
            accepted = await self._judge(live, unit)
            ids: list[bytes] = [item_id(i.kind, i.body) for i in unit]
            size = sum(len(i.body) + len(i.sig) + len(i.ct or b"") for i in unit)
            done = await self._placing.begin(live, who, unit, accepted, ids, size, shares=frame.shares, returned=True)
        return done

    def _may_be_gone(self, live: LiveRoom, item: Item) -> bool:
        return live.stream.may_be_gone(Header.decode(read_body(item.body)[0]).obj, item.n)

    async def _judge(self, live: LiveRoom, unit: list[Item]) -> list[Accepted]:
        out: list[list[Accepted]] = []

        def judge() -> None:
            out.append(live.stream.accept(unit, self._people, live.old_rhs))

        await self._live.satisfied(live.stream, judge, live.old_rhs, named_in(unit))
        return out[0]

    async def _is_here(self, room: bytes, item: Item) -> bool:
        """Whether the room with the id `room` has or awaits `item` at its position."""
        if item.n >> 63:  # more than a column of the database holds
            return False
        ident = item_id(item.kind, item.body)
        awaited = await self._store.awaited_items(
            room, item.n - 1, 1
        )  # first: what comes back is stored as it goes here
        if any((a.n, a.id) == (item.n, ident) for a in awaited):
            return True
        return (await self._store.positions(room, [ident])).get(ident) == item.n

    async def _wanted(self, rid: int, who: Who, room: bytes, known: int) -> Wanted:
        """The room's head and the last awaited position, as far as the device `who` may learn them, which has shown
        that it has the items up to the position `known`. The head is None if the server does not have the room. ▲ A
        former member learns of nothing after the entry that ended the membership, and somebody who never was one of no
        head beyond `known`: (None, 0). A person whose addition was lost is a member as soon as it is back."""
        live, until = await self._find(room), await self._store.awaited_until(room)
        if live is None or who.uid in live.stream.members:
            return Wanted(rid, live.head if live else None, until)
        end = await self._store.until_n(room, who.uid)
        if end:
            return Wanted(rid, await self._live.receipt_at(room, end), 0)
        return Wanted(rid, live.head, until) if live.head.n <= known else Wanted(rid, None, 0)

    # -- opening ----------------------------------------------------------------------------------------------------

    async def check_closed_rooms(self) -> None:
        """Notices rooms that the operator opened with a command beside this server, and opens those that lack nothing
        any more. Called regularly."""
        if not self._closed:
            return
        async with self._changing:
            opened = self._closed - await self._store.closed_rooms()
            self._closed -= opened
        for room in opened:
            await self._notify_opened(room)
        await self.open_ready()

    async def open_ready(self) -> None:
        """Opens for writing the closed rooms that wait neither for an item nor for a device, and notifies their
        members. ▲ A room also waits while its last position is below a receipt (this server's signature on a position)
        that a device presented at sign-in. That device may be unable to prove the receipt before others have uploaded
        the items below it; if the room opened then, new items would take its positions."""
        if not self._closed:
            return
        opened: list[bytes] = []
        try:
            async with self._changing:
                for room in await self._store.openable_rooms():
                    if room in self._closed and await self._store.open_if_ready(room):
                        self._closed.discard(room)
                        opened.append(room)
        finally:
            for room in opened:
                await self._notify_opened(room)

    async def _notify_opened(self, room: bytes) -> None:
        log.info("a room is open again, closed still: %d", len(self._closed))
        live = await self._find(room)
        if live is not None:
            await self._notify_members(live, opened=True)

    async def _notify_members(self, live: LiveRoom, *, opened: bool = False) -> None:
        frame = RestoreProgress(live.head, await self._store.awaited_until(live.head.room), opened)
        for uid in list(live.stream.members):
            self._hub.notify_person(Uid(uid), frame)


def _items(stubs: _Stubs) -> list[AwaitedItem]:
    rows = enumerate(STUB.iter_unpack(stubs.data), start=stubs.after + 1)
    return [AwaitedItem(n=n, t=t, kind=kind, id=ident) for n, (t, kind, ident) in rows]


def _chained(stubs: _Stubs, rh: bytes, head_n: int) -> tuple[bytes | None, bytes]:
    """Computes the running hashes of the stubs, a device's list of a room's items. A running hash covers all items up
    to its position; `rh` is the one at the position before the stubs. Returns (the hash at the position `head_n`, the
    hash at the last stub). The former is None if `head_n` is not the position of a stub, also if it is the one just
    before them. The caller compares both with what the server has signed."""
    through: bytes | None = None
    for n, (t, kind, ident) in enumerate(STUB.iter_unpack(stubs.data), start=stubs.after + 1):
        rh = next_rh(rh, n, t, kind, ident)
        if n == head_n:
            through = rh
    return through, rh


def _units(items: Sequence[Item]) -> list[list[Item]]:
    """Cuts items into the units in which they are judged, in order: single entries and whole batches. Leaves out a
    batch that is cut off at the end; the client uploads it again in its next frame. [] if nothing is whole."""
    out: list[list[Item]] = []
    unit: list[Item] = []
    for item in items:
        unit.append(item)
        if item.kind == ENTRY or item.sig:
            out.append(unit)
            unit = []
    return out
