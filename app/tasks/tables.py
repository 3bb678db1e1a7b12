# SPDX-License-Identifier: EUPL-1.2
"""The rows that lists of tasks are read from: one per card. Written by projection.py, made again when VERSION rises."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, Table, Text

VERSION = 4

metadata = MetaData()

cards = Table(
    "board_cards",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("card", Text, primary_key=True),
    Column("room", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("col", Text, nullable=False),
    Column("column_title", Text, nullable=False),
    Column("assignee", LargeBinary),
    Column("due", Text),
    Column("done", Boolean, nullable=False),
    Column("labels", Text, nullable=False),
    Column("checked", BigInteger, nullable=False),
    Column("check_items", BigInteger, nullable=False),
    Column("t", BigInteger, nullable=False),
)
"""`due` is an ISO date; `labels` names and colours, one a line, `colour:name`."""
Index("board_cards_by_assignee", cards.c.assignee, cards.c.done, cards.c.due)
Index("board_cards_by_room", cards.c.room)

overwritten = Table(
    "board_overwritten",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("card", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("room", LargeBinary, nullable=False),
    Column("value", Text, nullable=False),
)
"""Descriptions that this account wrote and that were replaced by others which were not made from them: each must be
merged. `id` is the value's id, `value` its JSON."""

put_away = Table(
    "board_put_away",
    metadata,
    Column("obj", LargeBinary, primary_key=True),
    Column("card", Text, primary_key=True),
    Column("room", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("by", LargeBinary),
    Column("t", BigInteger, nullable=False),
    Column("written_by", LargeBinary),
    Column("written_t", BigInteger),
)
"""The cards in the trash. `written_t`: when a person other than `by` last wrote in one that was there already; NULL
once this account has opened it. `written_by` is NULL if it is not certain who wrote."""
Index("board_put_away_by_room", put_away.c.room)

TABLES = (cards, overwritten, put_away)
