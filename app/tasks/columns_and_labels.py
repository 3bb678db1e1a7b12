# SPDX-License-Identifier: EUPL-1.2
"""Stores the columns and labels of boards as rows of their own, for lists and search that read no CRDT.

A card's row has only the ids of its column and its labels. So if a column is renamed, moved, or marked as the one for
finished tasks, at most two rows change, however many cards are in it.
"""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from app.core.ids import ObjId
from app.store.connection import Connection
from app.tasks.model import Board, Card

CARDS = """(SELECT b.room, b.obj, b.card, b.title, b.assignee, b.due, b.labels, b.checked, b.check_items,
    coalesce(c.title, f.title, '') AS column_title, coalesce(c.done, f.done, 0) AS done FROM board_cards b
    LEFT JOIN board_columns c ON c.obj = b.obj AND c.col = b.col
    LEFT JOIN board_columns f ON f.obj = b.obj AND f.is_first AND c.col IS NULL)"""
"""A subquery for the cards of all boards, each with its column's title (`column_title`) and whether tasks in it are
finished (`done`). The column is the one that the card names, or the board's first if there is no such column."""

_OF_BOARD = "SELECT col, title, done, is_first FROM board_columns WHERE obj = ?"
_ADD = "INSERT INTO board_columns (obj, col, title, done, is_first) VALUES (?, ?, ?, ?, ?)"
_DROP = "DELETE FROM board_columns WHERE obj = ? AND col = ?"
_LABELS = "SELECT label, colour, name FROM board_labels WHERE obj = ?"
_ADD_LABEL = "INSERT INTO board_labels (obj, label, colour, name) VALUES (?, ?, ?, ?)"
_DROP_LABEL = "DELETE FROM board_labels WHERE obj = ? AND label = ?"


def write(conn: Connection, obj: ObjId, board: Board) -> None:
    """Makes the stored rows of the columns and labels of the board `obj` those of `board`. Writes only rows that
    differ. Call it in a transaction."""
    columns = {
        column.id: (column.id, column.title, int(column.done), int(not place))
        for place, column in enumerate(board.columns())
    }
    _replace(conn, obj, columns, conn.execute(_OF_BOARD, (obj,)).fetchall(), _DROP, _ADD)
    labels = {label.id: (label.id, label.colour, label.name) for label in board.labels()}
    _replace(conn, obj, labels, conn.execute(_LABELS, (obj,)).fetchall(), _DROP_LABEL, _ADD_LABEL)


def _replace(
    conn: Connection,
    obj: ObjId,
    now: dict[str, tuple[Any, ...]],
    found: Sequence[tuple[Any, ...]],
    drop: str,
    add: str,
) -> None:
    before = {str(row[0]): row for row in found}
    gone = [(obj, key) for key, row in before.items() if now.get(key) != row]
    if gone:
        conn.executemany(drop, gone)
    new = [(obj, *row) for key, row in now.items() if before.get(key) != row]
    if new:
        conn.executemany(add, new)


def ids_of(card: Card) -> str:
    """Encodes the ids of a card's labels for the column `labels` of its row (JSON)."""
    return json.dumps(card.labels)


def label_reader(
    rows: Callable[[str, tuple[object, ...]], Sequence[Any]], obj: ObjId
) -> Callable[[str], tuple[tuple[str, str], ...]]:
    """Reads the labels of the board `obj` with `rows`, which runs a statement with parameters and returns its rows.
    Returns a function that decodes what `ids_of` wrote of a card, as the card's labels (colour, name). It leaves out a
    label that the board does not have, and one without a name."""
    names = {label: (colour, name) for label, colour, name in rows(_LABELS, (obj,)) if name}

    def of(written: str) -> tuple[tuple[str, str], ...]:
        ids: Collection[str] = json.loads(written)
        return tuple(names[label] for label in ids if label in names)

    return of
