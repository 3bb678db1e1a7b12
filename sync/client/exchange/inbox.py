# SPDX-License-Identifier: EUPL-1.2
"""What the client receives from the server: which room is read next, from fresh frames or by pulling slices.

How a slice is judged and stored is in slice_reader.py, what a room then still lacks in missing_content.py.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from sync.client.exchange.backfill import Backfill
from sync.client.exchange.missing_content import MissingContent
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.missing_logs import MissingLogs
from sync.client.exchange.missing_shares import Shares
from sync.client.exchange.prefetch import Prefetch
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.exchange.reread import Rereading
from sync.client.exchange.room_invitations import Invitations
from sync.client.exchange.slice_reader import SliceReader
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.exchange.subscriptions import Subscriptions
from sync.client.link import Link
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.errors import Refused, Reject
from sync.ids import DevId, RoomId
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.room.ephemeral import EphemeralMessage

log = logging.getLogger("sync")

MAX_QUEUED = 256
MAX_QUEUED_BYTES = 8 * 1024 * 1024
"""Fresh frames that wait to be judged. Beyond this limit the room is pulled instead, so memory stays bounded."""
MAX_ROOMS = 10_000
"""The most rooms that a server can make this device follow."""
HEADS = 16
"""The most rooms whose heads are verified, or that are confirmed, in one turn of the event loop: 0.1 ms each."""
_STRUCT = 256
"""Bytes of an item or a share beside its content."""


class Inbox:
    """Receives what the server sends of this account's rooms: queues it, pulls what is missing, and has one room after
    another verified ("judged") and stored. One `work` task at a time."""

    def __init__(self, link: Link, verifier: ReceiptVerifier, seals: Seals, snapshots: Snapshots) -> None:
        self._link = link
        self._verifier = verifier
        self._shares = Shares(link)
        self._backfill = Backfill(link)
        logs = MissingLogs(link)
        self.rereading = Rereading(link, logs.judge, snapshots, self._backfill.fetch_pruned)
        """Reads rooms again in the background."""
        self.invitations = Invitations(link, logs.judge, self._follow)
        """Rooms that are not followed before the person has accepted."""
        self._content = MissingContent(link, verifier, seals, self._shares, self._backfill)
        self.slices = SliceReader(link, verifier, seals, snapshots, logs, self._content, self.invitations)
        self._fresh: deque[m.Fresh] = deque()
        self._fresh_bytes = 0
        self._behind: dict[RoomId, None] = {}
        """Rooms to pull, in FIFO order. A room that falls behind again goes to the end."""
        self._unmoved: dict[RoomId, m.Receipt] = {}
        """Rooms whose signed head is our own last position, with that head: they are confirmed without a pull."""
        self._subscriptions = Subscriptions(link)
        self._prefetch = Prefetch(link)

    @property
    def idle(self) -> bool:
        rooms = self._fresh or self._unmoved or self._behind or self._to_subscribe()
        return not rooms and self._shares.idle and self.invitations.idle

    def lacks(self, room: RoomSync) -> bool:
        """Whether changes of `room` were pruned (deleted at the server) before this device fetched them, and the
        snapshot that replaces them could not be fetched or opened on this connection. The person then sees that
        something is missing."""
        return any(self._backfill.given_up(room.room, obj) for obj in room.incomplete)

    async def start(self, heads: list[m.RoomHead]) -> None:
        """Call it on a new connection: forgets what only the last connection showed, with the items that it sent and
        that are not verified yet (they are pulled). `heads`: for each room that the server lists, its signed last
        position. Each is compared with this device's copy: one that shows less, or another history, stops the room (as
        a rollback, restore or fork). Queues the listed rooms to be pulled, or to be confirmed where the head is this
        device's own last position; without those that were stopped, that this program cannot read, or that wait as
        invitations, and without new ones beyond MAX_ROOMS. Also queues the rooms of which this person is a member and
        that are not listed: their pull shows whether the server lost them. Reject if a head is malformed or not signed
        by the server."""
        self._fresh.clear()
        self._fresh_bytes = 0
        self._unmoved.clear()
        self._subscriptions.start()
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
                self._subscriptions.want(room_id)
                self._behind[room_id] = None
        self._link.inbox_work.set()

    def follow(self, room: RoomSync) -> None:
        """Queues `room`, which this person has just created, to be subscribed to and pulled."""
        self._subscriptions.want(room.room)
        self.pull_again(room)

    def pull_again(self, room: RoomSync) -> None:
        """Queues `room` to be pulled, and wakes the task that does it: the server has something newer than this device
        knows."""
        self._note_missing(room)
        self._link.inbox_work.set()

    def _note_missing(self, room: RoomSync) -> None:
        """Queues `room` to be pulled; the caller wakes the task that pulls. ▲ Drops a pull of it that was begun ahead
        and for which nobody waits yet, so that the room is pulled again: that pull may lack the newest items."""
        self._unmoved.pop(room.room, None)
        self._behind[room.room] = None
        self._prefetch.drop(room.room)

    def _take_head(self, head: m.RoomHead) -> None:
        r = head.receipt
        if len(r.room) != 16:
            raise Reject("malformed", "head")
        if not self.invitations.takes(head):
            self._follow(head)

    def _follow(self, head: m.RoomHead) -> None:
        """Begins or continues to follow the room of `head`, the server's signed last position: checks the head and
        queues the room to be pulled, or to be confirmed if the head is our own last position. Not queued are a room
        that the check stops (the head shows less than the server promised, or another history) and one that is stopped
        as UNREADABLE (this program could not read its state, or had a fault in it). Beyond MAX_ROOMS a new room is
        ignored. Reject if the head is not signed by the server."""
        r = head.receipt
        if r.room not in self._link.rooms and len(self._link.rooms) >= MAX_ROOMS:
            log.warning("room limit reached")
            return
        room = self._link.room(RoomId(r.room))
        if room.problem is RoomState.UNREADABLE or not self._verifier.check_head(room, r):
            return
        room.announce(r.n)
        self._subscriptions.want(room.room)
        if _is_own(room, r) and room.room not in self._behind:
            self._unmoved[room.room] = r
        else:
            self._behind[room.room] = None

    def recheck_head(self, room: RoomSync, r: m.Receipt) -> None:
        """Checks a room again at a restored server: `r` is the server's receipt for the last position of `room` now. If
        the server has returned to the position that it had promised, the room is pulled again, and continues once that
        confirms our history; otherwise it stays stopped. Reject if `r` is not signed by the server, or is of another
        room."""
        room.reset_connection_state()
        if self._verifier.check_head(room, r):
            room.announce(r.n)
            self._subscriptions.want(room.room)
            self.pull_again(room)

    def on_frame(self, frame: m.ServerFrame) -> None:
        """Handles `frame`, which the server sent without being asked, on the reader task: new items of a room, a notice
        that a room has newer items or that this person was added or removed, a request for objects' secrets that the
        server lost, or an ephemeral message (such as typing). Only queues work, but for two kinds: an ephemeral message
        is decrypted and passed on at once, or dropped if it is false; and when this person is added to a room that is
        followed without asking, the room's signed last position (head) is checked (Reject if it is not signed). Items
        beyond the queue's limit are dropped, and their room is pulled. ▲ Items of a room that this device does not
        follow are ignored: the server has not shown its head yet. So are items of a room that waits as an invitation; a
        removal drops the invitation."""
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
            opened = room.ephemerals.open(EphemeralMessage(frame.body, frame.sig, frame.ct), self._link.server_now_ms)
        except Reject as e:
            log.info("ephemeral dropped: %s", e.code)
            return
        if opened is not None:
            sender, payload = opened
            self._link.listener.on_ephemeral(
                room.room, sender.uid, DevId(sender.dev), payload, sender.kind, addressed=bool(sender.to)
            )

    async def work(self, on_idle: Callable[[], None]) -> None:
        """Reads what the server sent or announced of rooms, one room after another, and invitations that are due; also
        uploads again objects' secrets that the server lost. Runs until it is cancelled with the connection. `on_idle`
        is called, without arguments, whenever everything that was received is stored. The work ends with what `on_idle`
        raises, with Unreachable, and with Reject for an answer that is malformed or not signed. A fault of this program
        in one room stops that room alone."""
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
                elif wanted := self._to_subscribe():
                    await self._subscribe(wanted)
                elif self._unmoved:
                    await self._confirm_unmoved()
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
        """Pulls the next room that is behind up to the server's last position, and reads one invitation at the same
        time, if one is due. A new device has hundreds of both, and each waits for the server, so one after the other
        would take twice as long. Call it only while a room is behind. Unreachable, and Reject for an answer that is
        malformed or not signed; the reading of the invitation is then cancelled."""
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
            await self._content.resolve(room, frame.shares)
        if room.problem is not None or not frame.items or frame.items[-1].n <= room.stream.n:
            return
        if self.invitations.holds(room):
            return
        if frame.items[0].n != room.stream.n + 1:
            self._note_missing(room)
            return
        is_read = await self.slices.read(room, frame.items, frame.shares, frame.receipt, shows_first=not self._fresh)
        if is_read and self._verifier.agrees(room, frame.receipt):
            await self._after(room)

    async def _catch_up(self, room: RoomSync) -> None:
        """Pulls `room` up to the server's last position, in slices, then verifies that this is what the server signed.
        The next slice is pulled while one is verified. If all agrees, fetches what is still missing of its content and
        keys; if not, the room is stopped. If the server does not know a room of which this person is a member, the room
        is stopped, since the server must have lost it: as RESTORED if the server states a restore from a backup that
        explains it, and as ROLLBACK otherwise; any other refusal is only logged. Does nothing for a room that is
        stopped or waits as an invitation. Unreachable, and Reject for an answer that is malformed or not signed."""
        if room.problem is not None or self.invitations.holds(room):
            return
        try:
            receipt = await self._pull_all(room)
        except Refused as e:
            log.info("pull refused: %s", e.code)
            if e.code == ErrorCode.UNKNOWN_ROOM and room.is_member:
                self._verifier.stop(room, self._verifier.why_less(room, 0), "rollback")
            return
        if receipt is not None:
            await self._confirm(room, receipt)

    async def _confirm(self, room: RoomSync, receipt: m.Receipt) -> None:
        """Compares `room`, which is read up to the server's last position, with `receipt`, the server's signature on
        that position. If they agree, fetches what is still missing of the room's content and keys; if not, the room is
        stopped. Unreachable; Reject for a receipt that differs and is not signed."""
        if self._verifier.agrees(room, receipt):
            room.confirm_head()
            self._link.notify_confirmed()
            if room.room not in self._behind and all(f.room != room.room for f in self._fresh):
                room.forget_announced()
            await self._after(room, pulled=True)

    async def _confirm_unmoved(self) -> None:
        """Confirms some of the rooms in which nothing has moved, as if each were pulled and nothing newer had come. ▲
        Only a head that the server has signed for exactly our own position and history does this. The answer to a pull
        would be the same receipt, which the server may also repeat when there is something newer: a pull would show
        nothing more. A room that has moved since is pulled."""
        for room_id in list(self._unmoved)[:HEADS]:
            receipt = self._unmoved.pop(room_id)
            with self._link.apart(room_id):
                room = self._link.room(room_id)
                if room.problem is not None or self.invitations.holds(room):
                    continue
                if _is_own(room, receipt):
                    await self._confirm(room, receipt)
                else:
                    self._note_missing(room)
        await asyncio.sleep(0)

    async def _pull_all(self, room: RoomSync) -> m.Receipt | None:
        """Pulls, verifies and stores `room` up to the server's last position. Returns the server's receipt (signed
        statement) for that position, which the caller compares with what was verified; None if the room was stopped, or
        passed to the invitations (this person left it and was perhaps added again). Refused if the server refuses a
        pull, Reject for an answer that is none to the request, Unreachable if the connection is lost."""
        self._pull_ahead(room)
        after, headers_only = room.stream.n, room.headers_only
        pulled = await self._prefetch.pull(room.room, after, headers_only=headers_only)
        while pulled.items:
            if room.problem is not None:  # ▲ stopped meanwhile: a pull may have no end
                await self.slices.store_judged(room)
                self._prefetch.drop(room.room)
                return None
            more, after = pulled.items[-1].n < pulled.receipt.n, pulled.items[-1].n
            if more:
                self._prefetch.start(room.room, after, headers_only=headers_only)
            else:
                self._pull_following()
            if not await self.slices.read(room, pulled.items, pulled.shares, pulled.receipt):
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
        """Begins to pull `room` in the background, mostly while an earlier room is still read. First asks the server to
        send its new items at once (`_subscribe`). For a room that is new to this device it decides whether only headers
        are pulled: that is so in a long room (HEADERS_ONLY_FROM positions or more), of which the needed content is
        fetched later. Does nothing for a room that is stopped, or that waits as an invitation."""
        if room.problem is not None or self.invitations.holds(room):
            return
        if room.bootstrap_buffer is not None and room.stream.n == 0:
            room.choose_reading(long=room.head_n >= bootstrap_buffer.HEADERS_ONLY_FROM)
        self._prefetch.start(
            room.room, room.stream.n, headers_only=room.headers_only, first=partial(self._subscribe, [room.room])
        )

    def _to_subscribe(self) -> list[RoomId]:
        """The rooms whose new items the server is to be asked for: those that are read on this connection."""
        return [room for room in self._subscriptions.wanted if self._is_read(room)]

    def _is_read(self, room_id: RoomId) -> bool:
        room = self._link.rooms.get(room_id)
        return room is not None and room.problem is None and not self.invitations.holds(room)

    async def _subscribe(self, rooms: list[RoomId]) -> None:
        """Asks the server to send new items of `rooms` at once, if that is not done on this connection. A room that has
        another last position by the server's answer than its signed head is pulled, and not confirmed by that head.
        Unreachable if the connection is lost. ▲ Called before the room is pulled or confirmed. Otherwise an item that
        is placed between the two would be neither pulled nor sent to this device."""
        for room_id, n in (await self._subscriptions.ask(rooms)).items():
            if room_id in self._unmoved and n != self._unmoved[room_id].n:
                del self._unmoved[room_id]
                self._behind[room_id] = None

    async def _after(self, room: RoomSync, *, pulled: bool = False) -> None:
        """Call it when `room` is verified up to a new position. Begins to pull the next room in the background, and
        fetches what is missing of the content and keys of `room`. Unless that stops the room, wakes the outbox, and
        queues the room for `rereading` if older items of it are to be pulled and opened again (their keys came later,
        or only snapshots were read). `pulled`: the room was pulled up to the server's last position. Unreachable if the
        connection is lost."""
        self._pull_following()
        if await self._content.fetch(room, pulled=pulled):
            self.rereading.queue(room)
            self._link.outbox_work.set()


def _is_own(room: RoomSync, r: m.Receipt) -> bool:
    """▲ Whether `r`, a head whose signature was verified, is exactly the last position and history of `room` here, so
    that a pull would give nothing newer. A room that was held back after a rollback or a restore is pulled all the
    same, and so is one whose first reading is not complete."""
    own = (r.room, r.n, r.rh) == (room.room, room.stream.n, room.stream.rh)
    return own and not room.held_back and room.bootstrap_buffer is None


def _size(frame: m.Fresh) -> int:
    """▲ About how many bytes `frame` holds in memory while it waits in the inbox's queue, whose bytes are limited. A
    frame has new items of a room, as the server sent them, or shares (objects' secrets). The room's name and the shares
    are included."""
    items = sum(len(i.body) + len(i.sig) + len(i.ct or b"") + _STRUCT for i in frame.items)
    return items + sum(len(s.obj) + len(s.share) + _STRUCT for s in frame.shares) + _STRUCT
