# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of documents are read from. Written by projection.py, made again when VERSION rises."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, SmallInteger, Table, Text

VERSION = 3

metadata = MetaData()

documents = Table(
    "document_rows",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("room", LargeBinary, nullable=False),
    Column("by", LargeBinary, nullable=False),
    Column("words", BigInteger, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("pending", SmallInteger, nullable=False),
)
"""`by` wrote last; `words`, `excerpt` and the search index are right when `pending` is 0 (see indexing.py)."""
Index("document_rows_by_room", documents.c.room)
Index("document_rows_pending", documents.c.pending)

TABLES = (documents,)
