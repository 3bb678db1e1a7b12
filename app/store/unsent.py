# SPDX-License-Identifier: EUPL-1.2
"""The changes and drafts that the server does not have, for a file of them; and the changes from such a file of another
device."""

from dataclasses import dataclass

from app.core.ids import ChangeId, ObjId, PartId, RoomId
from app.store.changes import Changes
from app.store.database import Database
from app.store.people import Me
from app.store.rows import Flush

_CHANGES = """SELECT o.row, c.room, c.obj, c.change_id, c.t, o.live, c.data
    FROM outbox o JOIN changes c ON c.row = o.row WHERE o.live <> ? AND c.n IS NULL ORDER BY o.row"""

_ROW = "SELECT row FROM changes WHERE change_id = ? AND room = ? AND author = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentChange:
    """A change of this person that has no position in its room yet. `t`: ms by this device's clock; `live`: a document
    edit; `parts`: the file parts that must be uploaded before it."""

    room: RoomId
    obj: ObjId
    change_id: ChangeId
    t: int
    live: bool
    data: bytes
    parts: tuple[PartId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentDraft:
    """A text that was typed into an object and not sent. `data`: as its tool wrote it."""

    room: RoomId
    obj: ObjId
    data: bytes


class UnsentRows:
    """Lists all unsent changes and drafts, for a file of unsent work, and stores the changes of such a file from
    another device (`offer`). Baselines (states for new members) are left out: the device that owes one makes it
    again."""

    def __init__(self, db: Database, me: Me, changes: Changes) -> None:
        self._db = db
        self._me = me
        self._changes = changes

    def changes(self) -> list[UnsentChange]:
        """All own changes that have no position, in the order in which they were written, also those that are encrypted
        for sending already; without baselines (states for new members)."""
        parts: dict[int, list[PartId]] = {}
        for row, part in self._db.rows("SELECT row, part FROM outbox_parts ORDER BY row, part"):
            parts.setdefault(row, []).append(part)
        return [
            UnsentChange(
                room=room,
                obj=obj,
                change_id=change_id,
                t=t,
                live=live == Flush.LIVE,
                data=data,
                parts=tuple(parts.get(row, ())),
            )
            for row, room, obj, change_id, t, live, data in self._db.rows(_CHANGES, (Flush.BASELINE,))
        ]

    def drafts(self) -> list[UnsentDraft]:
        """Every text that was typed and not sent, the oldest first."""
        rows = self._db.rows("SELECT room, obj, data FROM drafts ORDER BY t, obj")
        return [UnsentDraft(room=room, obj=obj, data=data) for room, obj, data in rows]

    def offer(self, change: UnsentChange) -> bool:
        """Stores an unsent change from another device of the same person, to be sent from this one. Returns False if it
        is stored here already. It is also emitted as a received change, so that an open view shows it."""
        key = (change.change_id, change.room, self._me.uid)
        if self._db.value(_ROW, key) is not None:
            return False
        self._changes.append(
            change.room,
            change.obj,
            change.data,
            live=change.live,
            blobs=change.parts,
            change_id=change.change_id,
            t=change.t,
        )
        written = self._changes.get(self._db.value(_ROW, key))
        if written is not None:
            self._changes.notify_received([written])
        return True
