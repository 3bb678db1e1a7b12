# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of tasks are read from: one per card. Written by projection.py, made again when VERSION rises."""

VERSION = 4

_CARDS = (
    """CREATE TABLE board_cards (obj BLOB NOT NULL, card TEXT NOT NULL, room BLOB NOT NULL, title TEXT NOT NULL,
       col TEXT NOT NULL, column_title TEXT NOT NULL, assignee BLOB, due TEXT, done INTEGER NOT NULL,
       labels TEXT NOT NULL, checked INTEGER NOT NULL, check_items INTEGER NOT NULL, t INTEGER NOT NULL,
       PRIMARY KEY (obj, card))""",
    "CREATE INDEX board_cards_by_assignee ON board_cards (assignee, done, due)",
    "CREATE INDEX board_cards_by_room ON board_cards (room)",
)
"""`due` is an ISO date; `labels` names and colours, one a line, `colour:name`."""

_OVERWRITTEN = (
    """CREATE TABLE board_overwritten (obj BLOB NOT NULL, card TEXT NOT NULL, id TEXT NOT NULL, room BLOB NOT NULL,
       value TEXT NOT NULL, PRIMARY KEY (obj, card, id))""",
)
"""Descriptions that this account wrote and that were replaced by others which were not made from them: each must be
merged. `id` is the value's id, `value` its JSON."""

_PUT_AWAY = (
    """CREATE TABLE board_put_away (obj BLOB NOT NULL, card TEXT NOT NULL, room BLOB NOT NULL, title TEXT NOT NULL,
       by BLOB, t INTEGER NOT NULL, written_by BLOB, written_t INTEGER, PRIMARY KEY (obj, card))""",
    "CREATE INDEX board_put_away_by_room ON board_put_away (room)",
)
"""The cards in the trash. `written_t`: when a person other than `by` last wrote in one that was there already; NULL
once this account has opened it. `written_by` is NULL if it is not certain who wrote."""

IN_PLACE = "NOT EXISTS (SELECT 1 FROM objects o WHERE o.obj = c.obj AND o.deleted)"
"""Whether the board of `c`, a row of one of these tables, is not in the room's trash. The rows stay while it is there,
so that they are listed again once the board is restored."""

TABLES = (*_CARDS, *_OVERWRITTEN, *_PUT_AWAY)
