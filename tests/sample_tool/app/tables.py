# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists are read from. Made again when VERSION rises."""

VERSION = 1

MINUTES = (
    """CREATE TABLE minute_rows (obj BLOB NOT NULL PRIMARY KEY, room BLOB NOT NULL, by BLOB NOT NULL,
       t INTEGER NOT NULL, theirs INTEGER NOT NULL, words INTEGER NOT NULL, pending INTEGER NOT NULL)""",
    "CREATE INDEX minute_rows_pending ON minute_rows (pending)",
)
"""`by` wrote last, at `t` (ms). `theirs`: the store's row of the last change that somebody else wrote; 0 for none.
`words` and the search text are right when `pending` is 0 (app/richtext/indexing.py)."""

AGENDA = (
    """CREATE TABLE agenda_items (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, room BLOB NOT NULL, item BLOB NOT NULL,
       author BLOB NOT NULL, own INTEGER NOT NULL, stated_by BLOB, t INTEGER NOT NULL, text TEXT NOT NULL,
       UNIQUE (obj, item, author))""",
    "CREATE INDEX agenda_items_by_room ON agenda_items (room)",
    """CREATE TABLE agenda_closed (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, item BLOB NOT NULL,
       sort INTEGER NOT NULL, on_ INTEGER NOT NULL)""",
    "CREATE INDEX agenda_closed_by_item ON agenda_closed (obj, item, sort)",
)
"""`sort` is the server's position, or behind all positions while the server does not have the change. ▲ An item belongs
to its author: another person's item under the same id is another one."""
