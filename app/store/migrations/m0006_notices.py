# SPDX-License-Identifier: EUPL-1.2
"""Version 6: what happened to people's keys. FORMAT.md says what each column means. Frozen."""

STATEMENTS = (
    "CREATE TABLE key_watch (uid BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE key_notices (id INTEGER PRIMARY KEY, uid BLOB NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL,
       other BLOB NOT NULL, t INTEGER NOT NULL, done INTEGER, UNIQUE (uid, kind, seq, other))""",
)
