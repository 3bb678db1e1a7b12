# SPDX-License-Identifier: EUPL-1.2
"""What the client receives from the server: fresh items, catching up in slices, and missing keys and shares."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from sync.client.exchange.backfill import Backfill
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.missing_shares import Shares
from sync.client.exchange.prefetch import Prefetch
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.exchange.reread import Rereading
from sync.client.exchange.room_invitations import Invitations
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.link import Link
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.errors import NeedLog, Refused, Reject
from sync.ids import DevId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import ENTRY, Item
from sync.trust.room.ephemeral import EphemeralMessage
from sync.trust.room.state_codec import STATE_TOO_LARGE
from sync.trust.room.stream import Accepted, AcceptedEntry

log = logging.getLogger("sync")

MAX_QUEUED = 256
MAX_QUEUED_BYTES = 8 * 1024 * 1024
"""Fresh frames that wait to be judged. Beyond this limit the room is pulled instead, so memory stays bounded."""
MAX_ROOMS = 10_000
"""The most rooms that a server can make this device follow."""
PIECE = 64
"""Items judged in one turn of the event loop, about 1.5 ms; a longer batch is judged whole."""
PIECE_BYTES = 96 * 1024
"""The same limit in bytes: a batch of packed edits may hold thousands of changes."""
BREATHE = 16
"""A longer piece is judged, opened and stored in one turn of the loop each."""
HEADS = 16
"""Rooms whose receipts are verified in one turn, 0.1 ms each."""
KEPT_MS = 90 * 86_400_000
KEPT_BYTES = 256 * 1024 * 1024
"""Items that are kept as they were received, for a server that loses them (protocol §10)."""
_LOG_TRIES = 64
_STRUCT = 256
"""Bytes of an item or a share beside its content."""


class Inbox:
    """Judges and stores what is received. One `work` task at a time."""

    def __init__(self, link: Link, verifier: ReceiptVerifier, seals: Seals, snapshots: Snapshots) -> None:
        self._link = link
        self._snapshots = snapshots
        self._verifier = verifier
        self._seals = seals
        self._shares = Shares(link)
        self._backfill = Backfill(link)
        self.rereading = Rereading(link, self._with_logs, snapshots, self._backfill.fetch_pruned)
        """Reads rooms again in the background."""
        self.invitations = Invitations(link, self._with_logs, self._follow)
        """Rooms that are not followed before the person has accepted."""
        self._fresh: deque[m.Fresh] = deque()
        self._fresh_bytes = 0
        self._behind: dict[RoomId, None] = {}
        """Rooms to pull, in FIFO order. A room that falls behind again goes to the end."""
        self._unsubscribed: set[RoomId] = set()
        self._prefetch = Prefetch(link)

    @property
    def idle(self) -> bool:
        return not self._fresh and not self._behind and self._shares.idle and self.invitations.idle

    def lacks(self, room: RoomSync) -> bool:
        """Whether changes were pruned before this device fetched them, and the server has not given the snapshot that
        replaces them."""
        return any(self._backfill.given_up(room.room, obj) for obj in room.incomplete)

    async def start(self, heads: list[m.RoomHead]) -> None:
        """Call it on a new connection: checks the head of every room that the server lists against this device's copy,
        some in a turn."""
        self._fresh.clear()
        self._fresh_bytes = 0
        self._prefetch.drop()
        self.rereading.start()
        self._backfill.start()
        listed = set()
        for room in self._link.rooms.values():
            room.reset_connection_state()
        for at, head in enumerate(heads, start=1):
            listed.add(RoomId(head.receipt.room))
            self._take_head(head)
            if at % HEADS == 0:
                await asyncio.sleep(0)
        self.invitations.start(listed)
        for room_id, room in self._link.rooms.items():
            if room_id not in listed and room.is_member:
                self._unsubscribed.add(room_id)
                self._behind[room_id] = None
        self._link.inbox_work.set()

    def follow(self, room: RoomSync) -> None:
        """Subscribes to a room that this person has just created, and pulls it."""
        self._unsubscribed.add(room.room)
        self.pull_again(room)

    def pull_again(self, room: RoomSync) -> None:
        """Queues the room to be pulled: another device was faster than what we know."""
        self._note_missing(room)
        self._link.inbox_work.set()

    def _note_missing(self, room: RoomSync) -> None:
        """Queues the room to be pulled. ▲ Drops a pull that is under way: it may lack the newest items."""
        self._behind[room.room] = None
        self._prefetch.drop(room.room)

    def _take_head(self, head: m.RoomHead) -> None:
        r = head.receipt
        if len(r.room) != 16:
            raise Reject("malformed", "head")
        if not self.invitations.takes(head):
            self._follow(head)

    def _follow(self, head: m.RoomHead) -> None:
        """Follows the room of a head: checks the head and queues the room to be pulled."""
        r = head.receipt
        if r.room not in self._link.rooms and len(self._link.rooms) >= MAX_ROOMS:
            log.warning("room limit reached")
            return
        room = self._link.room(RoomId(r.room))
        if room.problem is RoomState.UNREADABLE or not self._verifier.check_head(room, r):
            return
        room.announce(r.n)
        self._unsubscribed.add(room.room)
        self._behind[room.room] = None

    def recheck_head(self, room: RoomSync, r: m.Receipt) -> None:
        """Checks the head of a room at a restored server again. If the server has returned to the position it had
        promised, the room continues."""
        room.reset_connection_state()
        if self._verifier.check_head(room, r):
            room.announce(r.n)
            self._unsubscribed.add(room.room)
            self.pull_again(room)

    def on_frame(self, frame: m.ServerFrame) -> None:
        """Handles frames that are no replies, on the reader task; only queues work. ▲ Frames about a room without a
        signed head are ignored."""
        room = self._link.rooms.get(RoomId(frame.room)) if isinstance(frame, m.Fresh | m.Behind | m.Removed) else None
        if room is not None and self.invitations.holds(room):
            if isinstance(frame, m.Removed):
                self.invitations.drop(room.room)
            return
        if isinstance(frame, m.Fresh) and room is not None:
            if frame.items:
                room.announce(frame.items[-1].n)
            if len(self._fresh) < MAX_QUEUED and self._fresh_bytes < MAX_QUEUED_BYTES:
                self._fresh.append(frame)
                self._fresh_bytes += _size(frame)
            else:
                self._note_missing(room)
        elif isinstance(frame, m.Behind | m.Removed) and room is not None:
            room.announce(frame.n)
            self._note_missing(room)
        elif isinstance(frame, m.Removed):
            self.invitations.drop(RoomId(frame.room))
        elif isinstance(frame, m.Joined):
            self._take_head(frame.head)
        elif isinstance(frame, m.SharesWanted):
            self._shares.note(frame)
        elif isinstance(frame, m.Ephemeral):
            self._receive_ephemeral(frame)
            return
        self._link.inbox_work.set()

    def _receive_ephemeral(self, frame: m.Ephemeral) -> None:
        room = self._link.rooms.get(RoomId(frame.room))
        if room is None:
            return
        try:
            sender, payload = room.ephemerals.open(
                EphemeralMessage(frame.body, frame.sig, frame.ct), self._link.server_now_ms
            )
        except Reject as e:
            log.info("ephemeral dropped: %s", e.code)
            return
        self._link.listener.on_ephemeral(room.room, sender.uid, DevId(sender.dev), payload, sender.kind)

    async def work(self, on_idle: Callable[[], None]) -> None:
        """Runs until it is cancelled with the connection. `on_idle` is called whenever everything that was received is
        stored."""
        while True:
            await self._link.inbox_work.wait()
            self._link.inbox_work.clear()
            self.rereading.pause()
            while not self.idle:
                if not self._shares.idle:
                    await self._shares.give()
                elif self._fresh:
                    frame = self._fresh.popleft()
                    self._fresh_bytes -= _size(frame)
                    with self._link.apart(RoomId(frame.room)):
                        await self._take_fresh(frame)
                elif not self._behind:
                    await self._read_invitation()
                else:
                    await self._next_behind()
                self._verifier.keep(from_rooms=HEADS)
            self._verifier.keep()
            self.rereading.go_on()
            on_idle()

    async def _read_invitation(self) -> None:
        with self._link.apart(self.invitations.next):
            await self.invitations.read_next()

    async def _next_behind(self) -> None:
        """Catches up with one room, and reads one invitation at the same time: a new device has hundreds of rooms about
        which the person may have to be asked, and waits for the server at each."""
        room_id = next(iter(self._behind))
        del self._behind[room_id]
        reading = asyncio.create_task(self._read_invitation()) if not self.invitations.idle else None
        try:
            with self._link.apart(room_id):
                await self._catch_up(self._link.room(room_id))
            if reading is not None:
                await reading
        finally:
            if reading is not None and not reading.done():
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _take_fresh(self, frame: m.Fresh) -> None:
        room = self._link.room(RoomId(frame.room))
        if not frame.items and frame.shares and room.keys.missing_shares():
            await self._resolve(room, frame.shares)
        if room.problem is not None or not frame.items or frame.items[-1].n <= room.stream.n:
            return
        if self.invitations.holds(room):
            return
        if frame.items[0].n != room.stream.n + 1:
            self._note_missing(room)
            return
        if await self._take(room, frame.items, frame.shares, frame.receipt) and self._verifier.agrees(
            room, frame.receipt
        ):
            await self._after(room)

    async def _catch_up(self, room: RoomSync) -> None:
        """Pulls a room until its head, in slices. The next slice is pulled while one is judged."""
        if room.problem is not None or self.invitations.holds(room):
            return
        try:
            receipt = await self._pull_all(room)
        except Refused as e:
            log.info("pull refused: %s", e.code)
            if e.code == ErrorCode.UNKNOWN_ROOM and room.is_member:
                self._verifier.stop(room, self._verifier.why_less(room, 0), "rollback")
            return
        if receipt is not None and self._verifier.agrees(room, receipt):
            room.confirm_head()
            if room.room not in self._behind and all(f.room != room.room for f in self._fresh):
                room.forget_announced()
            await self._after(room, pulled=True)

    async def _pull_all(self, room: RoomSync) -> m.Receipt | None:
        """Pulls and judges the room until its head. Returns the server's receipt for the head; None if the room was
        stopped."""
        self._pull_ahead(room)
        after, headers_only = room.stream.n, room.headers_only
        pulled = await self._prefetch.pull(room.room, after, headers_only=headers_only)
        while pulled.items:
            if room.problem is not None:  # ▲ stopped meanwhile: a pull may have no end
                await self._store_judged(room)
                self._prefetch.drop(room.room)
                return None
            more, after = pulled.items[-1].n < pulled.receipt.n, pulled.items[-1].n
            if more:
                self._prefetch.start(room.room, after, headers_only=headers_only)
            else:
                self._pull_following()
            if not await self._take(room, pulled.items, pulled.shares, pulled.receipt):
                self._prefetch.drop(room.room)
                return None
            if not more:
                break
            pulled = await self._prefetch.pull(room.room, after, headers_only=headers_only)
        return pulled.receipt

    def _pull_following(self) -> None:
        following = next(iter(self._behind), None)
        if following is not None and following in self._link.rooms:
            self._pull_ahead(self._link.rooms[following])

    def _pull_ahead(self, room: RoomSync) -> None:
        """Starts to pull a room before it is that room's turn."""
        if room.problem is not None or self.invitations.holds(room):
            return
        if room.bootstrap_buffer is not None and room.stream.n == 0:
            room.choose_reading(long=room.head_n >= bootstrap_buffer.HEADERS_ONLY_FROM)
        self._prefetch.start(
            room.room, room.stream.n, headers_only=room.headers_only, first=partial(self._subscribe, room)
        )

    async def _subscribe(self, room: RoomSync) -> None:
        """Subscribes to the room. ▲ Before the pull: otherwise an item that is placed between the two would reach
        nobody."""
        if room.room not in self._unsubscribed:
            return
        try:
            await self._link.online.request(lambda rid: m.Subscribe(rid=rid, room=room.room), m.Ok)
        except Refused as e:
            log.info("subscribe refused: %s", e.code)
        self._unsubscribed.discard(room.room)

    async def _take(
        self, room: RoomSync, wire: list[m.WireItem], shares: list[m.WireShare], receipt: m.Receipt
    ) -> bool:
        """Judges, opens and stores a slice, piece by piece. False if the room was stopped, or passed to the
        invitations.

        ▲ Reading ends at the position at which this person left the room from another device. They may have been added
        again after it, and must then be asked before anything more of the room is read.
        """
        entries = left = False
        # ▲ The room counts as behind until the slice ends: only the last piece is flushed, and nothing is sent earlier.
        room.announce(wire[-1].n)
        since = self._link.server_now_ms - KEPT_MS
        me, owners = self._link.account.uid, room.stream.state.dev_owner
        for piece, more in _pieces(wire, me):
            heavy = any(i.kind == ENTRY for i in piece)
            try:
                self._verifier.check_promise(room, piece)
                if heavy:
                    await self._link.load_logs(room)
                accepted = await self._judge(room, piece)
            except Reject as e:
                await self._store_judged(room)  # the store keeps the reason only for a stream that it has
                await self._verifier.refuse(room, e, receipt, piece)
                return False
            entries = entries or heavy
            breathe = heavy or len(piece) > BREATHE
            with self._link.kept(room):
                if breathe:
                    await asyncio.sleep(0)
                # an item without content could not be uploaded again
                kept = [] if room.headers_only else [i for i in piece if i.t >= since]
                for received in room.open_all(accepted, shares, more=more, items=kept):
                    if breathe:
                        await asyncio.sleep(0)
                    await self._link.ports.receive_apart(received)
            if room.bootstrap_buffer is None:
                room.note_stored(accepted[-1].n)
            elif room.bootstrap_buffer.full:
                await self._bootstrap(room)
            self._seals.see(room, accepted)
            self._snapshots.see(room, accepted)
            if not room.is_member and _left(accepted[-1], me) and receipt.n > room.stream.n:
                left = self.invitations.left(room, receipt)
                if left:
                    break
        self._link.notify_moved()
        new_device = room.stream.state.dev_owner is not owners  # a person's first item: they accepted
        if (entries or new_device) and not room.keys.needs_key:  # without the key: once it is here or known missing
            self._link.listener.on_room(room.room)
        return not left

    async def _refill(self, room: RoomSync) -> None:
        """Asks again for content that was missing: the server may give it now."""
        for n in room.stream.withheld():
            try:
                shown = (await self._link.pull(room.room, n - 1)).items[:1]
            except Refused:
                return
            for i in shown:
                for received in room.refill(Item.of(i), n):
                    await self._link.ports.receive_apart(received)

    async def _judge(self, room: RoomSync, items: list[Item]) -> list[Accepted]:
        return await self._with_logs(lambda: room.judge(items), len(items))

    async def _with_logs(self, judge: Callable[[], list[Accepted]], count: int) -> list[Accepted]:
        """The verdicts of `judge`. User logs that are missing are fetched first. ▲ Reject "withheld" if one cannot be
        had."""
        for _ in range(_LOG_TRIES + count):
            try:
                return judge()
            except NeedLog as need:
                try:
                    found = await self._link.book.fetch(self._link.online, need.uid)
                except Refused as e:
                    raise Reject("withheld", "user log") from e
                if found.seq < need.seq:
                    raise Reject("withheld", "user log") from need
        raise Reject("withheld", "user logs")

    async def _after(self, room: RoomSync, *, pulled: bool = False) -> None:
        """The room is at a new position: fetches what is missing, and wakes the outbox. `pulled`: the room was pulled
        up to its head; then also asks again for keys that the server did not have before.

        ▲ Content that is missing although no destroy or prune explains it makes the room WITHHELD.
        """
        self._pull_following()
        found = False
        if room.bootstrap_buffer is not None:
            found = await self._seals.fetch_missing(room, retry=pulled)
            if not await self._bootstrap(room):
                return
        if room.caught_up and room.stream.withheld():
            await self._refill(room)
        if room.caught_up and room.stream.withheld():
            self._verifier.stop(room, RoomState.WITHHELD, "withheld")
            return
        found = await self._seals.fetch_missing(room, retry=pulled) or found
        if room.waiting:
            await self._resolve(room, [])  # first, since after a restart only trying shows what is missing
            if await self._seals.fetch_missing(room, retry=False):
                found = True
                await self._resolve(room, [])
        shares = await self._shares.ask(room)
        if shares:
            await self._resolve(room, shares)
        if found:
            self._backfill.allow_retry(room.room)
        if room.incomplete and room.caught_up:
            await self._backfill.fetch_pruned(room)
            if room.incomplete and await self._seals.fetch_missing(room, retry=False):  # the snapshot's key was missing
                self._backfill.allow_retry(room.room)
                await self._backfill.fetch_pruned(room)
        self.rereading.queue(room)
        self._link.outbox_work.set()

    async def _bootstrap(self, room: RoomSync) -> bool:
        """Completes a newcomer's first pull, or the part of it that is held: opens what it has keys for, and stores all
        of it. ▲ False if the server does not give the content of items that it has shown: the room is WITHHELD."""
        was_held = room.bootstrap_buffer is not None
        try:
            with self._link.kept(room):
                await self._backfill.bootstrap(room)
                for received in room.open_bootstrap_buffer():
                    await self._link.ports.receive_apart(received)
        except (Refused, Reject) as e:
            if isinstance(e, Reject) and (e.code, e.where) == STATE_TOO_LARGE:  # no lie of the server: see `Link.apart`
                raise
            self._verifier.stop(self._link.room(room.room), RoomState.WITHHELD, e.code)
            return False
        if was_held:
            room.record_alarm()
        self._link.notify_moved()
        return True

    async def _store_judged(self, room: RoomSync) -> None:
        """Stores the judged part of a newcomer's room; its content is left to be read again."""
        if not room.headers_only or not room.stream.n:
            await self._bootstrap(room)
            return
        with self._link.kept(room):
            await self._link.ports.receive_apart(room.finish_bootstrap(reread=True))
        room.record_alarm()
        self._link.notify_moved()

    async def _resolve(self, room: RoomSync, shares: list[m.WireShare]) -> None:
        """Opens waiting items, as far as they can be opened now."""
        with self._link.kept(room):
            for received in room.resolve(shares):
                await self._link.ports.receive_apart(received)
        self._link.listener.on_room(room.room)


