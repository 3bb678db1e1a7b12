# SPDX-License-Identifier: EUPL-1.2
"""What the client sends to the server: pending changes are encrypted at flush, stored, and sent until acknowledged
(protocol §7)."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence

from sync.client.exchange.extras import Extra, Extras
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.link import Link
from sync.client.ports import PendingChange, SealedBatch
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wakeup import woken
from sync.errors import NeedLog, Refused, Reject
from sync.ids import Hash, ObjId, RoomId
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import ENTRY, Item
from sync.trust.room import envelope
from sync.trust.room.entry_drafts import Draft, Drafter
from sync.trust.room.envelope import PlainOp

log = logging.getLogger("sync")

BATCH_ROWS = 1024
BATCH_OPS = 64
BATCH_BYTES = 512 * 1024
PACK_BYTES = 32 * 1024
"""Changes of one object that are flushed together share an envelope up to this size."""
SHARED_FLUSH_S = 0.25
QUIET_FLUSH_S = 2.0
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
RESTORED_JUMP = 2**16
"""How far dev_seq jumps in a store that was set back: more than a device signs in a room between two backups."""


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
        self.shared: set[ObjId] = set()
        """Objects that another member has open now: their edits are sent every 250 ms."""
        self._flushed_at: dict[ObjId, float] = {}
        self._retry_at: dict[RoomId, float] = {}
        self._refusals: dict[RoomId, int] = {}
        self._rotate_at: dict[RoomId, float] = {}
        self._wake_at: float | None = None
        self._own_ahead: dict[RoomId, int] = {}
        self._rotations: dict[RoomId, int] = {}
        self._extras = Extras()

    def send_beside(self, room: RoomId, extras: Sequence[Extra]) -> None:
        """Queues `extras`, envelopes that are no changes of the person's (a snapshot's pieces, an attest, a heartbeat),
        for `room`. They are sent when no written change is due. Those that the server refuses for good, and those whose
        key this device lacks, are dropped. Those that are not encrypted when the program ends are lost: the part that
        made them checks again what is needed."""
        self._extras.add(room, extras)
        self._link.outbox_work.set()

    async def work(self) -> None:
        """Whenever something is to be sent: begins the new keys that rooms need, then sends the batches of each room.
        Runs until it is cancelled with the connection."""
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
                batch = self._seal_next(room)
            if batch is None or not await self._push(room, batch):
                return

    # -- encrypting -----------------------------------------------------------------------------------------------

    def _ready(self, room: RoomSync) -> bool:
        """Whether a batch for `room` may be encrypted now: nothing stops the room or holds back what is sent there;
        everything that the server announced is read, also this device's own last batch; no new key is due; this device
        has the newest key; and this person is a member. Whether they may write is not checked here."""
        return room.may_send and not room.stream.rotation_owed and not room.keys.needs_key and room.is_member

    def _seal_next(self, room: RoomSync) -> SealedBatch | None:
        log_ = self._link.book.log(self._link.account.uid)
        if log_ is None or not self._ready(room):
            return None
        rows = self._due(self._pending(room)) if room.may_write else []
        ops, shares, used = self._pack(room, rows)
        ops = ops or self._extras.pack(room, BATCH_BYTES)
        if not ops:
            return None
        first_seq = self._next_seq(room)
        author = self._link.account.author(log_)
        stream = room.stream
        prev = stream.next_prev(author.uid, author.dev)
        sealed = envelope.encrypt_batch(author, room.room, stream.epoch, (stream.n, stream.rh), first_seq, prev, ops)
        batch = SealedBatch(
            room=room.room,
            first_seq=first_seq,
            last_id=sealed.last_id,
            bodies=sealed.bodies,
            cts=sealed.cts,
            sig=sealed.sig,
            shares=tuple(shares.items()),
            rows=tuple(used),
        )
        self._own_ahead[room.room] = first_seq + len(ops) - 1
        self._link.ports.put_sealed(batch)
        return batch

    def _pending(self, room: RoomSync) -> list[PendingChange]:
        """The oldest of the outbox rows of `room` (changes of the person) that are not encrypted yet, oldest first; []
        if there are none. Reads BATCH_ROWS rows, and more only while all of them are left out. ▲ A row of an object
        that has been destroyed since is not sent (left out), and delays no other row."""
        gone, limit = room.stream.state.destroyed, BATCH_ROWS
        while True:
            rows = self._link.ports.pending_in(room.room, limit)
            left = [row for row in rows if row.obj not in gone]
            if left or len(rows) < limit:
                return left
            limit *= 4

    def _next_seq(self, room: RoomSync) -> int:
        """▲ The sequence number (dev_seq) for this device's next envelope in `room`, such that no number is signed
        twice: one above every number that this store ever signed there. If the room shows own items that this store
        never signed, the store is an old copy (restored from a backup). The number is then RESTORED_JUMP above the
        highest one shown, beyond whatever the lost store may have signed."""
        signed = self._own_ahead.get(room.room) or self._link.ports.burned(room.room)
        return signed + 1 if signed >= room.own_seq else room.own_seq + RESTORED_JUMP

    def _due(self, rows: Sequence[PendingChange]) -> list[PendingChange]:
        """Those of `rows` that are to be sent now, in their order: edits of an object that is edited live at once, then
        every 250 ms while another member has the object open, and every 2 s otherwise; all other changes always. The
        edits that are returned count as sent at the time of this call. Notes when the rest is due."""
        now = asyncio.get_running_loop().time()
        due: dict[ObjId, bool] = {}
        out = []
        for row in rows:
            if row.live:
                if row.obj not in due:
                    wait_s = SHARED_FLUSH_S if row.obj in self.shared else QUIET_FLUSH_S
                    at = self._flushed_at.get(row.obj, 0.0) + wait_s
                    due[row.obj] = at <= now
                    if at > now:
                        self._later(at)
                if not due[row.obj]:
                    continue
            out.append(row)
        for obj, is_due in due.items():
            if is_due:
                self._flushed_at[obj] = now
        return out

    def _pack(
        self, room: RoomSync, rows: Sequence[PendingChange]
    ) -> tuple[list[PlainOp], dict[ObjId, bytes], list[int]]:
        """Packs `rows`, the outbox rows to send, into envelopes to encrypt: neighbouring changes of one object share
        one. Returns (the envelopes, the new objects with the secret drawn for each, the numbers of the rows that are in
        the envelopes). Rows beyond the size of a batch, and rows whose key is missing here, are left for later."""
        groups: list[list[PendingChange]] = []
        size = packed = 0
        for row in rows:
            size += len(row.payload)
            first = groups[-1][0] if groups else None
            joins = (
                first is not None
                and (first.obj, first.baseline) == (row.obj, row.baseline)
                and packed + len(row.payload) <= PACK_BYTES
            )
            if (not joins and len(groups) >= BATCH_OPS) or (groups and size > BATCH_BYTES):
                break
            if joins:
                groups[-1].append(row)
                packed += len(row.payload)
            else:
                groups.append([row])
                packed = len(row.payload)
        ops: list[PlainOp] = []
        shares: dict[ObjId, bytes] = {}
        used: list[int] = []
        for group in groups:
            op = self._op(room, group, shares)
            if op is not None:
                ops.append(op)
                used += [row.row for row in group]
        return ops, shares, used

    def _op(self, room: RoomSync, group: list[PendingChange], shares: dict[ObjId, bytes]) -> PlainOp | None:
        obj = group[0].obj
        payload = envelope.pack([(row.change_id, row.payload) for row in group])
        share_c = b""
        if obj in shares:
            key = room.keys.key_with(obj, shares[obj])
        elif obj == ObjId(room.room) or obj in room.stream.state.shares:
            key = room.keys.content_key(obj)
            if room.keys.lacks_share(obj):
                self._pull_again(room)
        else:
            share = shares[obj] = self._link.ports.share(room.room, obj) or os.urandom(32)
            share_c = envelope.share_commitment(room.room, obj, share)
            key = room.keys.key_with(obj, share)
        kind = envelope.BASELINE if group[0].baseline else envelope.OP
        return PlainOp(obj, key, share_c, payload, kind) if key is not None else None

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
        shares = [m.WireShare(obj, share) for obj, share in batch.shares]
        bodies, cts = list(batch.bodies), list(batch.cts)
        try:
            placed = await self._link.online.request(
                lambda rid: m.Push(rid=rid, room=room.room, bodies=bodies, cts=cts, sig=batch.sig, shares=shares),
                m.Placed,
            )
        except Refused as e:
            return self._refused(room, batch, e)
        receipt = self._verifier.placed(room, placed, len(bodies))
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
        the same bytes can be sent again (_SAME_BYTES) or syncing cures the refusal ("stale", "rotation-owed"). The
        person sees the code, for those two only from the SHOW_AFTER-th refusal in a row."""
        log.info("push refused: %s", why.code)
        if not batch.rows and why.code in _NOT_AGAIN:
            self._link.ports.unseal(batch)
            self._extras.drop_packed(room.room)
            return room.may_send
        passing = why.code in (ErrorCode.STALE, ErrorCode.ROTATION_OWED)
        if not passing or self._refusals.get(room.room, 0) + 1 >= SHOW_AFTER:
            room.block(why.code)
        if why.code not in _SAME_BYTES:  # after those the same bytes are sent again
            self._link.ports.unseal(batch)
            if not batch.rows:
                (self._extras.queue_again if passing else self._extras.drop_packed)(room.room)
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


def _next_try(first_s: float, times: int) -> float:
    """When to try again (the loop's clock) after `times` refusals in a row. The pause is `first_s` after the first one,
    twice as long after each further one, and LONGEST_S at most."""
    wait_s: float = min(LONGEST_S, first_s * 2 ** min(times - 1, 16))
    return asyncio.get_running_loop().time() + wait_s
