# SPDX-License-Identifier: EUPL-1.2
"""Version 5: objects as their state. FORMAT.md says what each column means. Frozen."""

STATEMENTS = (
    """CREATE TABLE snapshots (obj BLOB PRIMARY KEY, room BLOB NOT NULL, n INTEGER NOT NULL, digest BLOB NOT NULL,
       changes BLOB NOT NULL)""",
)
