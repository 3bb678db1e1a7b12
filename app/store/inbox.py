# SPDX-License-Identifier: EUPL-1.2
"""Stores what is received from the server: `InboxPort`."""

import asyncio
from collections.abc import Sequence
from typing import assert_never

from app.core import clock
from app.core.ids import ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import BugError
from app.store import counters, event_notices, heartbeats, joins, notice_rows, working_copies
from app.store import statements as sql
from app.store.arrivals import Arrivals, arrivals, is_small
from app.store.behind import Behind
from app.store.cached_parts import forget_room
from app.store.changes import Changes
from app.store.database import Database
from app.store.destroyed_objects import DestroyedObjects
from app.store.judges import Judges
from app.store.kept_items import KeptItems
from app.store.newcomers import take_back
from app.store.origins import note
from app.store.people import Me
from app.store.projecting import Projecting, Tried
from app.store.receipts import Receipts
from app.store.room_marks import note_restored
from app.store.snapshots import Snapshots
from app.store.trials import Trials
from app.store.verdicts import Verdicts
from sync.client.received import (
    Backfilled,
    BegunObject,
    KeptReceipt,
    MemberRow,
    OpenedContent,
    OpenedUpTo,
    ReadAgain,
    Received,
    ReceivedSlice,
    Resolved,
    RoomEvent,
)
from sync.trust.formats.items import Item

_PROBLEMS = {2: "fork", 3: "rollback", 4: "restored"}
"""The values of `streams.postponed`."""
MOST_VOID = 1000
"""▲ Most void items that are stored of a room. Everybody can write void items, so that a false server could otherwise
fill the store."""
_LARGE_STATE = 32 * 1024
_PAGE = 4096


