# SPDX-License-Identifier: EUPL-1.2
"""Version 4: the items of the last months as they came, for a server that loses them. Frozen."""

STATEMENTS = (
    """CREATE TABLE kept_items (room BLOB NOT NULL, n INTEGER NOT NULL, t INTEGER NOT NULL, kind INTEGER NOT NULL,
       body BLOB NOT NULL, sig BLOB NOT NULL, ct BLOB, size INTEGER NOT NULL, PRIMARY KEY (room, n))""",
    "CREATE INDEX kept_items_by_t ON kept_items (t, size)",
)
