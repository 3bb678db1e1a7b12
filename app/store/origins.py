# SPDX-License-Identifier: EUPL-1.2
"""Rooms that claim to continue a stopped one, how far this device has followed them, and the own changes that are
offered there again. Whether a claim is believed is decided by the engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from app.core.ids import ChangeId, Hash, ObjId, RoomId, Uid
from app.store import statements as sql
from app.store.changes import Changes, stored_change
from app.store.connection import Connection
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.people import Me
from app.store.room_marks import note_continued
from app.store.rows import StoredChange
from sync.client.ports import RoomEvent

SuccessorForm = Callable[[StoredChange], tuple[ObjId, bytes] | None]
"""An own change of the old room in its form for the successor: its object there and its data; None if it is not
offered."""

MAX_HOPS = 16
"""How many rooms that continue each other are followed back: somebody could make a long row of them."""
_COLUMNS = "room, old, n, rh, by, step"
_OWN = f"""SELECT {sql.CHANGE} FROM changes WHERE room = ? AND author = ? AND (n IS NULL OR n > ?)
    AND {sql.MERGED} ORDER BY n IS NULL, n, row"""  # noqa: S608 - constants

_FOUNDED = "SELECT 1 FROM origins WHERE room = ? AND by = ?"


class Step(IntEnum):
    """How far this device has come with a successor: a room that continues one that stopped for good."""

    CLAIMED = 0
    """Its genesis has been read; nothing is done yet."""
    FOLLOWED = 1
    """Own changes are offered there; the founder has still to invite the members."""
    DONE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRow:
    """The claim of a room that it continues a stopped one. `room`: the new room, founded by `by`. `old`: the stopped
    room; `n` and `rh`: the position of it, and the hash there, that the new room's first entry names. `step`: how far
    this device has followed the new room."""

    room: RoomId
    old: RoomId
    n: int
    rh: Hash
    by: Uid
    step: Step


def note(conn: Connection, room: RoomId, event: RoomEvent) -> None:
    """If an accepted entry is the first one of a room and names another room that it continues, stores that claim,
    unverified, in the caller's transaction. A second call changes nothing."""
    origin = event.origin
    if origin is not None and origin.room != room:
        conn.execute(
            "INSERT OR IGNORE INTO origins (room, old, n, rh, by) VALUES (?, ?, ?, ?, ?)",
            (room, origin.room, min(origin.n, sql.MAX_INT), origin.rh, event.by),
        )


def founded(conn: Connection, room: RoomId, by: Uid) -> bool:
    """▲ Whether `by` opened this room as the successor of another: only they may carry records over (write old messages
    of others into it). It follows from the record alone and is the same on every device. The author that a carried
    record shows is decided separately (app/chat/originals.py)."""
    return conn.execute(_FOUNDED, (room, by)).fetchone() is not None


class Origins:
    """Stores which rooms claim to continue a stopped one, and copies this person's own changes into them."""

    def __init__(self, db: Database, me: Me, changes: Changes, outbox: Outbox) -> None:
        self._db = db
        self._me = me
        self._changes = changes
        self._outbox = outbox

    def all(self) -> list[OriginRow]:
        """Every successor, oldest first."""
        return self._select("ORDER BY rowid", ())

    def unfinished(self) -> list[OriginRow]:
        """The successors (rooms that continue a stopped one) with something left to do on this device: those not
        followed to the end, and those whose old room has unsent changes again. Oldest first."""
        return self._select(
            "WHERE step < ? OR EXISTS (SELECT 1 FROM outbox x WHERE x.room = origins.old) ORDER BY rowid", (Step.DONE,)
        )

    def of(self, room: RoomId) -> OriginRow | None:
        """The claim of `room` that it continues a stopped room; None if it makes none."""
        return next(iter(self._select("WHERE room = ?", (room,))), None)

    def successors(self, old: RoomId) -> list[OriginRow]:
        """The rooms that claim to continue this one, oldest first."""
        return self._select("WHERE old = ? ORDER BY rowid", (old,))

    def set_step(self, room: RoomId, step: Step) -> None:
        """Stores how far this device has come with `room`, which continues a stopped room. A step before the stored one
        changes nothing."""
        with self._db.transaction():
            self._db.conn.execute("UPDATE origins SET step = max(step, ?) WHERE room = ?", (step, room))

    def note_believed(self, origin: OriginRow) -> bool:
        """Stores, for the lines of the old room (room_lines.py), that `origin.room` continues it. Call it once that
        claim is believed. Returns whether it was new."""
        with self._db.transaction():
            return note_continued(self._db.conn, origin.old, origin.room, origin.by)

    def own(self, room: RoomId, after: int) -> list[StoredChange]:
        """This account's own changes of a room above position `after`, in order, without those that are not merged here
        (void ones, for example); those without a position come last."""
        me = self._me.uid
        return [stored_change(row, me) for row in self._db.rows(_OWN, (room, me, after))]

    def offer(self, origin: OriginRow, after: int, form_of: SuccessorForm) -> int:
        """Writes the account's own changes of the old room into its successor under the same change ids, in their
        order, and empties the old room's outbox. Only changes above the old room's position `after`, and those without
        a position. `form_of` is given each change and returns (object in the new room, data), None if it is not to be
        offered. Returns how many were new: a change that was offered before is left as it is. One transaction: an error
        of `form_of` undoes all of it."""
        count = 0
        with self._db.transaction():
            for change in self.own(origin.old, after):
                here = form_of(change)
                if here is not None and not self.is_there(origin.room, change):
                    self._changes.append(
                        origin.room, *here, change_id=change.change_id, blobs=self._parts(change), t=change.t
                    )
                    count += 1
            self._outbox.drop(origin.old)
        return count

    def is_there(self, room: RoomId, change: StoredChange) -> bool:
        """Whether `change`, an own change of a stopped room, has been offered (written once more under its id) in
        `room`, which continues that room."""
        rows = self._db.rows(sql.known_changes(1), (change.change_id,))
        return any((r, author) == (room, change.author) for _, r, _, author, *_ in rows)

    def refused(self, room: RoomId) -> set[tuple[ObjId, ChangeId]]:
        """The account's own changes of a room that are void there because their CRDT client number belongs to a
        different person: (object, change id)."""
        return {(ObjId(obj), ChangeId(c)) for obj, c in self._db.rows(sql.OWN_FOREIGN, (room, self._me.uid))}

    def _parts(self, change: StoredChange) -> Sequence[bytes]:
        return [part for (part,) in self._db.rows("SELECT part FROM outbox_parts WHERE row = ?", (change.rowid,))]

    def _select(self, where: str, params: tuple[object, ...]) -> list[OriginRow]:
        rows = self._db.rows(f"SELECT {_COLUMNS} FROM origins {where}", params)  # noqa: S608 - constants
        return [
            OriginRow(room=room, old=old, n=n, rh=rh, by=by, step=Step(step)) for room, old, n, rh, by, step in rows
        ]
