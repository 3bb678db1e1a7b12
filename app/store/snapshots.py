# SPDX-License-Identifier: EUPL-1.2
"""Objects as their state: `SnapshotPort`, and what a newcomer begins with.

A snapshot that was opened lies among the object's changes, with an empty `dev`, until every change before it is here.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.store import statements as sql
from app.store.changes import stored_change
from app.store.database import Database
from app.store.journal import Journal
from app.store.projection import Projector
from sync.client.ports import Compact, Compacted, OpenedChange, OpenedSnapshot

NO_DEVICE = DevId(b"")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[bytes, ...])


class Snapshots:
    """Every method is one transaction."""

    def __init__(self, db: Database, kinds: Mapping[str, Projector], journal: Journal) -> None:
        self._db = db
        self._kinds = kinds
        self._journal = journal

    def compactor(self, obj: ObjId) -> Compact | None:
        """How an object's changes are made its state; None for one of a kind that has no snapshots, or unknown."""
        found = self._db.one("SELECT kind, room FROM objects WHERE obj = ?", (obj,))
        kind = self._kinds.get(found[0]) if found else None
        if found is None or kind is None or kind.compact is None:
            return None
        compact, room = kind.compact, RoomId(found[1])
        ends = [stored_change(row, None) for row in self._db.rows(sql.ENDS_OF, (obj, obj))]

        def named(changes: Sequence[tuple[Uid, bytes]]) -> Compacted | None:
            with self._journal.merging(room, obj, ends):
                return compact(changes)

        return named

    def base(self, obj: ObjId) -> tuple[int, Compacted] | None:
        """(position, the state up to there) that this device last computed or opened."""
        found = self._db.one(sql.BASE, (obj,))
        if found is None:
            return None
        n, digest, changes = found
        return n, Compacted(changes=_decoder.decode(changes), digest=digest)

    def put_base(self, room: RoomId, obj: ObjId, n: int, state: Compacted) -> None:
        """Keeps it in place of an older one."""
        with self._db.transaction():
            self._db.raw.execute(sql.SET_BASE, (obj, room, n, state.digest, _encoder.encode(state.changes)))

    def forget_base(self, obj: ObjId) -> None:
        """It was false: the next state begins from the start."""
        with self._db.transaction():
            self._db.raw.execute("DELETE FROM snapshots WHERE obj = ?", (obj,))

    def positioned(self, obj: ObjId, after: int, until: int) -> list[tuple[Uid, bytes]]:
        """(author, data) of the object's changes at positions after < n ≤ until, in the room's order, without the
        snapshot that was opened."""
        return [(author, data) for author, data in self._db.rows(sql.POSITIONED, (obj, after, until))]

    def grown(self, obj: ObjId, after: int) -> tuple[int, int]:
        """(positions, bytes) of the object's changes after a position."""
        found = self._db.one(sql.GROWN, (obj, after))
        return (found[0], found[1]) if found else (0, 0)

    async def between(self, asked: Sequence[tuple[ObjId, int, int]]) -> list[tuple[int, int]]:
        """(positions, bytes) of each (object, after, until), read in a thread: a long object has 200,000 changes."""

        def read() -> list[tuple[int, int]]:
            with self._db.reader() as reader:
                found = [reader.exec_driver_sql(sql.BETWEEN, span).one() for span in asked]
                return [(count, size) for count, size in found]

        return await asyncio.to_thread(read)

    def opened(self, room: RoomId, snapshots: Sequence[OpenedSnapshot]) -> None:
        """Keeps snapshots that a newcomer begins with. Within `receive`."""
        for s in snapshots:
            self.put_base(room, s.obj, s.covers, s.state)

    def changes(self, snapshots: Sequence[OpenedSnapshot]) -> list[OpenedChange]:
        """The changes that snapshots are, the same each time."""
        out: list[OpenedChange] = []
        for s in snapshots:
            for index, data in enumerate(s.state.changes):
                named = b"snapshot" + s.obj + s.n.to_bytes(8, "big") + index.to_bytes(4, "big")
                change_id = ChangeId(hashlib.sha256(named).digest()[:16])  # the same when a crash repeats it
                out.append(
                    OpenedChange(n=s.n, t=s.t, uid=s.uid, dev=NO_DEVICE, obj=s.obj, change_id=change_id, payload=data)
                )
        return out

    def superseded(self, room: RoomId, whole: Sequence[ObjId]) -> None:
        """Every change of these objects is here: the snapshots among them go. Within `receive`."""
        self._db.raw.executemany(sql.DROP_SNAPSHOTS, [(room, obj) for obj in whole])
