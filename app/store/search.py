# SPDX-License-Identifier: EUPL-1.2
"""Full-text search over the texts that the tools write into it. Å, ä and ö are letters of their own: "får" does not
find "far".

Tools write through `put` and `drop` in their projections; the shell asks through `Search`. A word in a title counts
four times one in a body (the bm25 weights are in the table).
"""

# ruff: noqa: S608 - put together from constants; values always go as parameters

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.core import log
from app.core.ids import ObjId, RoomId
from app.core.words import words_of
from app.errors import StoreFault
from app.store.connection import Connection
from app.store.database import Database
from app.store.indexing import Indexing, index
from app.store.rows import SearchHit
from app.store.snippets import snippet

FEW = 16
FEW_CHARS = 4096
"""The most places, and characters of them together, that are left to `Indexing`. More than that is indexed in the same
transaction: otherwise all of it would be written twice."""
_PUT_DUE = """INSERT INTO search_due (obj, ref, room, kind, t, title, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (obj, ref) DO UPDATE SET room = excluded.room, kind = excluded.kind, t = excluded.t,
        title = excluded.title, body = excluded.body"""
_FIND = """
    SELECT r.id, r.room, coalesce((SELECT p.series FROM series p WHERE p.obj = r.obj AND p.counts), r.obj), r.kind,
        r.ref, coalesce(nullif(s.title, ''), o.title, ''), r.t, s.rank
    FROM search s JOIN search_rows r ON r.id = s.rowid LEFT JOIN objects o ON o.obj = r.obj
    WHERE search MATCH ? AND (? IS NULL OR r.room = ?) AND (? IS NULL OR r.kind = ?)
        AND NOT EXISTS (SELECT 1 FROM search_due d WHERE d.obj = r.obj AND d.ref = r.ref)
        AND (r.ref = x'' OR o.deleted IS NOT 1)
    ORDER BY s.rank, r.t DESC LIMIT ?"""
"""▲ A place that waits is not found by the words that the index has of it: somebody may have edited them away, and the
disk may refuse to index the new ones. An object in the trash is found, but no place in it, such as a card of a board:
nothing shows the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One place in an object that search can find, such as a message or a card. `ref` is the tool's own id of it,
    unique in the object; `t` its time in ms; `title` and `body` the texts to search."""

    room: RoomId
    obj: ObjId
    kind: str
    ref: bytes
    t: int
    title: str
    body: str


def put(conn: Connection, entries: Sequence[Entry]) -> None:
    """Adds places to the search index, or replaces those with the same object and `ref`; of several `entries` with the
    same ones the last counts. Inside the store's transaction.

    At most FEW places with at most FEW_CHARS characters together (a message that was sent or received) are only stored
    in `search_due`, 10 µs each. `Indexing` indexes them a moment after the commit. More than that are indexed at once.
    A commit of indexed places now and then merges parts of the index, which takes up to 50 ms of processor time with
    60,000 places.
    """
    rows = [(e.obj, e.ref, e.room, e.kind, e.t, e.title, e.body) for e in entries]
    if len(rows) <= FEW and sum(len(e.title) + len(e.body) for e in entries) <= FEW_CHARS:
        conn.executemany(_PUT_DUE, rows)
        conn.search_waits = True
        return
    index(conn, list({row[:2]: row for row in rows}.values()))


def set_times(conn: Connection, times: Sequence[tuple[int, ObjId, bytes]]) -> None:
    """Sets the times of places that were put before; ignores a place that was not. `times`: (time in ms, object, `ref`)
    of each place. Inside the store's transaction."""
    for table in ("search_due", "search_rows"):
        conn.executemany(f"UPDATE {table} SET t = ? WHERE obj = ? AND ref = ?", times)


def drop(conn: Connection, obj: ObjId, ref: bytes | None = None) -> None:
    """Removes the place `ref` of an object from the search index, or all its places if `ref` is None. Inside the
    store's transaction."""
    conn.long_commit = True
    where, params = ("obj = ? AND ref = ?", (obj, ref)) if ref is not None else ("obj = ?", (obj,))
    conn.execute(f"DELETE FROM search_due WHERE {where}", params)
    conn.execute(f"DELETE FROM search WHERE rowid IN (SELECT id FROM search_rows WHERE {where})", params)
    conn.execute(f"DELETE FROM search_rows WHERE {where}", params)


