# SPDX-License-Identifier: EUPL-1.2
"""A document's row for lists and its text for search.

A keystroke only marks the row (some microseconds): reading 100 pages into the index takes tens of milliseconds, so
`index` does that a moment later, once for many changes. Both run inside the store's transaction.
"""

from collections.abc import Sequence

from app.core.visible import one_line
from app.objects.pieces import check
from app.richtext.model import Document
from app.store import objects, search
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange

KIND_ID = "document"
EXCERPT_CHARS = 160

_MARK = """INSERT INTO document_rows (obj, room, by, words, excerpt, pending) VALUES (?, ?, ?, 0, '', 1)
    ON CONFLICT (obj) DO UPDATE SET by = excluded.by, pending = 1"""
_SET = "UPDATE document_rows SET words = ?, excerpt = ?, pending = 0 WHERE obj = ?"


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Checks new changes of a document (at least one, in order), stores the title of the newest that gives one, and
    marks the document's row to be indexed, with the last change's author. All within the caller's transaction.
    BadChange for a change whose data or update is damaged."""
    titles = [title for change in changes if (title := check(change.data))]
    conn.execute(_MARK, (obj.obj, obj.room, changes[-1].author))
    if titles:
        objects.set_title(conn, obj.obj, titles[-1])


def index(conn: Connection, obj: ObjectRow, document: Document) -> None:
    """Writes a document's title, word count, excerpt and search text from its merged content, and takes away the
    mark that it must be indexed. An empty title leaves the listed one as it is. Within the caller's transaction."""
    text = document.plain_text()
    excerpt = one_line(text[: 4 * EXCERPT_CHARS], EXCERPT_CHARS)
    conn.execute(_SET, (document.words, excerpt, obj.obj))
    if document.title and document.title != obj.title:
        objects.set_title(conn, obj.obj, document.title)
    entry = search.Entry(
        room=obj.room, obj=obj.obj, kind=KIND_ID, ref=b"", t=obj.updated, title=document.title, body=text
    )
    search.put(conn, [entry])
