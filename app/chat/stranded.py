# SPDX-License-Identifier: EUPL-1.2
"""Own messages that reach nobody where they were written: their month was destroyed before they were sent, or the
object that was announced for them is no part of the conversation (app/store/series.py).

The person learns of them, and can have them written once more in the present month, or discard them. What is about
other messages there, such as reactions, is dropped: they are gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from app.chat.ports import Blobs
from app.chat.records import MessageDeleted, MessageEdited, MessageSent, ReactionSet, Record, decode, encode
from app.chat.settling import refresh_channel
from app.chat.writing import Writing
from app.core.ids import ChangeId, RoomId, Uid
from app.errors import BadChange
from app.store.changes import Changes, stored_change
from app.store.database import Database
from app.store.rows import StoredChange
from app.store.series import PENDING, is_destroyed
from app.store.statements import CHANGE, MOVED

_COLUMNS = ", ".join(f"c.{name}" for name in CHANGE.split(", "))
_OF_DESTROYED = f"""SELECT {_COLUMNS} FROM outbox x JOIN changes c ON c.row = x.row JOIN series s ON s.obj = c.obj
    WHERE x.room = ? AND x.batch IS NULL AND c.n IS NULL AND EXISTS (SELECT 1 FROM events e
    WHERE e.room = c.room AND e.kind = 'destroy' AND e.obj = c.obj)"""  # noqa: S608 - constants
_OF_NO_PART = f"""SELECT {_COLUMNS} FROM series s JOIN changes c ON c.obj = s.obj WHERE s.room = ? AND NOT s.counts
    AND s.position < {PENDING} AND c.author = ? AND c.dev IS NULL AND c.unprojected IS NOT '{MOVED}'"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class StrandedCount:
    """How many own messages were not sent because their month was destroyed (`destroyed`), how many reach nobody for
    another reason (`apart`: this computer's clock was wrong, or the month had too many objects), and how many edits,
    deletions and reactions of this person to other messages reach nobody in such objects (`notes`): those messages are
    gone."""

    destroyed: int
    apart: int
    notes: int


class Stranded:
    """Finds the stranded messages of one account, and writes them once more or discards them. `me` returns the
    account's person. Without `blobs` no parts of files are uploaded again."""

    def __init__(
        self, db: Database, changes: Changes, writing: Writing, blobs: Blobs | None, me: Callable[[], Uid]
    ) -> None:
        self._blobs = blobs
        self._db = db
        self._changes = changes
        self._writing = writing
        self._me = me

    def count(self, room: RoomId) -> StrandedCount:
        """What is stranded in the room on this device."""
        found = self._found(room)
        sent = [change for change, record in found if isinstance(record, MessageSent)]
        gone = [change for change in sent if is_destroyed(self._db, room, change.obj)]
        moved = {change.change_id for change in sent}
        notes = [record for _, record in found if not isinstance(record, MessageSent) and _target(record) not in moved]
        return StrandedCount(destroyed=len(gone), apart=len(sent) - len(gone), notes=len(notes))

    def write_again(self, room: RoomId) -> Sequence[StoredChange]:
        """Writes this person's stranded messages of the room once more, in their order: those that reach nobody, since
        their month was destroyed before they were sent or their object does not count. They go into the present month,
        under new ids, with this person's later edits of them, in one transaction. This person's edits, deletions and
        reactions to other messages of such objects are dropped. Returns the old changes of all these, in the order in
        which they were written; from now on they are ignored. Returns [] if nothing is stranded. NotFound if a message
        is stranded and the room has no conversation."""
        found = self._found(room)
        moved: dict[bytes, ChangeId] = {}
        with self._db.transaction() as conn:
            for change, record in found:
                if isinstance(record, MessageSent):
                    moved[change.change_id] = self._again(room, change, record, moved)
                elif (about := _target(record)) in moved:
                    target = moved[about]
                    place = self._writing.place_of(room, target)
                    assert place is not None  # noqa: S101 - it was just written
                    self._changes.append(room, place, encode(msgspec.structs.replace(record, target=target)))
            self._changes.withdraw([change for change, _ in found])
            refresh_channel(conn, room)
        return [change for change, _ in found]

    def discard(self, room: RoomId) -> Sequence[StoredChange]:
        """Removes this person's stranded messages of the room for good, with their files, and this person's edits,
        deletions and reactions in the objects that they are in. What reached the server in an object that does not
        count stays there until its month is disposed of. Returns the old changes of all these; from now on they are
        ignored. Returns [] if nothing is stranded."""
        changes = [change for change, _ in self._found(room)]
        with self._db.transaction() as conn:
            self._changes.withdraw(changes)
            refresh_channel(conn, room)
        return changes

    def _again(self, room: RoomId, change: StoredChange, record: MessageSent, moved: dict[bytes, ChangeId]) -> ChangeId:
        obj = self._writing.place(room)
        if record.reply_to is not None:
            answered = record.reply_obj if record.reply_obj is not None else change.obj
            answers = moved.get(record.reply_to, record.reply_to)
            record = msgspec.structs.replace(record, reply_to=answers, reply_obj=answered)
        parts = [] if self._blobs is None else self._blobs.give(obj, [file.manifest for file in record.attachments])
        return self._writing.write(room, obj, record, parts)

    def _found(self, room: RoomId) -> list[tuple[StoredChange, Record]]:
        """The own changes of the room that reach nobody, in the order in which they were written."""
        me = self._me()
        rows = [*self._db.rows(_OF_DESTROYED, (room,)), *self._db.rows(_OF_NO_PART, (room, me))]
        changes = {change.rowid: change for change in (stored_change(row, me) for row in rows)}  # one may be in both
        ordered = [changes[rowid] for rowid in sorted(changes)]
        return [(change, record) for change in ordered if (record := _record(change)) is not None]


def _target(record: Record) -> bytes:
    """The message that an edit, a deletion or a reaction is about; b"" for any other record."""
    return record.target if isinstance(record, MessageEdited | MessageDeleted | ReactionSet) else b""


def _record(change: StoredChange) -> Record | None:
    try:
        return decode(change.data)
    except BadChange:
        return None
