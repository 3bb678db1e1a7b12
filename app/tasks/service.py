# SPDX-License-Identifier: EUPL-1.2
"""Boards and tasks of one account: the live board of a room, and my tasks over all rooms."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Protocol

from app.core import clock
from app.core.alarms import Alarms
from app.core.delay import Later, on_loop
from app.core.i18n import tr
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import NotFound
from app.objects.links import Linked, ObjectLink, linked_object
from app.objects.live import LiveObjects
from app.objects.pieces import Assembler, encode
from app.people.person import Person
from app.store.changes import Changes
from app.store.database import Database
from app.store.long_writes import Decided, LongWrites, Progress, no_more, no_progress
from app.store.objects import Objects
from app.store.rows import StoredChange
from app.tasks import copying, projection
from app.tasks.adapter import BoardAdapter
from app.tasks.columns_and_labels import CARDS, label_reader
from app.tasks.due import DueCards
from app.tasks.model import Board
from app.tasks.own_board import OwnBoard
from app.tasks.settling import Settling
from app.tasks.tables import IN_PLACE
from app.tasks.trash import CardTrash
from app.tool import OwnPlace, Standing, Unsaved

_MERGED_AT_ONCE = 50
"""Updates that one call of the CRDT's library merges: 1 ms, in which no other thread runs."""

_LONG_BYTES, _LONG_CHANGES = 64 * 1024, 100
"""A board is large if its cached state or the number of changes after that is: a hundred cards take some 5 ms to read,
and their widgets 20."""


class People(Protocol):
    """Looks up the people of the agency, and this account's own person."""

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Members(Protocol):
    """The members of a room, and whether this person may write in it."""

    def people_in(self, room: RoomId) -> Sequence[Person]: ...

    def may_write(self, room: RoomId) -> bool: ...


class Rooms(Protocol):
    """What boards need of rooms: to list a new board in its room, and to put one away."""

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None: ...

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedCard(Linked):
    """What a link to a card shows of it. `column` is the column's title; `assignee` and `due` are None where nobody is
    named and no day is set."""

    column: str
    assignee: Uid | None
    due: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A card as lists show it. `column` is the column's title; `done`: it counts as finished; `labels` are (colour
    role, name); `checked` of `check_items` lines of its checklist are ticked."""

    room: RoomId
    obj: ObjId
    card: str
    title: str
    column: str
    assignee: Uid | None
    due: date | None
    done: bool
    labels: tuple[tuple[str, str], ...]
    checked: int
    check_items: int

    @property
    def ref(self) -> bytes:
        """The card's id as an `ObjectLink.ref`."""
        return self.card.encode()


def new_board(title: str = "", columns: Sequence[str] = ()) -> bytes:
    """The data of a new board's first change: its title and columns, the usual ones in the creator's language if none
    are given. The last column is for what is finished."""
    title = title or tr("The tasks of the case")
    columns = columns or (tr("To do"), tr("In progress"), tr("Review"), tr("Finished"))
    with closing(Board()) as board:
        board.setup(columns, done=len(columns) - 1, title=title)
        (data,) = encode(board.diff())
        return data


