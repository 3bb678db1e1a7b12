# SPDX-License-Identifier: EUPL-1.2
"""Makes the batches that the outbox sends: which changes are due, how they are packed, numbered, encrypted and stored
(protocol §7). Sends nothing."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sync.client.exchange.extras import Extras
from sync.client.link import Link, of_one_room
from sync.client.ports import PendingChange, SealedBatch
from sync.client.room.room_sync import RoomSync
from sync.ids import ObjId
from sync.trust.person.author import Author
from sync.trust.room import envelope
from sync.trust.room.envelope import PlainOp

log = logging.getLogger("sync")

BATCH_ROWS = 1024
BATCH_OPS = 64
BATCH_BYTES = 512 * 1024
PACK_BYTES = 32 * 1024
"""Changes of one object that are flushed together share an envelope up to this size."""
SHARED_FLUSH_S = 0.25
QUIET_FLUSH_S = 2.0
RESTORED_JUMP = 2**16
"""How far dev_seq jumps in a store that was set back: more than a device signs in a room between two backups."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a batch is made of: its envelopes before encryption (`ops`), the secret drawn for each new object
    (`shares`), and the numbers of the outbox rows that are in the envelopes."""

    ops: list[PlainOp]
    shares: dict[ObjId, bytes] = field(repr=False)
    rows: list[int]


class BatchMaker:
    """Makes the batches of one account: encrypted and signed envelopes, under sequence numbers (dev_seq) that this
    device has not used. A batch is on the disk before it may be sent."""

    def __init__(
        self,
        link: Link,
        extras: Extras,
        pull_again: Callable[[RoomSync], None],
        later: Callable[[float], None],
    ) -> None:
        """`extras`: what is sent when no change is due. `pull_again` is called with a room that is to be read from the
        server again, `later` with the loop's time at which further changes are due; both only note it."""
        self._link = link
        self._extras = extras
        self._pull_again = pull_again
        self._later = later
        self.shared: set[ObjId] = set()
        """Objects that another member has open now: their edits are sent every 250 ms."""
        self._flushed_at: dict[ObjId, float] = {}

    def _ready(self, room: RoomSync) -> bool:
        """Whether a batch for `room` may be encrypted now: nothing stops the room or holds back what is sent there;
        everything that the server announced is read, also this device's own last batch; no new key is due; this device
        has the newest key; and this person is a member. Whether they may write is not checked here."""
        return room.may_send and not room.stream.rotation_owed and not room.keys.needs_key and room.is_member

    def next_batch(self, room: RoomSync) -> SealedBatch | None:
        """Makes the next batch of `room`, stores it in a transaction of its own, and returns it: of the changes that
        are due, or of the extras if none is. None if there is nothing, or if nothing may be encrypted there now. Raises
        what the store raises."""
        author = self._author(room)
        if author is None:
            return None
        rows, opened = self._due(self._pending(room)) if room.may_write else ([], set[ObjId]())
        self._note_flushed(opened)
        packed = self._pack(room, rows)
        if not packed.ops:
            packed = Packed(self._extras.pack(room, BATCH_BYTES), {}, [])
        if not packed.ops:
            return None
        batch = self._encrypt(author, room, packed)
        self._link.ports.put_sealed(batch)
        return batch

    def at_once(
        self, room: RoomSync, rows: Sequence[PendingChange], committed: Callable[[SealedBatch], None]
    ) -> Callable[[], None] | None:
        """Makes and stores the batch of `rows`, changes of `room` that the running transaction has just written, within
        that transaction; the outbox has nothing else (`OutboxPort.set_encrypter`). Returns a function to be called
        after the commit, which calls `committed` with the batch. None if no batch was made: the outbox's task makes it
        later, with `next_batch`. Raises what the store raises, such as a full disk; the transaction must then be rolled
        back.

        ▲ Only in a room of which this device has everything, that nothing stops and that needs no key. The number comes
        from the store and the chain from the verified stream. So a transaction that is rolled back gives both back.

        ▲ A fault of this program in encrypting is logged and not raised. Otherwise the person's change would be
        refused, though it is sound. The outbox's task encounters the same fault later, and stops the room.
        """
        author = self._author(room) if room.is_settled and room.may_write else None
        if author is None or any(row.obj in room.stream.state.destroyed for row in rows):
            return None
        try:
            due, opened = self._due(rows)
            packed = self._pack(room, due)
            batch = self._encrypt(author, room, packed) if packed.ops else None
        except Exception as e:
            if not of_one_room(e):
                raise
            log.error("room %s: a change is encrypted later", room.room[:4].hex(), exc_info=e)
            return None
        if batch is None:
            return None
        self._link.ports.put_sealed(batch)
        return partial(self._committed, batch, opened, committed)

    def _committed(self, batch: SealedBatch, opened: Iterable[ObjId], committed: Callable[[SealedBatch], None]) -> None:
        self._note_flushed(opened)
        committed(batch)

    def _author(self, room: RoomSync) -> Author | None:
        """This person as the author of items, if a batch for `room` may be encrypted now; None if not, or if this
        person's own key log is not here."""
        log_ = self._link.book.log(self._link.account.uid) if self._ready(room) else None
        return self._link.account.author(log_) if log_ is not None else None

    def _encrypt(self, author: Author, room: RoomSync, packed: Packed) -> SealedBatch:
        """Encrypts and signs what is packed, at least one envelope, as this device's next batch in `room`. Stores
        nothing."""
        first_seq, stream = self._next_seq(room), room.stream
        prev, seen = stream.next_prev(author.uid, author.dev), (stream.n, stream.rh)
        made = envelope.encrypt_batch(author, room.room, stream.epoch, seen, first_seq, prev, packed.ops)
        return SealedBatch(
            room=room.room,
            first_seq=first_seq,
            last_id=made.last_id,
            bodies=made.bodies,
            cts=made.cts,
            sig=made.sig,
            shares=tuple(packed.shares.items()),
            rows=tuple(packed.rows),
        )

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
        """▲ The sequence number (dev_seq) for this device's next envelope in `room`, such that no number is used for
        two envelopes: one above every number that this store has kept. It is read from the store each time: a
        transaction that was rolled back has given its numbers back, and one that was committed has not, whatever error
        its caller got. If the room shows own items that this store never signed, the store is an old copy (restored
        from a backup). The number is then RESTORED_JUMP above the highest one shown, beyond whatever the lost store may
        have signed."""
        signed = self._link.ports.burned(room.room)
        return signed + 1 if signed >= room.own_seq else room.own_seq + RESTORED_JUMP

    def _due(self, rows: Sequence[PendingChange]) -> tuple[list[PendingChange], set[ObjId]]:
        """(those of `rows` that are to be sent now, in their order; the objects that are edited live among them): edits
        of an object that is edited live at once, then every 250 ms while another member has the object open, and every
        2 s otherwise; all other changes always. Notes when the rest is due."""
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
        return out, {obj for obj, is_due in due.items() if is_due}

    def _note_flushed(self, objs: Iterable[ObjId]) -> None:
        """The edits of these objects, which are edited live, count as sent now."""
        self._flushed_at.update(dict.fromkeys(objs, asyncio.get_running_loop().time()))

    def _pack(self, room: RoomSync, rows: Sequence[PendingChange]) -> Packed:
        """Packs `rows`, the outbox rows to send, into envelopes to encrypt: neighbouring changes of one object share
        one. Rows beyond the size of a batch, and rows whose key is missing here, are left for later."""
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
        return Packed(ops, shares, used)

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
