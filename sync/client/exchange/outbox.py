# SPDX-License-Identifier: EUPL-1.2
"""What the client sends to the server: batches of pending changes, which are sent until acknowledged (protocol §7), and
new keys. How a batch is made is in batch_maker.py."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from sync.client.exchange.batch_maker import BatchMaker
from sync.client.exchange.extras import Extra, Extras
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.link import Link
from sync.client.ports import PendingChange, SealedBatch
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wakeup import woken
from sync.client.wire.connection import Connection, SentRequest
from sync.errors import NeedLog, Refused, Reject
from sync.ids import Hash, RoomId
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import ENTRY, Item
from sync.trust.room.entry_drafts import Draft, Drafter

log = logging.getLogger("sync")

ECHO_S = 10.0
"""How long the room's stream may take to show what the server has acknowledged, before it is pulled."""
SOON_S = 0.05
RETRY_S = 2.0
LONGEST_S = 60.0
"""The pause after a refusal is SOON_S when syncing cures it (`stale`, `rotation-owed`), and RETRY_S otherwise. It
doubles each time up to LONGEST_S, until a batch is taken. So a server that always refuses is asked once a minute."""
_SAME_BYTES = (ErrorCode.QUOTA, ErrorCode.BUSY, ErrorCode.FULL, ErrorCode.INTERNAL, ErrorCode.CLOSED)
"""After these the same bytes are sent again."""
_NOT_AGAIN = (ErrorCode.INVALID, ErrorCode.QUOTA)
"""After these a snapshot or an attest is dropped: others attested first, or the device's share of a total is used up.
Written changes must not wait behind it."""
SHOW_AFTER = 3
"""The number of refusals in a row after which the person sees even `stale`."""
SEALS_A_FRAME = 512


