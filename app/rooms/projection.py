# SPDX-License-Identifier: EUPL-1.2
"""Turns the root object's records into the rows that lists read. Runs inside the store's transaction."""

from collections.abc import Sequence

from app.core.ids import ChangeId, ObjId, Uid
from app.objects.kind import ROOM, Kind
from app.rooms import belonging, put_away
from app.rooms.records import (
    ChangeLeftOut,
    ChildLinked,
    ObjectAnnounced,
    ObjectRetired,
    ParentLinked,
    PersonInvited,
    RoomNamed,
    decode,
    shown_title,
)
from app.store import left_out, objects, search, series, titles
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

LASTING = "chat"
"""▲ The kind whose objects nobody puts away. A room has one chat, and no view brings it back. If a member put it away,
the next chat that somebody announces would take its place."""


def project(conn: Connection, root: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes, within the caller's transaction, the rows that new records of a room's root object (the one that has the
    room's own records) make: its title, its objects, which of them are in the trash (never its chat), which changes are
    left out of them, and what it says about its parent and its children. BadChange for a record that makes no
    sense."""
    for change in changes:
        record = decode(change.data)
        match record:
            case RoomNamed():
                _name(conn, root, change, record)
            case ObjectAnnounced(obj=obj, kind=kind):
                objects.announce(conn, root.room, ObjId(obj), kind, change.t, change.author)
                _announce_part(conn, root, change, record)
                objects.keep(conn, root.room, LASTING)
            case ObjectRetired(obj=obj, on=on):
                objects.set_deleted(conn, root.room, ObjId(obj), on)
                put_away.note(conn, root.room, ObjId(obj), on, change)
                objects.keep(conn, root.room, LASTING)
            case ChangeLeftOut():
                _leave_out(conn, root, change, record)
            case ChildLinked() | ParentLinked():
                belonging.note(conn, change, record)
            case PersonInvited():
                pass  # it was read before the person joined the room, and concerns nobody else


def positioned(conn: Connection, root: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes, within the caller's transaction, the rows that depend on the position of a room's record. `changes` are
    own records, of the room's object `root`, that the server has now given a position. For a record that puts an object
    into the trash, the time is now the server's. A record by which an administrator has a change left out of an object
    takes effect only now. Which title the room has, which chats of a series count, and which rooms belong to which,
    follow from the positions of their records. Other records are skipped."""
    for change in changes:
        record = decode(change.data)
        if isinstance(record, RoomNamed):
            _name(conn, root, change, record)
        if isinstance(record, ObjectAnnounced):
            _announce_part(conn, root, change, record)
        if isinstance(record, ChildLinked | ParentLinked):
            belonging.note(conn, change, record)
        if isinstance(record, ObjectRetired):
            put_away.positioned(conn, change)
        if isinstance(record, ChangeLeftOut):
            _leave_out(conn, root, change, record)


def _name(conn: Connection, root: ObjectRow, change: StoredChange, record: RoomNamed) -> None:
    """Stores, within the caller's transaction, the title that a record gives the room, and has the room shown and found
    under its latest one."""
    title = titles.put(conn, change, shown_title(record.title), record.type)
    objects.set_title(conn, root.obj, title)
    entry = search.Entry(room=root.room, obj=root.obj, kind=ROOM, ref=b"", t=change.t, title=title, body="")
    search.put(conn, [entry])


def _announce_part(conn: Connection, root: ObjectRow, change: StoredChange, record: ObjectAnnounced) -> None:
    """Stores, within the caller's transaction, which series a chat was announced as part of. ▲ Not if the object is of
    another kind here. Otherwise a member could announce a document as the chat of a month, and what everybody writes in
    that month would be shown to nobody."""
    obj = ObjId(record.obj)
    is_ours = "SELECT 1 FROM objects WHERE obj = ? AND room = ? AND kind = ?"
    if record.kind == LASTING and conn.execute(is_ours, (obj, root.room, LASTING)).fetchone() is not None:
        part_of = ObjId(record.series) if record.series is not None else None
        series.announce(conn, root.room, obj, part_of, record.period, row=change.rowid, n=change.n, t=change.t)


def _leave_out(conn: Connection, root: ObjectRow, change: StoredChange, record: ChangeLeftOut) -> None:
    """Stores, within the caller's transaction, that a change is left out of its object, as the `record` in `change`
    says. Does nothing until the record has a position."""
    if change.n is None:
        return
    obj, author, which = ObjId(record.obj), Uid(record.author), ChangeId(record.change)
    left_out.leave_out(conn, root.room, obj, author, which, by=change.author, n=change.n, t=change.t, row=change.rowid)


KIND = Kind(
    id=ROOM,
    project=project,
    positioned=positioned,
    tables=(*put_away.TABLES, *belonging.TABLES),
    version=3,
)