class TaskService:
    """The boards of one account, and its tasks over all rooms. A board is merged once and shared by all views. Lives on
    the event loop."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        objects: Objects,
        people: People,
        members: Members,
        rooms: Rooms,
        notices: Standing,
        place: OwnPlace,
        *,
        alarms: Alarms,
        later: Later = on_loop,
    ) -> None:
        """`place`: the room of one's own, in which the person's own board is. `alarms`: the session's timer, for due
        days. `later`: calls a function after some seconds."""
        self.changed: Signal[RoomId] = Signal()
        """The cards of a room changed."""
        self.people = people
        self._db = db
        self._changes = changes
        self._objects = objects
        self._members = members
        self._rooms = rooms
        self._settling = Settling(db, changes, lambda: self._live, members.may_write, self._is_long)
        self._adapter = BoardAdapter(rooms.announce, lambda: self.me, self._settling.history)
        self._live = live = LiveObjects(db, changes, objects, self._adapter)
        # its members are this service's too: see there
        self.fault, self.saved, self.damaged = live.fault, live.saved, live.damaged
        self.unsaved, self.unsaved_ids, self.unsaved_changes = live.unsaved, live.unsaved_ids, live.unsaved_changes
        self.retry, self.save = live.retry, live.retry_all
        self.open, self.close = live.open, live.close
        self._long = LongWrites(db, changes, projection.KIND_ID, lambda room, obj: rooms.retire(room, obj, True))
        self.trash = CardTrash(db, lambda: self.me, self.board)
        self.own = OwnBoard(place, db, changes, objects, rooms.announce, later=later)
        """The person's own board."""
        self._due = DueCards(db, notices, lambda: self.me, alarms, self._own_id)
        self._ends = [
            self.changed.connect(lambda room: self._due.on_cards()),
            changes.received.connect(self._on_received),
            changes.appended.connect(lambda change: self._notify([change])),
            changes.taken_back.connect(self._on_taken_back),
            self.own.changed.connect(self._on_own),
            self.own.joined.connect(self.changed.emit),
        ]

    def unstored(self) -> list[Unsaved]:
        """The boards with edits that the disk has refused."""
        return [Unsaved(obj=obj, draft=False) for obj in self.unsaved_ids()]

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Does nothing: boards have no ephemeral messages."""

    def close_all(self) -> None:
        """Stops following the store, and stores edits that the disk has refused so far. Call it before the store
        closes. StoreFault if the disk refuses some again: `unsaved_changes` returns them."""
        self._settling.close()
        self._long.close()
        self._due.close()
        self.own.close()
        for end in self._ends:
            end()
        self._live.close_all()

    @property
    def me(self) -> Uid:
        """The person of this account."""
        return self.people.me.uid

    def members(self, room: RoomId) -> list[Person]:
        """The people who can be given a task in the room; nobody on the person's own board."""
        return [] if self.own.is_own(room) else list(self._members.people_in(room))

    def may_write(self, room: RoomId) -> bool:
        """Whether this person may change the board, or only read it."""
        return self._members.may_write(room)

    def board_id(self, room: RoomId) -> ObjId | None:
        """The id of the room's board; None until the room has one."""
        found = self._objects.first(room, projection.KIND_ID)
        return found.obj if found else None

    def board(self, room: RoomId, obj: ObjId | None = None) -> Board:
        """The live board of a room (`obj`: this one instead of the room's first). NotFound if there is none. All
        callers share it, so no caller closes it. Python frees it when no caller refers to it any more, and everything
        that was written in it is stored. A view that shows it for long calls `open`, and later `close`."""
        obj = obj or self.board_id(room)
        if obj is None:
            raise NotFound
        return self._live.shared(obj)

    def is_large(self, room: RoomId, obj: ObjId | None = None) -> bool:
        """Whether showing a board takes so long that it is to be opened in parts (`board_in_parts`). False for one that
        is not here."""
        obj = obj or self.board_id(room)
        return obj is not None and self._is_long(obj)

    def _is_long(self, obj: ObjId) -> bool:
        return self._objects.is_long(obj, _LONG_BYTES, _LONG_CHANGES)

    async def board_in_parts(self, room: RoomId, obj: ObjId | None = None) -> Board:
        """The same as `board`, loaded in parts between which the event loop runs."""
        obj = obj or self.board_id(room)
        if obj is None:
            raise NotFound
        return await self._live.load(obj)

    def start(self) -> None:
        """Merges descriptions that an earlier run of the program left unmerged, completes copies that it has
        decided, and begins to make notices about cards that are due. Call it when the event loop runs."""
        self._settling.settle()
        self._long.start()
        self.own.look()
        self._due.start()

    def my_tasks(self, *, done: bool = False) -> list[TaskRow]:
        """The cards that are assigned to this person, over all rooms, and those of their own board, without archived
        ones, those in the trash, and those of boards in the trash: the finished ones if `done`, otherwise the others.
        The earliest due first, those without a date last; then by title."""
        where = "(assignee = ? OR obj = ?) AND done = ? ORDER BY due IS NULL, due, title"
        return self._rows(where, (self.me, self._own_id(), int(done)))

    def _own_id(self) -> ObjId | None:
        found = self.own.find()
        return found.obj if found is not None else None

    def _on_own(self) -> None:
        found = self.own.find()
        if found is not None:
            self.changed.emit(found.room)

    def tasks(self, room: RoomId) -> list[TaskRow]:
        """A room's cards, by title, without archived ones, those in the trash, and those of boards in the trash."""
        return self._rows("room = ? ORDER BY title, card", (room,))

    def linked(self, link: ObjectLink) -> Linked | None:
        """What to show of the card that a link leads to, or without a `ref` of the board. None if it is gone from the
        board (deleted, archived or in the trash), or its board is in the trash."""
        link = self.own.present(link)
        if not link.ref:
            return linked_object(self._objects, link)
        card = link.ref.decode(errors="replace")
        found = self._rows("room = ? AND obj = ? AND card = ?", (link.room, link.obj, card))
        return (
            LinkedCard(title=row.title, column=row.column, assignee=row.assignee, due=row.due)
            if (row := next(iter(found), None)) is not None
            else None
        )

    def done_of(self, room: RoomId) -> tuple[int, int]:
        """(number of finished cards, number of all cards) of a room, counted as in `tasks`; (0, 0) for a room without
        cards."""
        sql = f"SELECT coalesce(sum(done), 0), count(*) FROM {CARDS} c WHERE room = ? AND {IN_PLACE}"  # noqa: S608 - constants
        row = self._db.one(sql, (room,))
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def _rows(self, where: str, params: tuple[object, ...]) -> list[TaskRow]:
        sql = (
            "SELECT room, obj, card, title, column_title, assignee, due, done, labels, checked, check_items"  # noqa: S608 - constants
            f" FROM {CARDS} c WHERE {IN_PLACE} AND {where}"
        )
        labels_of = cache(partial(label_reader, self._db.rows))
        return [
            TaskRow(
                room=room,
                obj=obj,
                card=card,
                title=title,
                column=column,
                assignee=assignee,
                due=date.fromisoformat(due) if due else None,
                done=bool(done),
                labels=labels_of(obj)(labels),
                checked=checked,
                check_items=check_items,
            )
            for room, obj, card, title, column, assignee, due, done, labels, checked, check_items in self._db.rows(
                sql, params
            )
        ]

    def before(self, obj: ObjId, rowid: int) -> Board:
        """The board as it was before the change in row `rowid` of the store; an empty board if it had no change before
        that. Nothing that is written in it is stored. The caller closes it."""
        return self._made(obj, [change for change in self._changes.of(obj) if change.rowid < rowid])

    async def copy(self, obj: ObjId, progress: Progress = no_progress) -> ObjId:
        """Makes a new board in the same room with the content that this one has now, and puts the old one into the
        trash. Returns the new one's id. The content is put together in a thread, and written all or not at all, in
        parts between which the loop runs: 10,000 cards take some ten seconds. What is written meanwhile stays in the
        old board. A cancellation or a StoreFault leaves everything as it was, or the copy is completed all the same
        (`LongWrites.write`): a later call then returns that one. NotFound if the old board is not here, or is gone
        meanwhile."""
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        copy = self._long.retiring(obj)
        if copy is not None:
            await self._long.complete(copy)
            return copy

        def begin() -> ObjId:
            if self._objects.get(obj) is None:
                raise NotFound
            copy = self._objects.new(row.room)
            self._rooms.announce(row.room, copy, projection.KIND_ID)
            return copy

        changes = await asyncio.to_thread(self._first_changes, obj)
        return await self._long.write(row.room, changes, begin, retires=obj, progress=progress)

    def _first_changes(self, obj: ObjId) -> list[bytes]:
        """The data of the changes with which a copy of the board `obj` begins. Any thread."""
        with closing(self._made(obj, self._changes.read(obj))) as old:
            return copying.board_changes(old)

    async def copy_cards(
        self,
        obj: ObjId,
        room: RoomId,
        into: ObjId,
        progress: Progress = no_progress,
        decided: Decided = no_more,
    ) -> int:
        """Copies cards of the board `obj`, also archived ones but none in the trash, to the board `into` of another
        room, and returns how many. A card is copied if the other board lacks it or has it in the trash, or has it with
        a different title or description, or without a line of its checklist. The copy is a new card; a second call
        copies only what is not there as a copy either. It goes into the column with the same id, or into the first one;
        it has no labels, nobody is assigned to it, and this person counts as its maker.

        The copies are put together in a thread, and written all or not at all, as by `copy`; `decided` is called once
        it is certain that they are, if there are any. On a board that is open Ctrl+Z takes them back one by one. What
        is written in the old board meanwhile is not copied. NotFound if there is no board `into`."""
        there = self._objects.get(into)
        if there is None or there.kind != projection.KIND_ID:
            raise NotFound
        await self._long.complete(into)

        def begin() -> ObjId:
            decided()
            return into

        changes, count = await asyncio.to_thread(self._copied_cards, obj, into)
        if changes:
            self._adapter.edits.update(changes)
            try:
                await self._long.write(room, changes, begin, progress=progress)
            finally:
                self._adapter.edits.difference_update(changes)
        return count

    def _copied_cards(self, obj: ObjId, into: ObjId) -> tuple[list[bytes], int]:
        """(the data of the changes that copy cards of the board `obj` to the board `into`, how many cards). Any
        thread."""
        with (
            closing(self._made(obj, self._changes.read(obj))) as mine,
            closing(self._made(into, self._changes.read(into))) as there,
        ):
            return copying.card_changes(mine, there, self.me, clock.now_ms())

    def _made(self, obj: ObjId, changes: Sequence[StoredChange]) -> Board:
        """Makes a separate board out of `changes`, some or all of those of the board `obj`, to be read only: what is
        written in it is not stored. The caller closes it."""
        board = Board()
        with self._changes.merging(changes[0].room if changes else RoomId(b""), obj, changes):
            updates = Assembler().feed(changes)
            for at in range(0, len(updates), _MERGED_AT_ONCE):
                board.merge(updates[at : at + _MERGED_AT_ONCE])
        return board

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        self._notify(changes)
        self._settling.settle_soon()

    def _on_taken_back(self, obj: ObjId) -> None:
        """Handles that a change which was merged into the board `obj` no longer counts: has replaced descriptions
        merged soon, and emits `changed` with the room. Does nothing for an object that is no board."""
        row = self._objects.get(obj)
        if row is None or row.kind != projection.KIND_ID:
            return
        self.changed.emit(row.room)
        self._settling.settle_soon()

    def _notify(self, changes: Sequence[StoredChange]) -> None:
        objects = {change.obj: change.room for change in changes}
        # the room itself says which boards are in the trash
        for room in {room for obj, room in objects.items() if obj == ObjId(room) or self._is_board(obj)}:
            self.changed.emit(room)

    def _is_board(self, obj: ObjId) -> bool:
        found = self._objects.get(obj)
        return found is not None and found.kind == projection.KIND_ID
