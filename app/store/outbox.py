# SPDX-License-Identifier: EUPL-1.2
"""What is sent to the server: `OutboxPort`. A row for each change that the server does not have, a batch for each
sealed flush."""

from collections.abc import Callable, Sequence

import msgspec

from app.core import log
from app.core.ids import Hash, ObjId, RoomId
from app.errors import BugError
from app.store import statements as sql
from app.store.connection import Row
from app.store.database import Database
from app.store.newcomers import take_back
from app.store.rows import Flush, StoredChange
from sync.client.ports import EncryptAtOnce, PendingChange, SealedBatch

AT_ONCE_ROWS = 64
AT_ONCE_BYTES = 32 * 1024
"""The most changes, and bytes of them together, that are encrypted in the transaction that writes them: about 1 ms of
the same turn of the event loop."""
_encoder = msgspec.msgpack.Encoder()
_blobs = msgspec.msgpack.Decoder(tuple[bytes, ...])
_shares = msgspec.msgpack.Decoder(tuple[tuple[bytes, bytes], ...])


class Outbox:
    """What this device still has to send: a row for each change that the server does not have, and a batch for each set
    of changes that was encrypted and signed together. Every method is one transaction."""

    def __init__(self, db: Database, waiting_changed: Callable[[], None]) -> None:
        self._db = db
        self._changed = waiting_changed
        self._encrypt_at_once: EncryptAtOnce | None = None

    def set_encrypter(self, encrypt: EncryptAtOnce | None) -> None:
        """Has `encrypt` called with the changes that a transaction has written, right before it is committed, so that
        they are encrypted in the same transaction; see `OutboxPort.set_encrypter`. It is called once for each room, and
        only if the outbox has nothing else."""
        self._encrypt_at_once = encrypt

    def add(self, change: StoredChange, flush: Flush, parts: Sequence[bytes]) -> None:
        """Adds a change that was just stored, in the caller's transaction. `parts`: the file parts that must be
        uploaded before it is sent."""
        conn = self._db.conn
        conn.execute(sql.ADD_OUTBOX, (change.rowid, change.room, change.obj, flush))
        if parts:
            conn.executemany(sql.ADD_OUTBOX_PART, [(change.rowid, part) for part in dict.fromkeys(parts)])
            conn.execute(sql.COUNT_HELD, (change.rowid,))
        if self._encrypt_at_once is not None:
            row = (change.rowid, change.room, change.obj, change.change_id, change.data, flush)
            self._db.before_commit(self._encrypt_written, _pending(row))

    def _encrypt_written(self, written: list[PendingChange]) -> None:
        """Has the changes that the running transaction has written encrypted within it, each room's apart. ▲ Only if
        the outbox has nothing else: no batch, no older change, and none that waits for a file. Otherwise a change could
        overtake one that was written before it."""
        encrypt = self._encrypt_at_once
        size = sum(len(row.payload) for row in written)
        if encrypt is None or len(written) > AT_ONCE_ROWS or size > AT_ONCE_BYTES:
            return
        if any(row.baseline for row in written) or self._has_other(written):
            return
        by_room: dict[RoomId, list[PendingChange]] = {}
        for row in written:
            by_room.setdefault(row.room, []).append(row)
        for room, rows in by_room.items():
            committed = encrypt(room, rows)
            if committed is not None:
                self._db.after_commit(committed, first=True)

    def _has_other(self, written: Sequence[PendingChange]) -> bool:
        if self._db.conn.execute("SELECT 1 FROM batches LIMIT 1").fetchone() is not None:
            return True
        rows = self._db.conn.execute("SELECT row, held FROM outbox LIMIT ?", (len(written) + 1,)).fetchall()
        return {(row.row, 0) for row in written} != set(rows)

    def pending(self, limit: int) -> list[PendingChange]:
        """At most `limit` changes that are not encrypted for sending yet, oldest first. Without those that wait for the
        upload of a file, document edits of an object behind such a one, and those of a room that this device has
        stopped."""
        return [_pending(r) for r in self._db.rows(sql.PENDING, (limit,))]

    def pending_in(self, room: RoomId, limit: int) -> list[PendingChange]:
        """The same as `pending` for one room."""
        return [_pending(r) for r in self._db.rows(sql.PENDING_IN, (room, limit))]

    def put_sealed(self, batch: SealedBatch) -> None:
        """Stores an encrypted and signed batch and its shares. Its rows no longer count as pending, and its sequence
        numbers (dev_seq) as used, so that no number is signed twice. All this is on the disk when it returns, or when
        the transaction that it joins is committed: only then may the batch be sent. BugError if one of its numbers was
        used before."""
        with self._db.transaction():
            conn = self._db.conn
            used = self.burned(batch.room)
            if batch.first_seq <= used:
                raise BugError("a sequence number was used before")
            self._burn(batch, used)
            blob = _encoder.encode
            params = (batch.room, batch.first_seq, batch.last_id)
            packed = (blob(batch.bodies), blob(batch.cts), batch.sig, blob(batch.shares))
            number = conn.execute(sql.ADD_BATCH, params + packed).lastrowid
            conn.executemany(sql.SET_BATCH, [(number, row) for row in batch.rows])
            conn.executemany(sql.PUT_SHARE, [(batch.room, obj, share) for obj, share in batch.shares])

    def sealed(self, room: RoomId) -> SealedBatch | None:
        """The room's oldest encrypted batch that the server has not confirmed; None if there is none."""
        found = self._db.one(sql.OLDEST_BATCH, (room,))
        if found is None:
            return None
        number, first_seq, last_id, bodies, cts, sig, shares = found
        return SealedBatch(
            room=room,
            first_seq=first_seq,
            last_id=Hash(last_id),
            bodies=_blobs.decode(bodies),
            cts=_blobs.decode(cts),
            sig=sig,
            shares=tuple((ObjId(obj), share) for obj, share in _shares.decode(shares)),
            rows=tuple(row for (row,) in self._db.rows(sql.BATCH_ROWS, (number,))),
        )

    def rooms_with_work(self) -> list[RoomId]:
        """Rooms that have something to send: an encrypted batch, or a pending row."""
        return [room for (room,) in self._db.rows(sql.ROOMS_WITH_WORK)]

    def shown(self, batch: SealedBatch, first: int) -> bool:
        """Notes that the server has placed the batch in the room's log, from position `first` on. Removes the batch,
        and the rows whose changes have received their position. Returns False if some have none (they were void,
        without effect, there): they are pending again. If one of the batch's items could not be read here or waits for
        a key, all its rows are removed: the server has them. A second call changes nothing.

        It is not flushed by itself: after a power cut the same bytes are sent again, and the server answers as before.
        """
        with self._db.transaction(durable=False):
            last = first + len(batch.bodies) - 1
            closed = self._db.conn.execute(sql.CLOSED_BETWEEN, (batch.room, first, last)).fetchone() is not None
            gone = sql.DROP_BATCH_ROWS if closed else sql.DROP_PLACED_ROWS
            left = self._end(batch, gone, sql.FREE_BATCH_ROWS, durable=False)
        if left:
            log.store.warning("void", room=batch.room, rows=left)
        return not left

    def unseal(self, batch: SealedBatch) -> None:
        """Notes that the server refused the batch as stale: its changes are pending again, to be encrypted again, and
        the batch is dropped. If this person is no longer an administrator of the room, its unsent baselines (objects'
        states for new members) are dropped too. A second call changes nothing."""
        log.store.info("unsealed", room=batch.room, rows=len(batch.rows))
        with self._db.transaction():
            self._burn(batch, self.burned(batch.room))  # a store from before put_sealed did so
            self._end(batch, sql.FREE_BATCH_ROWS, durable=True)
            take_back(self._db, batch.room)

    def burned(self, room: RoomId) -> int:
        """The highest sequence number (dev_seq) that this device ever signed in the room; 0 for none. It must never be
        used again."""
        return int(self._db.value("SELECT value FROM meta WHERE name = ?", (_burned(room),)) or 0)

    def _burn(self, batch: SealedBatch, used: int) -> None:
        """Notes the sequence numbers of a batch as used; `used` is the highest that was used before it."""
        last = max(used, batch.first_seq + len(batch.bodies) - 1)
        self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_burned(batch.room), last))

    def _end(self, batch: SealedBatch, *rows: str, durable: bool) -> int:
        """Ends a batch of changes that was sealed for sending: runs the SQL statements `rows` on its outbox rows (their
        parameter is the batch's id), then deletes the batch. `durable`: the transaction is on the disk when this
        returns. Returns how many rows the last statement changed; 0 if the batch does not exist."""
        touched = 0
        with self._db.transaction(durable=durable):
            conn = self._db.conn
            found = conn.execute(sql.BATCH_ID, (batch.room, batch.first_seq, batch.last_id)).fetchone()
            if found is None:
                return 0
            for statement in rows:
                touched = conn.execute(statement, found).rowcount
            conn.execute(sql.DROP_BATCH, found)
            self._db.after_commit(self._changed)
        return touched

    def waiting_count(self) -> int:
        """How many changes the server does not have yet: what the status bar calls waiting."""
        return int(self._db.value(sql.WAITING_COUNT))

    def unsent(self, room: RoomId) -> int:
        """The same for one room, also while it is held back."""
        return int(self._db.value("SELECT count(*) FROM outbox WHERE room = ?", (room,)))

    def drop(self, room: RoomId) -> None:
        """Removes the room's outbox rows and encrypted batches: nothing that waits there is sent. The changes
        themselves stay stored. Sequence numbers that were signed are not used again."""
        with self._db.transaction():
            while (batch := self.sealed(room)) is not None:
                self.unseal(batch)
            if self._db.conn.execute("DELETE FROM outbox WHERE room = ?", (room,)).rowcount:
                self._db.after_commit(self._changed)


def _burned(room: RoomId) -> str:
    return f"burned-{room.hex()}"


def _pending(row: Row) -> PendingChange:
    number, room, obj, change_id, data, live = row
    return PendingChange(
        row=number,
        room=room,
        obj=obj,
        change_id=change_id,
        payload=data,
        live=live == Flush.LIVE,
        baseline=live == Flush.BASELINE,
    )
