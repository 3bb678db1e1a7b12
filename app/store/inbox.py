# SPDX-License-Identifier: EUPL-1.2
"""What came from the server: `InboxPort`."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.core import clock
from app.core.ids import ObjId, RoomId, Uid
from app.store import statements as sql
from app.store.behind import Behind
from app.store.changes import Changes
from app.store.database import Database
from app.store.judges import Judges
from app.store.kept_items import KeptItems
from app.store.newcomers import take_back
from app.store.origins import note
from app.store.people import Me
from app.store.projecting import Projecting, Tried
from app.store.snapshots import Snapshots
from app.store.trials import Trials
from app.store.verdicts import Verdicts
from sync.client.ports import MemberRow, Received, RoomEvent

_PROBLEMS = {2: "fork", 3: "rollback", 4: "restored"}
"""`streams.postponed`; 1 is for a room that is held back by hand."""
MOST_VOID = 1000
"""▲ Most void items that are stored of a room. Anybody can write them, so that a false server could otherwise fill the
store."""
_SHORT = 4 * 1024
"""Bytes of a change that is stored alone without a thread: a colleague's key, a message."""
_LARGE_STATE = 32 * 1024
_PAGE = 4096


class Inbox:
    """Streams, positions, keys, shares, waiting and bad items; changes go through `Changes`."""

    def __init__(
        self,
        db: Database,
        me: Me,
        changes: Changes,
        projecting: Projecting,
        kept: KeptItems,
        snapshots: Snapshots,
        trials: Trials,
        judges: Judges,
        behind: Behind,
    ) -> None:
        self._db = db
        self._me = me
        self._changes = changes
        self._projecting = projecting
        self._kept = kept
        self._snapshots = snapshots
        self._trials = trials
        self._judges = judges
        self._behind = behind
        self._states: dict[RoomId, tuple[int, bytes]] = {}
        """(row, bytes) of the large states that this process has written."""

    def rooms(self) -> list[tuple[RoomId, bytes]]:
        """Every room with its stored stream state."""
        return [(room, state) for room, state in self._db.rows(sql.STREAMS)]

    def rh_at(self, room: RoomId, n: int) -> bytes | None:
        """The stream's hash at a position, or None if it is not stored."""
        value: bytes | None = self._db.value(sql.RH_AT, (room, n))
        return value

    def keys(self, room: RoomId) -> list[tuple[int, bytes, bytes | None]]:
        """(epoch, K, A or None) of every epoch whose key is held, in order."""
        return [(epoch, k, a) for epoch, k, a in self._db.rows(sql.ROOM_KEYS, (room,))]

    def put_keys(self, room: RoomId, keys: Sequence[tuple[int, bytes, bytes | None]]) -> None:
        """Stores keys; an A that is already held is not lost when a key comes again without it."""
        with self._db.transaction():
            self._db.raw.executemany(sql.ADD_ROOM_KEY, [(room, *key) for key in keys])

    def share(self, room: RoomId, obj: ObjId) -> bytes | None:
        """An object's share, if it has come."""
        value: bytes | None = self._db.value(sql.SHARE, (room, obj))
        return value

    def waiting(self, room: RoomId) -> list[tuple[int, bytes]]:
        """Verified items whose key or share is missing, by position."""
        return [(n, item) for n, item in self._db.rows(sql.WAITING, (room,))]

    def problem(self, room: RoomId) -> str | None:
        """Why the room stopped, if that was kept."""
        return _PROBLEMS.get(self._db.value("SELECT postponed FROM streams WHERE room = ?", (room,)) or 0)

    def set_problem(self, room: RoomId, code: str | None) -> None:
        """Keeps why the room stopped, and holds back its outbox; None lets both go. No stream yet: nothing to keep."""
        number = next((n for n, c in _PROBLEMS.items() if c == code), 0)
        with self._db.transaction():
            self._db.raw.execute("UPDATE streams SET postponed = ? WHERE room = ?", (number, room))

    def bad(self, room: RoomId) -> list[tuple[int, str]]:
        """(position, code) of items that failed although the key is held: counted and shown."""
        return [(n, code) for n, code in self._db.rows("SELECT n, code FROM bad WHERE room = ? ORDER BY n", (room,))]

    def void_items(self, room: RoomId) -> list[tuple[Uid, int]]:
        """Counts, by the person in whose name they are, the items that are void by the room's rules and to which the
        server gave a position all the same. At most `MOST_VOID` of a room are counted."""
        return [(Uid(uid), count) for uid, count in self._db.rows(sql.VOID_ITEMS, (room,))]

    def receive(self, received: Received) -> None:
        """ONE transaction: everything an accepted slice changes. See `ports.Received`."""
        received = self._begun(received)
        with self._db.transaction(durable=not received.more):
            self._write(received, frozenset(), None)
        self._judges.forget({c.obj for c in received.changes})

    async def receive_apart(self, received: Received) -> None:
        """Stores a slice as `receive` does. Changes of documents and boards are first merged on trial in the worker;
        those that do not pass are stored and held back. Then this commits the slice, tells the tools (chat, documents,
        boards), and flushes the commit to the disk (decision 0017)."""
        received = self._begun(received)
        if not self._judges.concerns(received):
            await self._store(received, frozenset(), None)
            return
        async with self._judges.lock:
            verdicts = await self._judges.judge(received)
            try:
                tried = await self._trials.judge(received.room, received.changes, verdicts)
                await self._store(received, tried, verdicts)
            except Exception:
                if not verdicts.settled:
                    self._judges.roll_back(verdicts)
                raise
            except BaseException:  # cancelled: if it is not settled, nobody knows whether it will be committed
                if not verdicts.settled:
                    self._judges.forget(verdicts.codes)
                raise
        await self._trials.without_worker(verdicts.stale)

    async def _store(self, received: Received, tried: Tried, verdicts: Verdicts | None) -> None:
        is_short = self._is_short(received) and (verdicts is None or verdicts.count <= 1)
        now_s = asyncio.get_running_loop().time()

        def write() -> None:
            if verdicts is not None:  # first of what follows the commit: the others ask the judges
                self._db.after_commit(lambda: self._judges.settle(verdicts, now_s))
            self._write(received, tried, verdicts)
            if verdicts is not None:
                self._db.after_commit(lambda: self._trials.noted(verdicts))

        await self._db.apart(write, durable=not received.more, is_short=is_short)

    def _is_short(self, received: Received) -> bool:
        """Whether storing `received` writes few rows, none over `_SHORT` bytes: its commit is then quicker than waking
        a thread. A room's state counts only if it is written whole (1 MiB takes 20 ms). `received.whole` counts, since
        the snapshots of those objects are deleted, and `secure_delete` overwrites what is deleted."""
        r, state = received, received.state or b""
        many = (r.positions, r.changes, r.items, r.waiting, r.resolved, r.events, r.members, r.gone, r.void, r.shares)
        sizes = (
            [len(c.payload) for c in r.changes] + [len(i.ct or b"") for i in r.items] + [len(w) for _, w in r.waiting]
        )
        is_small = max(map(len, many)) <= 1 and max(sizes, default=0) <= _SHORT and not (r.snapshots or r.whole)
        return is_small and (len(state) < _LARGE_STATE or self._is_in_place(r.room, state))

    def _is_in_place(self, room: RoomId, state: bytes) -> bool:
        kept = self._states.get(room)
        return kept is not None and len(kept[1]) == len(state) >= _LARGE_STATE

    def _begun(self, received: Received) -> Received:
        """With the changes that its snapshots are before the others."""
        begun = self._snapshots.changes(received.snapshots)
        return replace(received, changes=[*begun, *received.changes]) if begun else received

    def _write(self, received: Received, tried: Tried, verdicts: Verdicts | None) -> None:
        room, raw = received.room, self._db.raw
        if received.state is not None:
            self._state(room, received.cursor, received.state)
        raw.executemany(sql.ADD_POSITION, [(room, n, rh) for n, rh in received.positions])
        if received.items:
            self._kept.add(room, received.items)
        raw.executemany(sql.ADD_ROOM_KEY, [(room, *key) for key in received.keys])
        raw.executemany(sql.PUT_SHARE, [(room, obj, share) for obj, share in received.shares])
        raw.executemany(sql.ADD_WAITING, [(room, n, item) for n, item in received.waiting])
        raw.executemany(sql.ADD_BAD, [(room, n, code) for n, code in received.bad])
        raw.executemany(sql.ADD_VOID_ITEM, [(room, n, uid, code, MOST_VOID) for n, uid, code in received.void])
        times = [e.t for e in received.events[:1]] + [c.t for c in received.changes[:1]] + [clock.now_ms()]
        raw.execute(sql.ADD_ROOM, (room, times[0]))
        self._events(room, received.events)
        if received.members or received.gone:
            self._members(room, received.members, received.gone)
        if received.reread is not None:
            raw.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_reread(room), received.reread))
        if received.gaps:
            self._set_gaps(room, {*self.gaps(room), *received.gaps})
        if received.whole:
            self._complete(room, received.whole, judged=verdicts is not None)
        if received.snapshots:
            self._snapshots.opened(room, received.snapshots)
            self._behind.begin([s.obj for s in received.snapshots])
        if verdicts is not None:
            self._judges.write(verdicts)
        self._changes.receive(received, tried, verdicts)
        # ▲ only now: projections cache no state of a room that lacks something (`objects.cache_state`)
        raw.executemany(sql.DROP_WAITING, [(room, n) for n in received.resolved])
        if received.filled:
            self._set_gaps(room, {*self.gaps(room)} - {*received.filled})

    def reread(self, room: RoomId) -> int:
        """Up to where a room is to be read once more; 0 for nothing."""
        return int(self._db.value("SELECT value FROM meta WHERE name = ?", (_reread(room),)) or 0)

    def gaps(self, room: RoomId) -> list[ObjId]:
        """Objects of which changes were pruned before they came here, and that no snapshot stands in for yet."""
        found = self._db.value("SELECT value FROM meta WHERE name = ?", (_gaps(room),)) or b""
        return [ObjId(found[at : at + 16]) for at in range(0, len(found), 16)]

    def _set_gaps(self, room: RoomId, gaps: set[ObjId]) -> None:
        value = b"".join(sorted(gaps))
        self._db.raw.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_gaps(room), value))

    def _state(self, room: RoomId, cursor: int | None, state: bytes) -> None:
        """Writes the pages of a large state that differ from what was stored last: a message changes two of 65."""
        in_place, kept = self._is_in_place(room, state), self._states.pop(room, None)
        if kept is None or not in_place:
            self._db.raw.execute(sql.SET_STREAM, (room, cursor, state))
            row = self._db.value("SELECT rowid FROM streams WHERE room = ?", (room,))
        else:
            row, old = kept
            self._db.raw.execute("UPDATE streams SET cursor = ? WHERE room = ?", (cursor, room))
            with self._db.raw.open_blob("streams", "state", row) as blob:
                for at in range(0, len(state), _PAGE):
                    piece = state[at : at + _PAGE]
                    if piece != old[at : at + _PAGE]:
                        blob.seek(at)
                        blob.write(piece)
        if len(state) >= _LARGE_STATE:
            self._db.after_commit(lambda: self._states.update({room: (row, state)}))

    def _complete(self, room: RoomId, whole: Sequence[ObjId], *, judged: bool) -> None:
        """Every change of these objects is here. `judged`: those that merge keep their state until they are judged."""
        begun = {obj for (obj,) in self._db.rows(sql.BEGUN_IN, (room,))}.intersection(whole)
        kept = [obj for obj in begun if judged and self._judges.merging(room, obj) is not None]
        self._behind.note(kept)
        self._snapshots.superseded([obj for obj in begun if obj not in kept])

    def _events(self, room: RoomId, events: Sequence[RoomEvent]) -> None:
        if not events:
            return
        raw = self._db.raw
        raw.executemany(sql.ADD_EVENT, [_event_row(room, event) for event in events])
        for event in events:
            note(self._db.conn, room, event)
        self._projecting.tell(room)

    def _members(self, room: RoomId, members: Sequence[MemberRow], gone: Sequence[Uid]) -> None:
        raw = self._db.raw
        raw.executemany(sql.DROP_MEMBER, [(room, uid) for uid in gone])
        raw.executemany(sql.PUT_MEMBER, [(room, m.uid, m.role, m.since_n, m.history) for m in members])
        raw.execute(sql.SET_OWN_ROLE, (self._me.uid, room))
        take_back(self._db, room)
        self._projecting.tell(room)


def _event_row(room: RoomId, e: RoomEvent) -> tuple[object, ...]:
    return room, e.n, e.t, e.kind, e.by, e.subject, e.role, e.history, e.obj, e.until, e.note


def _reread(room: RoomId) -> str:
    return f"reread-{room.hex()}"


def _gaps(room: RoomId) -> str:
    return f"gaps-{room.hex()}"
