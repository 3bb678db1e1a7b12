# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of documents are read from. Written by projection.py, made again when VERSION rises."""

VERSION = 3

TABLES = (
    """CREATE TABLE document_rows (obj BLOB NOT NULL PRIMARY KEY, room BLOB NOT NULL, by BLOB NOT NULL,
       words INTEGER NOT NULL, excerpt TEXT NOT NULL, pending INTEGER NOT NULL)""",
    "CREATE INDEX document_rows_by_room ON document_rows (room)",
    "CREATE INDEX document_rows_pending ON document_rows (pending)",
)
"""`by` wrote last; `words`, `excerpt` and the search index are right when `pending` is 0 (app/richtext/indexing.py)."""
