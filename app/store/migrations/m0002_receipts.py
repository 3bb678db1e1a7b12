# SPDX-License-Identifier: EUPL-1.2
"""Version 2: the server's receipts, and what shows that it was false. Frozen."""

STATEMENTS = (
    "CREATE TABLE receipts (room BLOB PRIMARY KEY, n INTEGER NOT NULL, proof BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE evidence (room BLOB NOT NULL, code TEXT NOT NULL, ours BLOB, theirs BLOB, claim BLOB,
       t INTEGER NOT NULL, PRIMARY KEY (room, code)) WITHOUT ROWID""",
)
