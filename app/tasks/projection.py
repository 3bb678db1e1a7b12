# SPDX-License-Identifier: EUPL-1.2
"""Turns a board into rows, one for each card, column and label, inside the store's transaction. So no list has to load
a board.

A few boards are kept merged in memory. Merging an update twice changes nothing, so a kept board that has merged more
than a rolled-back transaction does no harm.
"""

import json
import weakref
from collections import OrderedDict
from collections.abc import Collection, Sequence
from itertools import groupby

from app.core.ids import ObjId, Uid
from app.objects import crdt, live
from app.objects.pieces import Assembler, check
from app.store import objects, search
from app.store.connection import Connection
from app.store.notice_rows import Notice
from app.store.rows import ObjectRow, StoredChange
from app.tasks import columns_and_labels, noticing
from app.tasks.descriptions import Description
from app.tasks.model import Board, Card

KIND_ID = "board"
BOARDS_KEPT = 8

_COLUMNS = "obj, card, room, title, col, assignee, due, labels, checked, check_items, t"
# ruff: noqa: S608 - put together from constants
_ADD = f"INSERT INTO board_cards ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OF_BOARD = f"SELECT {_COLUMNS} FROM board_cards WHERE obj = ?"
_OF_CARD = f"{_OF_BOARD} AND card = ?"

_PUT_AWAY = """INSERT INTO board_put_away (obj, card, room, title, by, t) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (obj, card) DO UPDATE SET title = excluded.title, by = excluded.by, t = excluded.t,
    written_by = iif(t = excluded.t, written_by, NULL), written_t = iif(t = excluded.t, written_t, NULL)"""
_ALL_PUT_AWAY = "SELECT card FROM board_put_away WHERE obj = ?"
_NOT_PUT_AWAY = "DELETE FROM board_put_away WHERE obj = ? AND card = ?"
_WRITTEN = "UPDATE board_put_away SET written_by = ?, written_t = ? WHERE obj = ? AND card = ? AND by IS NOT ?"
_OVERWRITTEN = "INSERT OR REPLACE INTO board_overwritten (obj, card, id, room, value) VALUES (?, ?, ?, ?, ?)"
_ME = "SELECT value FROM meta WHERE name = 'me'"

_BETWEEN = (
    "SELECT row, author, data FROM changes WHERE obj = ? AND row > ? AND row <= ? AND unprojected IS NULL ORDER BY row"
)

Row = tuple[object, ...]


class _Kept:
    """A board that is kept merged in memory, so that a new change costs one merge and not all of them again, with notes
    of which cards the last merge touched."""

    def __init__(self) -> None:
        self.board = Board()
        self.pieces = Assembler()
        """Has the pieces of updates that are not complete. A piece of a transaction that was rolled back is received
        again, and counts once."""
        self.standing: int | None = None
        """The last change up to which its rows were written; None while they are being written, and if that failed."""
        self.touched: set[str] = set()
        self.renamed = False
        """Columns or labels may have changed."""
        self.written_in_trash: set[str] = set()
        self.overwritten: list[tuple[str, Description]] = []
        """Descriptions that were replaced, since the last transaction that is known to have been committed."""
        self.board.changed.connect(self._on_cards)
        self.board.columns_changed.connect(lambda: self._on_cards(frozenset()))

    def merge(self, conn: Connection, changes: Sequence[StoredChange], me: Uid) -> list[Notice]:
        """Merges changes; leaves out damaged updates. Afterwards `touched`, `renamed` and `written_in_trash`
        describe what they changed, and `overwritten` has also the descriptions that they replaced. Returns the notices
        that they make for the person `me`, and brings earlier ones up to date.

        ▲ Own updates and colleagues' are merged separately. In one merge a description of this account that a colleague
        replaced would never be seen. A colleague's change that makes notices is merged alone, so that it is known what
        it did.
        """
        self.touched, self.renamed, self.written_in_trash = set(), False, set()
        notices = list[Notice]()
        for _, some in groupby(changes, key=_merged_with):
            notices += self._merge_some(conn, list(some), me)
        return notices

    def _merge_some(self, conn: Connection, changes: Sequence[StoredChange], me: Uid) -> list[Notice]:
        """Merges changes that are all own, all projected before, or one alone."""
        last = changes[-1]
        before = {} if last.own or last.replayed else self.board.cards_by_id()
        earlier, self.touched = self.touched, set()
        self.board.merge([update for change in changes for update in self.pieces.feed([change])], own=last.own)
        self.overwritten += self.board.replaced.overwritten
        self.written_in_trash |= self.board.replaced.written_in_trash
        touched, self.touched = self.touched, earlier | self.touched
        if last.replayed:
            return []
        noticing.settle(conn, last.obj, me, self.board, touched, last if last.own else None)
        return [] if last.own else noticing.judge(last, me, before, self.board, touched)

    def _on_cards(self, ids: frozenset[str]) -> None:
        self.touched |= ids
        self.renamed |= not ids