def drop_some(conn: Connection, obj: ObjId, limit: int) -> bool:
    """Removes places of an object (messages, cards …) from the search index, in the caller's transaction: at most
    `limit` that are indexed, and at most `limit` that wait for it. An indexed place takes about 0.1 ms. Returns False
    if none is left, True if there may be more."""
    due = conn.execute(
        "DELETE FROM search_due WHERE obj = ?1 AND ref IN (SELECT ref FROM search_due WHERE obj = ?1 LIMIT ?2)",
        (obj, limit),
    ).rowcount
    ids = [ident for (ident,) in conn.execute("SELECT id FROM search_rows WHERE obj = ? LIMIT ?", (obj, limit))]
    if ids:
        conn.long_commit = True
        marks = ", ".join("?" * len(ids))
        conn.execute(f"DELETE FROM search WHERE rowid IN ({marks})", ids)
        conn.execute(f"DELETE FROM search_rows WHERE id IN ({marks})", ids)
    return limit in (due, len(ids))


def drop_kind(conn: Connection, kind: str) -> None:
    """Removes all places (messages, cards …) of objects of the kind `kind` from the search index, before the kind's
    changes are indexed again. In the caller's transaction."""
    conn.execute("DELETE FROM search_due WHERE kind = ?", (kind,))
    conn.execute("DELETE FROM search WHERE rowid IN (SELECT id FROM search_rows WHERE kind = ?)", (kind,))
    conn.execute("DELETE FROM search_rows WHERE kind = ?", (kind,))


def match_of(text: str) -> str | None:
    """The full-text query for what a person typed: every word must occur, and may be the beginning of a longer word.
    None if `text` has no words."""
    return " AND ".join(f'"{word}"*' for word in words_of(text)) or None


class Search:
    """Searches the texts of all objects: 1–3 ms for a rare word among 100,000 places, 29 ms to rank a word that 10,000
    places have, 100 ms for one letter. Reading the found texts comes on top: 30 ms for a document of 40,000 lines."""

    def __init__(self, db: Database, indexing: Indexing) -> None:
        self._db = db
        self._indexing = indexing

    async def find(
        self, text: str, *, room: RoomId | None = None, kind: str | None = None, limit: int = 50
    ) -> list[SearchHit]:
        """Finds at most `limit` places that have the words of `text`, in the room `room` and of the kind of objects
        `kind`, or in all (None). Same results as `find_here`, but works in a thread: the time depends on the words, and
        the event loop must not wait for it. What was written a moment ago is indexed first. ▲ If the disk refuses that,
        everything else is found: a full disk does not end searching."""
        try:
            await self._indexing.index_due()
        except StoreFault as e:
            log.store.warning("not-indexed", code=e.code)
        return await asyncio.to_thread(self.find_here, text, room=room, kind=kind, limit=limit)

    def find_here(
        self, text: str, *, room: RoomId | None = None, kind: str | None = None, limit: int = 50
    ) -> list[SearchHit]:
        """Finds at most `limit` places that have the words of `text`, in the room `room` and of the kind of objects
        `kind`, or in all (None). The best places first, newest first among equals; [] if `text` has no words. Any
        thread, on a reading connection: rows that an open transaction has written are not found yet. On the loop's
        thread, what was written a moment ago is indexed first (StoreFault if the disk refuses that); on another it may
        not be found yet."""
        self._indexing.index_due_here()
        match = match_of(text)
        if match is None:
            return []
        words = words_of(text)
        with self._db.reader() as reader:
            rows = reader.execute(_FIND, (match, room, room, kind, kind, limit)).fetchall()
            return [
                SearchHit(
                    room=rm, obj=obj, kind=k, ref=ref, title=title, snippet=_snippet(reader, n, words), t=t, rank=rank
                )
                for n, rm, obj, k, ref, title, t, rank in rows
            ]


def _snippet(reader: Connection, row: int, words: Sequence[str]) -> str:
    """The part of a found place that is shown: about 16 words, with `words` between the control characters of
    app/store/snippets.py. `row`: the place in the index. Reads one text at a time: a hundred long documents at once
    would take 100 MB."""
    texts = reader.only("SELECT title, body FROM search WHERE rowid = ?", (row,))
    return snippet(texts, words)
