# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of tasks are read from: one per card, column and label. Written by projection.py and names.py,
made again when VERSION rises."""

VERSION = 5

_CARDS = (
    """CREATE TABLE board_cards (obj BLOB NOT NULL, card TEXT NOT NULL, room BLOB NOT NULL, title TEXT NOT NULL,
       col TEXT NOT NULL, assignee BLOB, due TEXT, labels TEXT NOT NULL, checked INTEGER NOT NULL,
       check_items INTEGER NOT NULL, t INTEGER NOT NULL, PRIMARY KEY (obj, card))""",
    "CREATE INDEX board_cards_by_assignee ON board_cards (assignee, due)",
    "CREATE INDEX board_cards_by_room ON board_cards (room)",
)
"""`col` is the id of the column that the card names, which may be gone; `due` an ISO date; `labels` the ids of labels,
as a JSON list."""

_NAMES = (
    """CREATE TABLE board_columns (obj BLOB NOT NULL, col TEXT NOT NULL, title TEXT NOT NULL, done INTEGER NOT NULL,
       is_first INTEGER NOT NULL, PRIMARY KEY (obj, col))""",
    "CREATE INDEX board_columns_by_place ON board_columns (obj, is_first)",
    """CREATE TABLE board_labels (obj BLOB NOT NULL, label TEXT NOT NULL, colour TEXT NOT NULL, name TEXT NOT NULL,
       PRIMARY KEY (obj, label))""",
)
"""`is_first`: the column shows also the cards whose column is gone."""

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

TABLES = (*_CARDS, *_NAMES, *_OVERWRITTEN, *_PUT_AWAY)