def _size(frame: m.Fresh) -> int:
    """▲ About how many bytes a waiting frame holds in memory, the room's name and the shares included."""
    items = sum(len(i.body) + len(i.sig) + len(i.ct or b"") + _STRUCT for i in frame.items)
    return items + sum(len(s.obj) + len(s.share) + _STRUCT for s in frame.shares) + _STRUCT


def _left(item: Accepted, me: Uid) -> bool:
    return isinstance(item, AcceptedEntry) and item.void is None and item.entry.type == "leave" and item.entry.uid == me


def _may_leave(i: m.WireItem, me: Uid) -> bool:
    """Whether an item may be this person's `leave` entry. Judging decides; a wrong True only ends a piece early."""
    return i.kind == ENTRY and bytes(me) in i.body and b"leave" in i.body


def _pieces(wire: list[m.WireItem], me: Uid) -> Iterator[tuple[list[Item], bool]]:
    """Splits a slice of items into small pieces, so that one turn of the loop never judges a whole slice, and yields
    (piece, whether more follow). A piece ends at the first signature at which it has PIECE items or PIECE_BYTES of
    content; a batch under one signature is not divided. A piece also ends at an item that may be the `leave` entry of
    the person `me`, since reading ends there."""
    piece: list[Item] = []
    size = 0
    for at, i in enumerate(wire, start=1):
        piece.append(Item.of(i))
        size += len(i.ct or b"")
        if i.sig and (len(piece) >= PIECE or size >= PIECE_BYTES or _may_leave(i, me)):
            yield piece, at < len(wire)
            piece, size = [], 0
    if piece:
        yield piece, False
