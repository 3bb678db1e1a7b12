# SPDX-License-Identifier: EUPL-1.2
"""The rows of an agenda: a row for each item, and one for each time that it was closed or opened again."""

from collections.abc import Sequence

from app.core.ids import ObjId, RoomId
from app.store import counters, notice_rows, objects, search
from app.store.connection import Connection
from app.store.counters import Counter, Latest
from app.store.notice_rows import Notice, NoticeKind, of_change
from app.store.rows import MAX_UNREAD, ObjectRow, StoredChange
from tests.sample_tool.app.records import ItemAdded, item_in

KIND_ID = "agenda"
_PENDING = 1 << 62

_ADD = """INSERT INTO agenda_items (row, obj, room, item, author, own, stated_by, t, text)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_CLOSE = "INSERT OR REPLACE INTO agenda_closed (row, obj, item, sort, on_) VALUES (?, ?, ?, ?, ?)"
IS_CLOSED = """coalesce((SELECT c.on_ FROM agenda_closed c WHERE c.obj = i.obj AND c.item = i.item
    ORDER BY c.sort DESC LIMIT 1), 0)"""
_COUNT = f"""SELECT count(*) FROM (SELECT 1 FROM agenda_items i
    WHERE i.obj = ? AND i.row > ? AND NOT i.own AND i.stated_by IS NULL AND NOT {IS_CLOSED} LIMIT ?)"""  # noqa: S608
_LATEST = "SELECT t, author, text FROM agenda_items WHERE obj = ? ORDER BY row DESC LIMIT 1"


ADDED = NoticeKind(id="agenda-item", asks=False)
"""Somebody added an item."""


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> Sequence[Notice]:
    """Writes the rows and search entries of new records. Returns the notices that they make. BadChange for a change
    that holds none."""
    found = [(change, item_in(change.data)) for change in changes]
    entries, notices = [], list[Notice]()
    for change, record in found:
        if isinstance(record, ItemAdded):
            by = record.stated_by or None
            row = (change.rowid, obj.obj, obj.room, record.item, change.author, change.own, by, change.t, record.text)
            conn.execute(_ADD, row)
            entries.append(_entry(obj, change, record))
            if by is None:
                notices.append(of_change(ADDED, change, ref=record.item))
        else:
            conn.execute(_CLOSE, (change.rowid, obj.obj, record.item, _sort(change), record.on))
            (notice_rows.hide if record.on else notice_rows.unhide)(conn, obj.obj, record.item)
    search.put(conn, entries)
    count(conn, obj.room, obj.obj)
    return notices


def positioned(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Own changes have received their position and time."""
    conn.executemany("UPDATE agenda_closed SET sort = ? WHERE row = ?", [(_sort(c), c.rowid) for c in changes])
    conn.executemany("UPDATE agenda_items SET t = ? WHERE row = ?", [(c.t, c.rowid) for c in changes])
    count(conn, obj.room, obj.obj)


def count(conn: Connection, room: RoomId, obj: ObjId) -> None:
    """Stores what an agenda counts: the open items of others that this person has not seen."""
    unread = conn.value(_COUNT, (obj, objects.read_mark(conn, obj), MAX_UNREAD))
    latest = conn.execute(_LATEST, (obj,)).fetchone()
    last = Latest(t=latest[0], by=latest[1], preview=latest[2]) if latest is not None else None
    counters.put(conn, room, obj, Counter(unread=int(unread or 0), last=last))


def _sort(change: StoredChange) -> int:
    return change.n if change.n is not None else _PENDING + change.rowid


def _entry(obj: ObjectRow, change: StoredChange, record: ItemAdded) -> search.Entry:
    return search.Entry(
        room=obj.room, obj=obj.obj, kind=KIND_ID, ref=record.item, t=change.t, title="", body=record.text
    )
