# SPDX-License-Identifier: EUPL-1.2
"""The names of a board's columns and labels as rows of their own.

A card's row has only the ids of its column and its labels. So another name, another end or another place of a column is
one row, however many cards are in it.
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
"""The cards of all boards with the title and the end of the column that shows them: the one that the card names, or the
board's first if there is no such column."""

_OF_BOARD = "SELECT col, title, done, is_first FROM board_columns WHERE obj = ?"
_ADD = "INSERT INTO board_columns (obj, col, title, done, is_first) VALUES (?, ?, ?, ?, ?)"
_DROP = "DELETE FROM board_columns WHERE obj = ? AND col = ?"
_LABELS = "SELECT label, colour, name FROM board_labels WHERE obj = ?"
_ADD_LABEL = "INSERT INTO board_labels (obj, label, colour, name) VALUES (?, ?, ?, ?)"
_DROP_LABEL = "DELETE FROM board_labels WHERE obj = ? AND label = ?"


def write(conn: Connection, obj: ObjId, board: Board) -> None:
    """Writes the rows of a board's columns and labels that differ from those in the store, in the caller's
    transaction."""
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
    """The ids of a card's labels, as its row has them."""
    return json.dumps(card.labels)


def labels(
    rows: Callable[[str, tuple[object, ...]], Sequence[Any]], obj: ObjId
) -> Callable[[str], tuple[tuple[str, str], ...]]:
    """A function that returns the labels of a card of the board `obj`, as (colour, name), from what `ids_of` wrote. A
    label that the board does not have, or that has no name, is left out. `rows` reads rows of the store."""
    names = {label: (colour, name) for label, colour, name in rows(_LABELS, (obj,)) if name}

    def of(written: str) -> tuple[tuple[str, str], ...]:
        ids: Collection[str] = json.loads(written)
        return tuple(names[label] for label in ids if label in names)

    return of