class Outbox:
    """Encrypts and sends what this device has to send in its rooms, and begins the new key that a room needs, for
    example after a member left. One `work` task at a time; one batch of each room under way."""

    def __init__(self, link: Link, verifier: ReceiptVerifier, pull_again: Callable[[RoomSync], None]) -> None:
        """Makes the outbox of one account. `link` has the account's store, rooms and connection. `verifier` checks the
        server's receipts for what was sent. `pull_again` is called with a room that is to be read from the server
        again, and only queues it."""
        self._link = link
        self._verifier = verifier
        self._pull_again = pull_again
        self._retry_at: dict[RoomId, float] = {}
        self._refusals: dict[RoomId, int] = {}
        self._rotate_at: dict[RoomId, float] = {}
        self._wake_at: float | None = None
        self._sent: dict[RoomId, tuple[Connection, SealedBatch, SentRequest]] = {}
        """By room, a batch that was sent right after its commit, and whose answer `work` has not waited for yet. One
        transaction may have written such a batch in each of several rooms."""
        self._rotations: dict[RoomId, int] = {}
        self._extras = Extras()
        self.maker = BatchMaker(link, self._extras, pull_again, self._later)

    def send_beside(self, room: RoomId, extras: Sequence[Extra]) -> None:
        """Queues `extras`, envelopes that are no changes of the person's (a snapshot's pieces, an attest, a heartbeat),
        for `room`. They are sent when no written change is due. Those that the server refuses for good, and those whose
        key this device lacks, are dropped. Those that are not encrypted when the program ends are lost: the part that
        made them checks again what is needed."""
        self._extras.add(room, extras)
        self._link.outbox_work.set()

    async def work(self) -> None:
        """Whenever something is to be sent: begins the new keys that rooms need, then sends the batches of each room.
        Runs until it is cancelled with the connection. While it runs, the store has changes encrypted in the
        transaction that writes them, where that is possible (`BatchMaker.at_once`)."""
        self._sent.clear()
        self._link.ports.set_encrypter(self._encrypt_at_once)
        try:
            await self._work()
        finally:
            self._link.ports.set_encrypter(None)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            wait_s = None if self._wake_at is None else max(0.0, self._wake_at - loop.time())
            await woken(self._link.outbox_work, wait_s)
            self._wake_at = None
            await self._rotate_where_owed()
            work = dict.fromkeys([*self._link.ports.rooms_with_work(), *self._extras.rooms()])
            rooms = [self._link.rooms[r] for r in work if r in self._link.rooms]
            for room in rooms:
                with self._link.apart(room.room):
                    await self._flush(room)

    def _encrypt_at_once(self, room: RoomId, rows: Sequence[PendingChange]) -> Callable[[], None] | None:
        """See `OutboxPort.set_encrypter` and `BatchMaker.at_once`. Nothing is encrypted so after the server has refused
        a batch of the room."""
        found = self._link.rooms.get(room)
        if found is None or room in self._refusals:
            return None
        return self.maker.at_once(found, rows, self._send_at_once)

    def _send_at_once(self, batch: SealedBatch) -> None:
        """Sends `batch`, which was committed with its changes a moment ago, if the connection takes it without waiting,
        and wakes `work`, which waits for the answer, or sends the batch if that was not possible. So the batch is sent
        before the tools are notified of the commit."""
        self._link.outbox_work.set()
        if self._link.connection is not None:
            sent = self._link.connection.request_at_once(partial(_push_frame, batch))
            if sent is not None:
                self._sent[batch.room] = self._link.connection, batch, sent

    def _later(self, at: float) -> None:
        self._wake_at = at if self._wake_at is None else min(self._wake_at, at)

    async def _flush(self, room: RoomSync) -> None:
        """Sends the batches of `room` one after the other until none is left, or until the room is stopped, or must
        first be read, get a new key, or wait after a refusal. Unreachable or Reject as `_push` raises them."""
        loop = asyncio.get_running_loop()
        if self._retry_at.get(room.room, 0.0) > loop.time():
            self._later(self._retry_at[room.room])
            return
        while room.may_send:  # ▲ an encrypted batch waits too until the head is confirmed
            batch = self._link.ports.sealed(room.room)
            if batch is None:
                batch = self.maker.next_batch(room)
            if batch is None or not await self._push(room, batch):
                return

    # -- sending --------------------------------------------------------------------------------------------------

    async def _push(self, room: RoomSync, batch: SealedBatch) -> bool:
        """Sends `batch`. True if the next batch may be encrypted: the server has this one and our own stream of `room`
        shows it, or it was dropped (`_refused`). False if the room must wait or is stopped: the server refused the
        batch, the stream does not show it in time, or it has no effect where it was placed (its changes are then
        pending again). If the stream shows other items there, the room is stopped as WITHHELD. Unreachable; Reject for
        an answer that is malformed or not signed.

        ▲ Only when the stream shows it does the batch leave the outbox. A server may answer for positions that hold
        another author's items, or give ours a position at which they have no effect by the room's rules: what was
        written would then reach nobody, and its author would not know.
        """
        try:
            placed = await self._placed(batch)
        except Refused as e:
            return self._refused(room, batch, e)
        receipt = self._verifier.placed(room, placed, len(batch.bodies))
        self._link.ports.put_receipts([receipt] if receipt else [])
        if room.problem is not None:
            return False
        room.announce(placed.receipt.n)
        if not await self._echoed(room, placed.receipt.n):
            return False
        if not room.has_own(batch.first_seq + len(batch.bodies) - 1, placed.receipt.n):
            self._verifier.stop(room, RoomState.WITHHELD, "not placed")
            return False
        shown = self._link.ports.shown(batch, placed.first)
        self._extras.drop_packed(room.room)
        if not shown:
            self._wait(room, SOON_S)
            return False
        self._refusals.pop(room.room, None)
        if room.unblock():
            self._link.listener.on_room(room.room)
        self._link.listener.on_status()
        return room.may_send

    async def _placed(self, batch: SealedBatch) -> m.Placed:
        """The server's answer to `batch`, which is sent now unless `_send_at_once` has sent it on this connection."""
        online, sent = self._link.online, self._sent.pop(batch.room, None)
        if sent is not None and sent[0] is online and sent[1] == batch:
            return await online.reply_to(sent[2], m.Placed)
        return await online.request(partial(_push_frame, batch), m.Placed)

    async def _echoed(self, room: RoomSync, n: int) -> bool:
        """After the server has acknowledged this device's items up to position `n` of `room`: waits until this device
        has received and stored the room up to there, and returns True. False if that takes longer than ECHO_S seconds
        (the room is then pulled), or the room is stopped. A server that withholds the position delays the other rooms
        by no more than that."""
        try:
            async with asyncio.timeout(ECHO_S):
                while room.kept_n < n and room.problem is None:
                    await self._link.moved.wait()
        except TimeoutError:
            self._pull_again(room)
        return room.kept_n >= n and room.problem is None

    def _refused(self, room: RoomSync, batch: SealedBatch, why: Refused) -> bool:
        """The server refused `batch` of `room`, with `why`. A batch with changes that the person wrote is never
        dropped: it is sent again after a pause, its changes encrypted again if needed. Any other batch (a snapshot, an
        attest, a heartbeat) is dropped after a code in _NOT_AGAIN; then returns True if the room continues at once with
        the next batch. In all other cases returns False, and the room pauses. Such a batch is then dropped too, unless
        the same bytes can be sent again (_SAME_BYTES) or syncing cures the refusal ("stale", "rotation-owed").
        Heartbeats that were dropped with something else are sent again. The person sees the code, for "stale" and
        "rotation-owed" only from the SHOW_AFTER-th refusal in a row."""
        log.info("push refused: %s", why.code)
        if not batch.rows and why.code in _NOT_AGAIN:
            self._link.ports.unseal(batch)
            self._extras.drop_refused(room.room)
            return room.may_send
        passing = why.code in (ErrorCode.STALE, ErrorCode.ROTATION_OWED)
        if not passing or self._refusals.get(room.room, 0) + 1 >= SHOW_AFTER:
            room.block(why.code)
        if why.code not in _SAME_BYTES:  # after those the same bytes are sent again
            self._link.ports.unseal(batch)
            if not batch.rows:
                (self._extras.queue_again if passing else self._extras.drop_refused)(room.room)
        if passing:
            self._pull_again(room)
        self._wait(room, SOON_S if passing else RETRY_S)
        self._link.listener.on_room(room.room)
        return False

    def opened(self, room: RoomSync) -> None:
        """The server accepts writes in `room` again after a restore recovery: ends the pauses after refusals, and
        waiting batches are sent at once."""
        for waits in (self._retry_at, self._refusals, self._rotate_at, self._rotations):
            waits.pop(room.room, None)
        room.unblock()
        self._link.listener.on_room(room.room)
        self._link.outbox_work.set()

    def _wait(self, room: RoomSync, first_s: float) -> None:
        """Sets the time at which the batch of `room`, which the server refused or placed where it has no effect, is
        tried again. The pause is `first_s` seconds at first, and doubles each time up to LONGEST_S, until a batch is
        taken."""
        times = self._refusals[room.room] = self._refusals.get(room.room, 0) + 1
        self._retry_at[room.room] = _next_try(first_s, times)
        self._later(self._retry_at[room.room])

    # -- rotation -------------------------------------------------------------------------------------------------

    async def _rotate_where_owed(self) -> None:
        """▲ Begins a new key ("rotates") in each room that owes one because a member left or lost a role or a device:
        the first connected writer does it, before anything new is written. A refusal is logged, and tried again after a
        pause that grows. Other errors of `rotate` are raised."""
        for room in list(self._link.rooms.values()):
            if not (room.may_send and room.may_write and room.stream.rotation_owed and room.stream.epoch):
                continue
            if self._rotate_at.get(room.room, 0.0) > asyncio.get_running_loop().time():
                self._later(self._rotate_at[room.room])
                continue
            try:
                with self._link.apart(room.room):
                    await self.rotate(room)
                self._rotations.pop(room.room, None)
            except Refused as e:
                log.info("rotation refused: %s", e.code)
                times = self._rotations[room.room] = self._rotations.get(room.room, 0) + 1
                self._rotate_at[room.room] = _next_try(RETRY_S, times)
                self._later(self._rotate_at[room.room])

    async def rotate(self, room: RoomSync) -> None:
        """Begins a new epoch, that is, a new key, in `room`, sealed to its present members. Refused if the server does
        not take the entry, "unknown-user" if this person's own key log is not here, "need-log" if a member's is not,
        "forbidden" if this person may not begin an epoch. Reject if the server's reply breaks a rule. Unreachable.
        Nothing is tried again.

        ▲ What stops the draft concerns this room alone. As a Reject or NeedLog it would end the session, and the next
        ones, for all rooms.
        """
        try:
            await self._link.load_logs(room)
            draft = await asyncio.to_thread(self.drafter(room).rotate)
        except (Reject, NeedLog) as e:
            raise Refused(e.code, "rotation") from e
        await self.append(room, draft)

    def drafter(self, room: RoomSync) -> Drafter:
        """A Drafter, which makes and signs this person's entries for the log of `room` in its current state. Refused
        "unknown-user" if this person's own key log is not here."""
        log_ = self._link.book.log(self._link.account.uid)
        if log_ is None:
            raise Refused(ErrorCode.UNKNOWN_USER)
        author = self._link.account.author(log_)
        return Drafter(room.stream, author, self._link.book, room.keys.ring, self._link.server_now_ms)

    async def append(self, room: RoomSync, draft: Draft) -> None:
        """Uploads the seals of `draft` (a new key, sealed to each member) and appends its entries to the log of `room`.
        If the draft has a new epoch, keeps that epoch's keys in memory until the room shows whether the epoch is valid.
        Stores the entries that the server placed, in case it loses them. Does not wait until this device has read them.
        Refused with the server's code: "conflict" if the room has changed since the draft was made (the caller drafts
        again), or another. Reject for an answer that is malformed or not signed; Unreachable. A receipt that
        contradicts our copy stops the room, and nothing is raised."""
        online = self._link.online
        root = draft.root
        if root is not None:
            for at in range(0, len(draft.seals), SEALS_A_FRAME):
                await self._put_seals(room.room, root, at, draft.seals[at : at + SEALS_A_FRAME])
        entries = [m.Signed(body, sig) for body, sig in draft.entries]
        if draft.secrets is not None:
            e, k, a = draft.secrets
            room.keys.drafted[e] = (k, a)
        placed = await online.request(lambda rid: m.Append(rid=rid, room=room.room, entries=entries), m.Placed)
        receipt = self._verifier.placed(room, placed, len(entries))
        # ▲ Nobody else may ever have seen them, and a server that loses them must get them back. The receipt is stored
        # in any case: in memory it is kept already.
        items = [
            Item(n, placed.receipt.t, ENTRY, body, sig, None)
            for n, (body, sig) in enumerate(draft.entries, start=placed.first)
            if n > room.kept_n  # ▲ a verified item is not replaced
        ]
        self._link.ports.put_placed(room.room, items if room.problem is None else [], receipt)
        room.announce(placed.receipt.n)

    async def _put_seals(self, room: RoomId, root: Hash, start: int, seals: list[bytes]) -> None:
        await self._link.online.request(
            lambda rid: m.PutSeals(rid=rid, room=room, root=root, start=start, seals=seals), m.Ok
        )


def _push_frame(batch: SealedBatch, rid: int) -> m.Push:
    shares = [m.WireShare(obj, share) for obj, share in batch.shares]
    return m.Push(
        rid=rid, room=batch.room, bodies=list(batch.bodies), cts=list(batch.cts), sig=batch.sig, shares=shares
    )


def _next_try(first_s: float, times: int) -> float:
    """When to try again (the loop's clock) after `times` refusals in a row. The pause is `first_s` after the first one,
    twice as long after each further one, and LONGEST_S at most."""
    wait_s: float = min(LONGEST_S, first_s * 2 ** min(times - 1, 16))
    return asyncio.get_running_loop().time() + wait_s