class Inbox:
    """Stores what the server sends: room states, positions, keys, shares (which bind an object's id to its room), items
    that wait for a key, and items that cannot be read. Changes are stored through `Changes`."""

    def __init__(
        self,
        db: Database,
        me: Me,
        changes: Changes,
        projecting: Projecting,
        kept: KeptItems,
        receipts: Receipts,
        snapshots: Snapshots,
        trials: Trials,
        judges: Judges,
        behind: Behind,
        destroyed: DestroyedObjects,
    ) -> None:
        self.placed: Signal[RoomId, int] = Signal()
        """Emitted with a room and the last position of it that was just stored: in the transaction that stores it, and
        before the changes that come with it are projected."""
        self.projected: Signal[RoomId] = Signal()
        """Emitted with a room in the same transaction, when these changes were projected."""
        self._db = db
        self._me = me
        self._changes = changes
        self._projecting = projecting
        self._kept = kept
        self._receipts = receipts
        self._snapshots = snapshots
        self._trials = trials
        self._judges = judges
        self._behind = behind
        self._destroyed = destroyed
        self._states: dict[RoomId, tuple[int, bytes]] = {}
        """(row, bytes) of the large states that this process has written."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        """Every room with its stored stream state."""
        return [(room, state) for room, state in self._db.rows(sql.STREAMS)]

    def rh_at(self, room: RoomId, n: int) -> bytes | None:
        """The hash of the room's log up to position `n`, or None if it is not stored."""
        value: bytes | None = self._db.value(sql.RH_AT, (room, n))
        return value

    def keys(self, room: RoomId) -> list[tuple[int, bytes, bytes | None]]:
        """(epoch, content key K, archive key A or None) of every epoch whose key this device holds, lowest epoch first.
        An epoch is a generation of the room's key."""
        return [(epoch, k, a) for epoch, k, a in self._db.rows(sql.ROOM_KEYS, (room,))]

    def put_keys(self, room: RoomId, keys: Sequence[tuple[int, bytes, bytes | None]]) -> None:
        """Stores keys: (epoch, content key K, archive key A or None). An A that is already stored stays when the key is
        received again without it."""
        with self._db.transaction():
            self._db.conn.executemany(sql.ADD_ROOM_KEY, [(room, *key) for key in keys])

    def share(self, room: RoomId, obj: ObjId) -> bytes | None:
        """The share of an object: the secret from which its id was made, which binds the object to this room. None if
        it was not received."""
        value: bytes | None = self._db.value(sql.SHARE, (room, obj))
        return value

    def waiting(self, room: RoomId) -> list[tuple[int, bytes]]:
        """(position, bytes) of verified items that cannot be decrypted yet because their key or share is missing, by
        position."""
        return [(n, item) for n, item in self._db.rows(sql.WAITING, (room,))]

    def problem(self, room: RoomId) -> str | None:
        """The code with which this device stopped reading the room ("fork", "rollback" or "restored"); None if it did
        not."""
        return _PROBLEMS.get(self._db.value("SELECT postponed FROM streams WHERE room = ?", (room,)) or 0)

    def set_problem(self, room: RoomId, code: str | None) -> None:
        """Stores why this device stopped the room (`code`: "fork", "rollback" or "restored"), so that nothing of the
        room's outbox is sent; None removes the code, and it is sent again. Does nothing for a room of which no state is
        stored. BugError for any other code: it could not be stored, and a stored code would be removed."""
        number = next((n for n, c in _PROBLEMS.items() if c == code), 0)
        if code is not None and not number:
            raise BugError(f"a reason that cannot be stored: {code}")
        with self._db.transaction():
            if code == "restored" and self.problem(room) != code:
                note_restored(self._db.conn, room)
            self._db.conn.execute("UPDATE streams SET postponed = ? WHERE room = ?", (number, room))

    def bad(self, room: RoomId) -> list[tuple[int, str]]:
        """(position, code of the reason) of items that could not be decrypted or decoded although the key is here, by
        position. If there are any, the room shows a warning."""
        return [(n, code) for n, code in self._db.rows("SELECT n, code FROM bad WHERE room = ? ORDER BY n", (room,))]

    def void_items(self, room: RoomId) -> list[tuple[Uid, int]]:
        """Counts the room's items that break the room's rules and that the server gave a position all the same: (person
        in whose name they are, how many), by the first item of each person. At most `MOST_VOID` of a room are
        counted."""
        return [(Uid(uid), count) for uid, count in self._db.rows(sql.VOID_ITEMS, (room,))]

    def receive(self, received: Received) -> None:
        """Stores one accepted delivery from the server (`received`, see `sync.client.received`) in ONE transaction,
        without judging its changes (deciding which count) or merging them on trial: in a store with a worker, new
        changes to documents and boards are kept untried. Their objects are judged again, from their first change,
        later. It is on the disk then, unless more of it follows (`received.more`)."""
        came = arrivals(received, self._snapshots.changes)
        with self._db.transaction(durable=not received.more):
            self._write(received, came, frozenset(), None)
        self._judges.forget({c.obj for c in came.changes})

    async def receive_apart(self, received: Received) -> None:
        """Stores one delivery from the server as `receive` does, after deciding which changes of documents and boards
        count and merging those on trial in the worker process; changes that do not pass are stored, and not merged in
        this program. Then commits the delivery, notifies the tools (chat, documents, boards), and flushes the commit to
        the disk, unless more of the delivery follows (decision 0017). If this raises, the delivery may be stored all
        the same."""
        came = arrivals(received, self._snapshots.changes)
        if not self._judges.concerns(came):
            await self._store(received, came, frozenset(), None)
            return
        async with self._judges.lock:
            verdicts = await self._judges.judge(came)
            try:
                tried = await self._trials.judge(came.room, came.changes, verdicts)
                await self._store(received, came, tried, verdicts)
            except Exception:
                if not verdicts.settled:
                    self._judges.roll_back(verdicts)
                raise
            except BaseException:  # cancelled before it is settled: it is not known whether the slice will be committed
                if not verdicts.settled:
                    self._judges.forget(verdicts.codes)
                raise
        await self._trials.without_worker(verdicts.stale)

    async def _store(self, received: Received, came: Arrivals, tried: Tried, verdicts: Verdicts | None) -> None:
        is_short = self._is_short(received) and (verdicts is None or verdicts.count <= 1)
        now_s = asyncio.get_running_loop().time()

        def write() -> None:
            if verdicts is not None:  # the first callback after the commit: the others ask the judges
                self._db.after_commit(lambda: self._judges.settle(verdicts, now_s))
            self._write(received, came, tried, verdicts)
            if verdicts is not None:
                self._db.after_commit(lambda: self._trials.noted(verdicts))

        await self._db.apart(write, durable=not received.more, is_short=is_short)

    def _is_short(self, received: Received) -> bool:
        """Whether `received` is so small that its commit may run on the event loop. A room's state counts only if it
        must be written whole (1 MiB takes 20 ms)."""
        state = received.state if isinstance(received, ReceivedSlice | OpenedUpTo) else None
        fits = state is None or len(state) < _LARGE_STATE or self._is_in_place(received.room, state)
        return fits and is_small(received)

    def _is_in_place(self, room: RoomId, state: bytes) -> bool:
        kept = self._states.get(room)
        return kept is not None and len(kept[1]) == len(state) >= _LARGE_STATE

    def _write(self, received: Received, came: Arrivals, tried: Tried, verdicts: Verdicts | None) -> None:
        room, conn = received.room, self._db.conn
        times = [e.t for e in came.events[:1]] + [c.t for c in came.changes[:1]] + [clock.now_ms()]
        conn.execute(sql.ADD_ROOM, (room, times[0]))
        self._destroyed.begin_delivery()
        self._write_received(received, judged=verdicts is not None)
        if joins.note(conn, received, came):
            self._projecting.notify_changed(room)
        if verdicts is not None:
            self._judges.write(verdicts)
        self._changes.receive(room, self._destroyed.without(room, came.changes), tried, verdicts)
        self._destroyed.take_back(room)
        self.projected.emit(room)
        if any(event.kind == "destroy" for event in came.events):
            self._destroyed.begin(room)
        # ▲ only now: projections cache no state of a room that lacks something (`objects.cache_state`)
        match received:
            case Resolved(resolved=resolved):
                conn.executemany(sql.DROP_WAITING, [(room, n) for n in resolved])
            case Backfilled(objs=objs):
                self._set_incomplete(room, {*self.incomplete(room)} - {*objs})
            case _:
                pass

    def _write_received(self, received: Received, *, judged: bool) -> None:
        """Writes everything of a delivery except its changes: room states, positions, keys, items that wait, and which
        objects are complete. In the caller's transaction. `judged`: the objects' changes have verdicts (whether they
        count)."""
        room = received.room
        match received:
            case ReceivedSlice():
                self._write_slice(received)
            case OpenedContent():
                # only the rows: all else that follows from the events comes with the slice's last part
                self._db.conn.executemany(sql.ADD_EVENT, [_event_row(room, event) for event in received.events])
                heartbeats.put(self._db.conn, room, received.heartbeats)
                self._put_shares(room, received.shares)
                self._put_waiting(room, received.waiting, received.bad)
                self._add_incomplete(room, received.incomplete)
            case OpenedUpTo():
                heartbeats.put(self._db.conn, room, received.heartbeats)
                self._state(room, received.cursor, received.state)
                self._put_receipt(received.receipt)
                self._put_positions(room, received.positions)
                self._put_waiting(room, received.waiting, received.bad)
                self._set_reread(room, received.reread)
            case Resolved():
                heartbeats.put(self._db.conn, room, received.heartbeats)
                self._put_shares(room, received.shares)
                self._put_waiting(room, (), received.bad)
                self._complete(room, received.whole, judged=judged)
            case ReadAgain():
                self._set_reread(room, 0)
                self._complete(room, received.whole, judged=judged)
            case BegunObject(snapshot=snapshot):
                self._snapshots.opened(room, [snapshot])
                self._behind.begin([snapshot.obj])
            case Backfilled():
                pass
            case _:
                assert_never(received)

    def _write_slice(self, received: ReceivedSlice) -> None:
        room, conn = received.room, self._db.conn
        if received.state is not None:
            self._state(room, received.cursor, received.state)
        self._put_positions(room, received.positions)
        if received.items:
            self._kept.add(room, received.items)
        self._put_receipt(received.receipt)
        self._put_shares(room, received.shares)
        self._put_waiting(room, received.waiting, received.bad)
        conn.executemany(sql.ADD_VOID_ITEM, [(room, n, uid, code, MOST_VOID) for n, uid, code in received.void])
        self._events(room, received.events)
        if received.members or received.gone:
            self._members(room, received.members, received.gone)
        heartbeats.put(conn, room, received.heartbeats)  # after the members: only theirs are kept
        self._set_reread(room, received.reread)
        self._add_incomplete(room, received.incomplete)

    def put_placed(self, room: RoomId, items: Sequence[Item], receipt: KeptReceipt | None) -> None:
        """Stores entries of the room's log that this device wrote and the server has acknowledged, before the server
        sends them back: as kept items, which can be uploaded again if the server loses them. With the server's
        `receipt` for them, if there is one, in one transaction."""
        with self._db.transaction():
            self._kept.add(room, items)
            self._put_receipt(receipt)

    def _put_receipt(self, receipt: KeptReceipt | None) -> None:
        if receipt is not None:
            self._receipts.put([receipt])

    def _put_positions(self, room: RoomId, positions: Sequence[tuple[int, bytes]]) -> None:
        self._db.conn.executemany(sql.ADD_POSITION, [(room, n, rh) for n, rh in positions])
        if positions:
            self.placed.emit(room, positions[-1][0])

    def _put_shares(self, room: RoomId, shares: Sequence[tuple[ObjId, bytes]]) -> None:
        """▲ Stores no share of a destroyed object, which the server may send again after it was deleted."""
        kept = [(room, obj, share) for obj, share in shares if not self._destroyed.is_gone(room, obj)]
        self._db.conn.executemany(sql.PUT_SHARE, kept)

    def _put_waiting(self, room: RoomId, waiting: Sequence[tuple[int, bytes]], bad: Sequence[tuple[int, str]]) -> None:
        self._db.conn.executemany(sql.ADD_WAITING, [(room, n, item) for n, item in waiting])
        self._db.conn.executemany(sql.ADD_BAD, [(room, n, code) for n, code in bad])

    def reread(self, room: RoomId) -> int:
        """The position up to which this device must read a room again, since it was given access to older items; 0 if
        it need not."""
        return int(self._db.value("SELECT value FROM meta WHERE name = ?", (_reread(room),)) or 0)

    def incomplete(self, room: RoomId) -> list[ObjId]:
        """Objects with changes that were pruned before this device fetched them, and that no snapshot replaces yet."""
        found = self._db.value("SELECT value FROM meta WHERE name = ?", (_incomplete(room),)) or b""
        return [ObjId(found[at : at + 16]) for at in range(0, len(found), 16)]

    def _set_reread(self, room: RoomId, reread: int | None) -> None:
        if reread is not None:
            self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_reread(room), reread))

    def _add_incomplete(self, room: RoomId, objs: Sequence[ObjId]) -> None:
        if objs:
            self._set_incomplete(room, {*self.incomplete(room), *objs})

    def _set_incomplete(self, room: RoomId, objs: set[ObjId]) -> None:
        value = b"".join(sorted(objs))
        self._db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_incomplete(room), value))

    def _state(self, room: RoomId, cursor: int | None, state: bytes) -> None:
        """Writes the room's `state`, and `cursor`, the position up to which it was read (not None where there is a
        state). Of a large state of the same length as the one that this process wrote last, only the pages that differ
        are written: a message changes two of 65. ▲ The first state of a room ends its first reading: nothing up to
        there rings."""
        if cursor is not None and self._db.value("SELECT 1 FROM streams WHERE room = ?", (room,)) is None:
            notice_rows.raise_notified(self._db.conn, room, cursor)
        in_place, kept = self._is_in_place(room, state), self._states.pop(room, None)
        if kept is None or not in_place:
            self._db.conn.execute(sql.SET_STREAM, (room, cursor, state))
            row = self._db.value("SELECT rowid FROM streams WHERE room = ?", (room,))
        else:
            row, old = kept
            self._db.conn.execute("UPDATE streams SET cursor = ? WHERE room = ?", (cursor, room))
            with self._db.conn.open_blob("streams", "state", row) as blob:
                for at in range(0, len(state), _PAGE):
                    piece = state[at : at + _PAGE]
                    if piece != old[at : at + _PAGE]:
                        blob.seek(at)
                        blob.write(piece)
        if len(state) >= _LARGE_STATE:
            self._db.after_commit(lambda: self._states.update({room: (row, state)}))

    def _complete(self, room: RoomId, whole: Sequence[ObjId], *, judged: bool) -> None:
        """Notes that every change of the objects `whole` is here now, so that their snapshots can be deleted. If
        `judged`, objects whose kind merges keep their snapshot until it has been decided from the first change on which
        of their changes count."""
        if not whole:
            return
        begun = {obj for (obj,) in self._db.rows(sql.BEGUN_IN, (room,))}.intersection(whole)
        kept = [obj for obj in begun if judged and self._judges.merging(room, obj) is not None]
        self._behind.note(kept)
        self._snapshots.superseded([obj for obj in begun if obj not in kept])

    def _events(self, room: RoomId, events: Sequence[RoomEvent]) -> None:
        if not events:
            return
        conn = self._db.conn
        conn.executemany(sql.ADD_EVENT, [_event_row(room, event) for event in events])
        for event in events:
            note(self._db.conn, room, event)
            if event.kind == "destroy" and event.obj is not None:
                self._destroyed.note(room, event.obj)
        event_notices.make(self._db.conn, self._me.uid, room, events)
        self._projecting.notify_changed(room)

    def _members(self, room: RoomId, members: Sequence[MemberRow], gone: Sequence[Uid]) -> None:
        conn = self._db.conn
        conn.executemany(sql.DROP_MEMBER, [(room, uid) for uid in gone])
        heartbeats.drop(conn, room, gone)
        if self._me.uid in gone:
            forget_room(conn, room)
            working_copies.forget_room(conn, room)
        conn.executemany(sql.PUT_MEMBER, [(room, m.uid, m.role, m.since_n, m.history) for m in members])
        conn.execute(sql.SET_OWN_ROLE, (self._me.uid, room))
        if self._me.uid in gone:
            notice_rows.forget(self._db.conn, room)
        counters.add_up(self._db.conn, room)
        take_back(self._db, room)
        self._projecting.notify_changed(room)


def _event_row(room: RoomId, e: RoomEvent) -> tuple[object, ...]:
    return room, e.n, e.t, e.kind, e.by, e.subject, e.role, e.history, e.obj, e.until, e.note, e.place


def _reread(room: RoomId) -> str:
    return f"reread-{room.hex()}"


def _incomplete(room: RoomId) -> str:
    return f"gaps-{room.hex()}"