def _merged_with(change: StoredChange) -> tuple[bool, bool, int]:
    """Changes that follow each other with the same key are merged at once."""
    return change.own, change.replayed, 0 if change.own or change.replayed else change.rowid


class Projection:
    """Writes the rows that lists read of boards, one for each card, and keeps some boards merged in memory, so that a
    new change costs one merge and not all of them again."""

    def __init__(self) -> None:
        self._stores: weakref.WeakKeyDictionary[Connection, OrderedDict[ObjId, _Kept]] = weakref.WeakKeyDictionary()

    def project(self, conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> Sequence[Notice]:
        """Merges new changes into a board and writes, within the caller's transaction, the rows of the cards that they
        touched. Returns the notices that they make (noticing.py). BadChange for a change that is no update.

        ▲ All rows of the board are compared instead if the store's rows are not those that this board last wrote: a
        transaction that was rolled back has removed rows, and merging its changes again touches nothing.
        """
        for change in changes:
            check(change.data)
        projected = conn.value("SELECT projected FROM objects WHERE obj = ?", (obj.obj,)) or 0
        kept = self._board(conn, obj, changes, projected)
        standing, kept.standing = kept.standing, None
        known = standing is not None and standing == projected
        if known:
            kept.overwritten.clear()
        notices = kept.merge(conn, changes, Uid(conn.value(_ME) or b""))
        lost = [(card, old) for card, old in kept.overwritten if not kept.board.builds_on(card, old)]
        if lost:
            _keep_overwritten(conn, obj, lost)
        if kept.renamed or not known:
            columns_and_labels.write(conn, obj.obj, kept.board)
        self._write(conn, obj, kept.board, kept.touched if known else None)
        _write_trash(conn, obj, kept.board, kept.touched if known else None)
        _note_written(conn, obj, kept.written_in_trash, changes)
        kept.standing = max(changes[-1].rowid, projected)
        return notices

    def forget(self, conn: Connection, obj: ObjId) -> None:
        """Drops a board from memory, since a change that was merged into it no longer counts. The next change loads the
        board from the store."""
        kept = self._stores.setdefault(conn, OrderedDict()).pop(obj, None)
        if kept is not None:
            kept.board.close()

    def _board(self, conn: Connection, row: ObjectRow, changes: Sequence[StoredChange], projected: int) -> _Kept:
        """The board in memory, loaded if it is not there, with everything that was stored and projected before these
        changes. `projected`: the last row that was projected, which may be behind some of the changes. A rebuild
        projects again from the first change. At most BOARDS_KEPT are kept: the one used longest ago is closed."""
        obj, before, new = row.obj, changes[0].rowid, {change.rowid for change in changes}
        boards = self._stores.setdefault(conn, OrderedDict())
        kept = boards.get(obj)
        if kept is None:
            kept = _Kept()
            _load(conn, row, kept, max(before - 1, projected), new)
        boards[obj] = kept
        boards.move_to_end(obj)
        if len(boards) > BOARDS_KEPT:
            boards.popitem(last=False)[1].board.close()
        return kept

    def _write(
        self,
        conn: Connection,
        obj: ObjectRow,
        board: Board,
        touched: Collection[str] | None,
    ) -> None:
        """Writes, within the caller's transaction, the list rows and the search entries of the cards `touched`; None:
        of all cards. Cards that are archived or in the trash have no list row; cards that are gone have neither. Also
        gives the object the board's title, if it has one."""
        now = {str(row[1]): row for row in _rows(obj, board, touched)}
        if touched is None:
            found = conn.execute(_OF_BOARD, (obj.obj,)).fetchall()
        else:
            found = [row for card in touched for row in conn.execute(_OF_CARD, (obj.obj, card))]
        before = {str(row[1]): row for row in found}
        differ = [card for card, row in now.items() if before.get(card) != row]
        gone = [card for card in before if card not in now]
        if differ or gone:
            keys = [(obj.obj, card) for card in (*differ, *gone)]
            conn.executemany("DELETE FROM board_cards WHERE obj = ? AND card = ?", keys)
        if differ:
            conn.executemany(_ADD, [now[card] for card in differ])
        found_cards = (board.any_card(card) for card in (board.cards_by_id() if touched is None else touched))
        search.put(conn, [_entry(obj, card) for card in found_cards if card is not None])
        for card in {*gone, *(touched or ())}:
            if board.any_card(card) is None:
                search.drop(conn, obj.obj, card.encode())
        if board.title and board.title != obj.title:
            objects.set_title(conn, obj.obj, board.title)


def drop_some_rows(conn: Connection, obj: ObjId, limit: int) -> bool:
    """Removes, in the caller's transaction, rows by which lists, the trash and search find the cards of a board: at
    most `limit` of each. Returns whether more may be left. The names of its columns and labels stay. A later change of
    the board adds the rows of the cards that it touches."""
    is_more = search.drop_some(conn, obj, limit)
    for table in ("board_cards", "board_put_away", "board_overwritten"):
        some = f"SELECT rowid FROM {table} WHERE obj = ? LIMIT ?"
        is_more |= conn.execute(f"DELETE FROM {table} WHERE rowid IN ({some})", (obj, limit)).rowcount == limit
    return is_more


def _load(conn: Connection, obj: ObjectRow, kept: _Kept, upto: int, new: Collection[int]) -> None:
    """Loads what is stored of a board up to row `upto`, without the rows in `new`, into `kept`. Begins with the cached
    state, and caches a new one if many changes came after that.

    ▲ It is cached in the transaction that is running, so that it is never ahead of its rows (decision 0006), and only
    if the room lacks nothing and no update is incomplete: a state must have every change up to its row.
    """
    first, board = min(new), kept.board
    cached = objects.cached_state(conn, obj.room, obj.obj, min(upto, first - 1))
    if cached is not None and board.load([cached[1]]):
        cached = None  # it is damaged, and nothing of it was merged
    found = conn.execute(_BETWEEN, (obj.obj, cached[0] if cached else 0, upto)).fetchall()
    board.load(kept.pieces.feed_data([(author, data) for row, author, data in found if row not in new]))
    is_whole = not kept.pieces.waiting and not objects.lacks(conn, obj.room)
    if len(found) >= live.CACHE_AFTER and found[-1][0] < first and is_whole:
        state = board.snapshot()
        if crdt.may_be_kept(state):
            objects.cache_state(conn, obj.obj, found[-1][0], state)


def _keep_overwritten(conn: Connection, obj: ObjectRow, overwritten: Sequence[tuple[str, Description]]) -> None:
    """Stores, within the caller's transaction, those of the descriptions `overwritten`, given as (card, description),
    that this account wrote. Others replaced them without building on them; this account's program merges them later
    with those that replaced them."""
    me = conn.value(_ME)
    rows = [(obj.obj, card, lost.id, obj.room, json.dumps(lost.value())) for card, lost in overwritten if lost.by == me]
    if rows:
        conn.executemany(_OVERWRITTEN, rows)


def _rows(obj: ObjectRow, board: Board, touched: Collection[str] | None) -> list[Row]:
    cards = board.cards_by_id().values() if touched is None else map(board.any_card, touched)
    return [_row(obj, card) for card in cards if card is not None and not card.hidden]


def _row(obj: ObjectRow, card: Card) -> Row:
    return (
        obj.obj,
        card.id,
        obj.room,
        card.title,
        card.column,
        card.assignee,
        card.due.isoformat() if card.due else None,
        columns_and_labels.ids_of(card),
        card.checked,
        len(card.checklist),
        card.t,
    )


def _write_trash(conn: Connection, obj: ObjectRow, board: Board, touched: Collection[str] | None) -> None:
    """Writes the rows from which the trash is listed, and deletes those of cards that are not in it: of the cards
    `touched`, or of all (None). A card that stays in the trash keeps the note of what was written in it there
    (`_note_written`)."""
    found = board.put_away() if touched is None else [c for c in map(board.any_card, touched) if c is not None]
    there = {c.id: (obj.obj, c.id, obj.room, c.title, c.deleted_by, c.deleted_t) for c in found if c.deleted}
    listed = [card for (card,) in conn.execute(_ALL_PUT_AWAY, (obj.obj,))] if touched is None else touched
    back = [(obj.obj, card) for card in listed if card not in there]
    if there:
        conn.executemany(_PUT_AWAY, list(there.values()))
    if back:
        conn.executemany(_NOT_PUT_AWAY, back)


def _note_written(conn: Connection, obj: ObjectRow, cards: Collection[str], changes: Sequence[StoredChange]) -> None:
    """Notes that somebody wrote in these cards while they were in the trash, so that the person who put them there is
    notified. `changes`: those that were merged now; if one person wrote them all, that person is noted, and cards that
    the same person put there are skipped."""
    authors = {change.author for change in changes}
    one = next(iter(authors)) if len(authors) == 1 else None
    if cards:
        rows = [(one, changes[-1].t, obj.obj, card, one) for card in cards]
        conn.executemany(_WRITTEN, rows)


def _entry(obj: ObjectRow, card: Card) -> search.Entry:
    """What search finds of a card: its title, description and checklist. Cards that are archived or in the trash are
    found, too."""
    return search.Entry(
        room=obj.room,
        obj=obj.obj,
        kind=KIND_ID,
        ref=card.id.encode(),
        t=obj.updated,
        title=card.title,
        body="\n".join([card.description, *(item.text for item in card.checklist)]),
    )


_projection = Projection()
project = _projection.project
forget = _projection.forget
