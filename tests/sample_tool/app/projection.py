# SPDX-License-Identifier: EUPL-1.2
"""The rows of minutes. A keystroke only marks the row; `index` reads the text a moment later."""

from collections.abc import Sequence

from app.core.ids import ObjId, RoomId
from app.objects.pieces import check, compaction
from app.richtext.indexing import UNINDEXED
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS, TITLE_AT, Document
from app.store import counters, objects, search
from app.store.connection import Connection
from app.store.counters import Counter, Latest
from app.store.rows import ObjectRow, StoredChange

KIND_ID = "minute"

_MARK = """INSERT INTO minute_rows (obj, room, by, t, theirs, words, pending) VALUES (?, ?, ?, ?, ?, 0, ?)
    ON CONFLICT (obj) DO UPDATE SET by = excluded.by, t = excluded.t, theirs = max(theirs, excluded.theirs),
        pending = excluded.pending"""
_LATEST = """SELECT m.by, m.t, m.theirs, o.title FROM minute_rows m JOIN objects o ON o.obj = m.obj WHERE m.obj = ?"""


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Checks new changes, stores the newest title, marks the row and counts. BadChange for a change that is no
    update."""
    titles = [title for change in changes if (title := check(change.data))]
    theirs = max((change.rowid for change in changes if not change.own), default=0)
    last = changes[-1]
    conn.execute(_MARK, (obj.obj, obj.room, last.author, last.t, theirs, UNINDEXED))
    if titles:
        objects.set_title(conn, obj.obj, titles[-1])
    count(conn, obj.room, obj.obj)


def count(conn: Connection, room: RoomId, obj: ObjId) -> None:
    """Stores what minutes count: one, from somebody else's change until this person has seen it."""
    found = conn.execute(_LATEST, (obj,)).fetchone()
    if found is not None:
        by, t, theirs, title = found
        unread = int(theirs > objects.read_mark(conn, obj))
        counters.put(conn, room, obj, Counter(unread=unread, last=Latest(t=t, by=by, preview=title)))


def index(conn: Connection, obj: ObjectRow, document: Document) -> None:
    """Brings title, number of words and search text up to date."""
    conn.execute("UPDATE minute_rows SET words = ?, pending = 0 WHERE obj = ?", (document.words, obj.obj))
    if document.title and document.title != obj.title:
        objects.set_title(conn, obj.obj, document.title)
    entry = search.Entry(
        room=obj.room,
        obj=obj.obj,
        kind=KIND_ID,
        ref=b"",
        t=obj.updated,
        title=document.title,
        body=document.plain_text(),
    )
    search.put(conn, [entry])


compact = compaction(texts=ROOT_TEXTS, maps=ROOT_MAPS, title_at=TITLE_AT)
