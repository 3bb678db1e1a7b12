# SPDX-License-Identifier: EUPL-1.2
"""Turns a board into rows, one per card, inside the store's transaction, so that no list has to load a board.

A few boards are kept merged in memory. Merging is the same however often it is done, so a kept board that has seen
more than a rolled-back transaction does no harm.
"""

import weakref
from collections import OrderedDict
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from app.core.ids import ObjId
from app.errors import BadChange
from app.objects.crdt import is_update
from app.store import objects, search
from app.store.rows import ObjectRow, StoredChange
from app.tasks.model import Board
from app.tasks.records import decode

KIND_ID = "board"
BOARDS_KEPT = 8

_COLUMNS = "obj, card, room, title, col, column_title, place, assignee, due, done, labels, checked, check_items, t"
_ADD = f"INSERT INTO board_cards ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants

Row = tuple[object, ...]


class Projection:
    """The boards that are kept, and what each one's rows are now."""

    def __init__(self) -> None:
        self._stores: weakref.WeakKeyDictionary[Engine, OrderedDict[ObjId, Board]] = weakref.WeakKeyDictionary()

    def project(self, conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
        """Merges new changes and writes the rows that differ. BadChange for one that is no update."""
        updates = [decode(change.data) for change in changes]
        for update in updates:
            if not is_update(update):
                raise BadChange("damaged-update")
        board = self._board(conn, obj.obj, changes[0].rowid)
        board.merge(updates)
        self._write(conn, obj, board)

    def _board(self, conn: Connection, obj: ObjId, before: int) -> Board:
        """The board with everything before a row. A rebuild projects from the first change on again."""
        boards = self._stores.setdefault(conn.engine, OrderedDict())
        board = boards.get(obj)
        if board is None:
            board = Board()
            sql = "SELECT data FROM changes WHERE obj = ? AND row < ? AND unprojected IS NULL ORDER BY row"
            board.merge([decode(row[0]) for row in conn.exec_driver_sql(sql, (obj, before))])
        boards[obj] = board
        boards.move_to_end(obj)
        if len(boards) > BOARDS_KEPT:
            boards.popitem(last=False)
        return board

    def _write(self, conn: Connection, obj: ObjectRow, board: Board) -> None:
        now = {str(row[1]): row for row in _rows(obj, board)}
        sql = f"SELECT {_COLUMNS} FROM board_cards WHERE obj = ?"  # noqa: S608 - constants
        before = {str(row[1]): tuple(row) for row in conn.exec_driver_sql(sql, (obj.obj,))}
        differ = [card for card, row in now.items() if before.get(card) != row]
        gone = [card for card in before if card not in now]
        if differ or gone:
            keys = [(obj.obj, card) for card in (*differ, *gone)]
            conn.exec_driver_sql("DELETE FROM board_cards WHERE obj = ? AND card = ?", keys)
        if differ:
            conn.exec_driver_sql(_ADD, [now[card] for card in differ])
            search.put(conn, [_entry(obj, board, card) for card in differ])
        for card in gone:
            search.drop(conn, obj.obj, card.encode())
        if board.title and board.title != obj.title:
            objects.set_title(conn, obj.obj, board.title)


def _rows(obj: ObjectRow, board: Board) -> list[Row]:
    names = {label.id: f"{label.colour}:{label.name}" for label in board.labels()}
    return [
        (
            obj.obj,
            card.id,
            obj.room,
            card.title,
            column.id,
            column.title,
            place,
            card.assignee,
            card.due.isoformat() if card.due else None,
            int(column.done),
            "\n".join(names[label] for label in card.labels if label in names),
            card.checked,
            len(card.checklist),
            card.t,
        )
        for column in board.columns()
        for place, card in enumerate(board.cards(column.id))
    ]


def _entry(obj: ObjectRow, board: Board, card_id: str) -> search.Entry:
    card = board.card(card_id)
    words = [card.description, *(item.text for item in card.checklist)] if card else []
    return search.Entry(
        room=obj.room,
        obj=obj.obj,
        kind=KIND_ID,
        ref=card_id.encode(),
        t=obj.updated,
        title=card.title if card else "",
        body="\n".join(words),
    )


_projection = Projection()
project = _projection.project
