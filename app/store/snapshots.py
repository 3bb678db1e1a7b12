# SPDX-License-Identifier: EUPL-1.2
"""Objects as their states: `SnapshotPort`, and the states that a newcomer begins with.

A snapshot that was opened is stored among the object's changes, with an empty `dev`, until every change before it is
here and judged (app/store/behind.py).
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.core import log
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.errors import WorkerDied, WorkerUnavailable
from app.store import statements as sql
from app.store.changes import stored_change
from app.store.connection import Connection
from app.store.database import Database
from app.store.journal import Journal
from app.store.people import Me
from app.store.projection import Projector
from sync.client.placed_changes import Compact, Compacted, PlacedChange, position_of
from sync.client.ports import OpenedChange, OpenedSnapshot

_AT_ONCE = 500
"""How many positions one query asks for."""
NO_DEVICE = DevId(b"")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[tuple[bytes, ...], tuple[int, ...]])


class Snapshots:
    """Snapshots of objects: merged states up to a position, made from stored changes, or received as a new member's
    beginning. What is written joins the caller's transaction, if one is open."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector], journal: Journal) -> None:
        self._db = db
        self._me = me
        self._kinds = kinds
        self._journal = journal

    def compactor(self, obj: ObjId) -> Compact | None:
        """Returns a function that is given the object's changes and a position, and makes its state up to there, in any
        thread. None if the object is unknown or its kind has no snapshots. The function itself returns None, and logs
        it, if the worker process ends or cannot be started."""
        made = self._compactor(obj)
        if made is None:
            return None

        def tried(changes: Sequence[PlacedChange], n: int) -> Compacted | None:
            try:
                return made(changes, n)
            except (WorkerDied, WorkerUnavailable) as e:
                log.store.warning("no-state", code=e.code, obj=obj)
                return None

        return tried

    def _compactor(self, obj: ObjId) -> Compact | None:
        found = self._db.one("SELECT kind, room FROM objects WHERE obj = ?", (obj,))
        kind = self._kinds.get(found[0]) if found else None
        if found is None or kind is None or kind.compact is None:
            return None
        compact, room = kind.compact, RoomId(found[1])
        ends = [stored_change(row, None) for row in self._db.rows(sql.ENDS_OF, (obj, obj))]

        def named(changes: Sequence[PlacedChange], n: int) -> Compacted | None:
            return compact(changes, n, named=self._journal.merging(room, obj, ends))

        return named

    def base(self, obj: ObjId) -> tuple[int, Compacted] | None:
        """The newest state of the object that this device has computed or opened, from which the next one is made, as
        (position up to which it reaches, state). None if there is none, or if a change in it was left out since."""
        return _base(self._db.one(sql.BASE, (obj,)))

    def stands_on_base(self, obj: ObjId) -> bool:
        """Whether the snapshot with which this device begins the object has the same content as `base`, its newest
        stored state: then this device has made that state too, and the changes need no trial. False without a base: the
        engine's `Snapshots.check` drops it if this device could not make that state, or made a different one."""
        base = self.base(obj)
        return base is not None and [row[-1] for row in self._db.rows(sql.SNAPSHOT_ROWS, (obj,))] == [*base[1].changes]

    def opened_at(self, obj: ObjId) -> int | None:
        """The position of the newest snapshot with which this device begins the object; None if it begins with its
        first change."""
        n: int | None = self._db.value("SELECT max(n) FROM changes WHERE obj = ? AND dev = x''", (obj,))
        return n

    def put_base(self, room: RoomId, obj: ObjId, n: int, state: Compacted) -> None:
        """Stores the object's state up to position `n`, in place of an older one, to make the next state from. Does
        nothing if one up to the same or a later position is stored."""
        with self._db.transaction():
            self._db.conn.execute(
                sql.SET_BASE, (obj, room, n, state.digest, _encoder.encode((state.changes, state.waits)))
            )

    def forget_base(self, obj: ObjId) -> None:
        """Deletes the object's stored state because it was false: the next state is computed from the first change."""
        with self._db.transaction():
            self._db.conn.execute("DELETE FROM snapshots WHERE obj = ?", (obj,))

    def positioned(self, obj: ObjId, after: int, until: int, waits: Sequence[int] = ()) -> list[PlacedChange]:
        """The object's changes at positions above `after` up to `until`, and those at the positions `waits` (numbers up
        to `after`), in the room's order. Each prune in that range is in it too, as a change with no data but `covers`.
        Snapshots, baselines (states for new members) and what an administrator had left out by then are not in it. Any
        thread: a long document has 100,000 changes."""
        with self._db.reader() as reader:
            return _positioned(reader, obj, after, until, waits)

    async def state(self, obj: ObjId) -> Sequence[bytes]:
        """The object's merged state from the changes that have a position, in the form of changes. Keeps all ids; of
        deleted content only ranges without content. Empty for an object without changes, or whose changes cannot be
        merged.

        The changes are read in a thread, and the state is made there or in another process. A change that is stored
        meanwhile may or may not be in it. WorkerUnavailable if that process cannot be started; WorkerDied if it ended
        at the object.
        """
        compact = self._compactor(obj)
        return await asyncio.to_thread(self._state, obj, compact) if compact is not None else ()

    def _state(self, obj: ObjId, compact: Compact) -> Sequence[bytes]:
        with self._db.reader() as reader:
            n = reader.value(sql.LAST_POSITION, (obj,))
            base = _base(reader.execute(sql.BASE, (obj,)).fetchone())
            if base is not None:
                (after, state), begins = base, list(base[1].changes)
                n, waits = max(after, n or 0), state.waits
            else:
                begins = [change.data for change in self._baseline(reader, obj)]
                after, waits = 0, ()
            if n is None and not begins:
                return ()
            changes = [PlacedChange(0, ChangeId(bytes(16)), Uid(bytes(16)), 0, data) for data in begins]
            changes += _positioned(reader, obj, after, n or 0, waits)
        found = compact(changes, n or 0)
        return found.changes if found is not None else ()

    def _baseline(self, reader: Connection, obj: ObjId) -> Sequence[PlacedChange]:
        """The changes of the baseline (the state that was made for a new member) with which this person begins to read
        the object, if they were added to its room without the history. Empty otherwise."""
        found = reader.execute("SELECT room, kind FROM objects WHERE obj = ?", (obj,)).fetchone()
        kind = self._kinds.get(found[1]) if found is not None else None
        if found is None or kind is None or kind.merging is None:
            return ()
        if reader.execute(sql.READS_ALONE, (found[0], self._me.uid)).fetchone() is None:
            return ()
        return kind.merging.newest_state(map(_placed, reader.execute(sql.BASELINES, (obj,))))

    def grown(self, obj: ObjId, after: int) -> tuple[int, int]:
        """How much the object has grown after position `after`: (number of positions, bytes of their changes)."""
        found = self._db.one(sql.GROWN, (obj, after))
        return (found[0], found[1]) if found else (0, 0)

    async def between(self, asked: Sequence[tuple[ObjId, int, int]]) -> list[tuple[int, int]]:
        """How much objects have grown. `asked`: (object, after, until). Returns for each (number of positions, bytes)
        of its changes above position `after` up to `until`. Read in a thread: a long object has 200,000 changes."""

        def read() -> list[tuple[int, int]]:
            with self._db.reader() as reader:
                found = [reader.only(sql.BETWEEN, span) for span in asked]
                return [(count, size) for count, size in found]

        return await asyncio.to_thread(read)

    def opened(self, room: RoomId, snapshots: Sequence[OpenedSnapshot]) -> None:
        """Stores the states of snapshots that this device received and opened, each as the newest known state of its
        object unless one up to the same or a later position is stored. Called within `receive`."""
        for s in snapshots:
            self.put_base(room, s.obj, s.covers, s.state)

    def changes(self, snapshots: Sequence[OpenedSnapshot]) -> list[OpenedChange]:
        """The changes that these snapshots consist of, as they are stored among their objects' changes. The same ids on
        each call."""
        out: list[OpenedChange] = []
        for s in snapshots:
            for index, data in enumerate(s.state.changes):
                named = b"snapshot" + s.obj + s.n.to_bytes(8, "big") + index.to_bytes(4, "big")
                change_id = ChangeId(hashlib.sha256(named).digest()[:16])  # the same if a crash has it repeated
                out.append(
                    OpenedChange(n=s.n, t=s.t, uid=s.uid, dev=NO_DEVICE, obj=s.obj, change_id=change_id, payload=data)
                )
        return out

    def superseded(self, objs: Sequence[ObjId]) -> None:
        """Deletes the snapshots with which these objects began, since every change of them is here now. Called within
        `receive`."""
        self._db.conn.execute(sql.KEEP_LAST_ROW)
        self._db.conn.executemany(sql.DROP_STATE, [(obj,) for obj in objs])


