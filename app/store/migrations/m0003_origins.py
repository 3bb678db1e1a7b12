# SPDX-License-Identifier: EUPL-1.2
"""Version 3: rooms that continue a stopped one. FORMAT.md says what each column means. Frozen."""

STATEMENTS = (
    """CREATE TABLE origins (room BLOB PRIMARY KEY, old BLOB NOT NULL, n INTEGER NOT NULL, rh BLOB NOT NULL,
       by BLOB NOT NULL, step INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX origins_by_old ON origins (old)",
)