def _base(row: Any) -> tuple[int, Compacted] | None:
    if row is None:
        return None
    n, digest, changes = row
    held, waits = _decoder.decode(changes)
    return n, Compacted(changes=held, digest=digest, waits=waits)


def _placed(row: Any) -> PlacedChange:
    n, place, change_id, author, t, data = row
    return PlacedChange(position_of(n, place), ChangeId(change_id), Uid(author), t, data)


def _at(reader: Connection, obj: ObjId, ns: Sequence[int]) -> list[Any]:
    """The object's rows at the positions `ns`, in the room's order: one query for every _AT_ONCE positions."""
    found: list[Any] = []
    ns = sorted(set(ns))
    for at in range(0, len(ns), _AT_ONCE):
        part = ns[at : at + _AT_ONCE]
        found += reader.execute(sql.placed_at(len(part)), (obj, *part))
    return found


def _positioned(reader: Connection, obj: ObjId, after: int, until: int, waits: Sequence[int]) -> list[PlacedChange]:
    early = _at(reader, obj, [n for n in waits if n <= after])
    rows = reader.execute(sql.POSITIONED, (obj, after, until))
    found = [_placed(row) for row in (*early, *rows)]
    prunes = [
        PlacedChange(position_of(n), ChangeId(b""), Uid(b""), 0, b"", position_of(covered))
        for n, covered in reader.execute(sql.PRUNES_OF, (obj,))
        if after < n <= until
    ]
    return sorted([*found, *prunes], key=lambda change: change.position) if prunes else found
