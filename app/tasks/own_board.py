# SPDX-License-Identifier: EUPL-1.2
"""The person's own board. It is in the room of their own, so that all their devices have it and nobody else.

It is made at its first use. Two devices that are apart may each make one, and a server that forks the room of one's own
causes another room to be made. So there can be several such boards. The one with the lowest id in the room that is
written to counts. The updates of the others that it lacks are written into it once more, as members of a successor room
do with theirs: so every card keeps its id, and it does no harm if two devices do it. All own boards begin with the same
columns' ids, so that cards of two boards come into the same columns.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace

from app.core import clock, log
from app.core.delay import Later, on_loop
from app.core.i18n import tr
from app.core.ids import ObjId, RoomId, Uid
from app.core.signal import Signal
from app.errors import NotFound, StoreFault
from app.objects.crdt import CrdtDoc
from app.objects.grammar import read
from app.objects.lib0 import BadUpdate
from app.objects.links import ObjectLink
from app.objects.pieces import Assembler, encode
from app.store.changes import Changes
from app.store.database import Database
from app.store.objects import Objects
from app.store.rows import ObjectRow, StoredChange
from app.tasks import projection
from app.tasks.model import ROOT_MAPS, Board
from app.tool import OwnPlace

COLUMNS = ("open", "doing", "done")
"""The ids of the columns that an own board begins with; the last one is for what is finished."""

_READ_AT_ONCE, _MERGED_AT_ONCE, _TRIED_AT_ONCE = 100, 50, 3
"""Updates in one part of the work of joining two boards: to read or merge one takes 20 µs, to try one 0.2 ms, and to
write one 0.5 ms."""
DROPPED_AT_ONCE = 10
"""Cards whose rows one part removes: 2 ms, as long as a whole turn. All rows of 3,000 cards take 0.1 s."""
_LOOKED_AT = 0.1
"""The same measure for a board in which there is nothing new."""
_TURN = 10.0
"""How much of that work one turn of the event loop does, counted in updates that are tried."""

Announce = Callable[[RoomId, ObjId, str], None]


def first_change() -> bytes:
    """The data of an own board's first change: three columns, named in the language in force, and no title. The window
    shows its own name for the board."""
    with closing(Board()) as board:
        board.setup((tr("To do"), tr("In progress"), tr("Finished")), done=2, ids=COLUMNS)
        (data,) = encode(board.diff())
        return data


class OwnBoard:
    """Finds or makes the person's own board, and joins several into one. Lives on the event loop."""

    def __init__(
        self,
        place: OwnPlace,
        db: Database,
        changes: Changes,
        objects: Objects,
        announce: Announce,
        *,
        later: Later = on_loop,
    ) -> None:
        """`place`: the room of one's own. `announce` gets (room, object, kind) and writes, in the caller's transaction,
        the record by which the room lists a new object."""
        self.changed: Signal[()] = Signal()
        """Emitted when the board that counts was made or received, or when another one counts."""
        self.joined: Signal[RoomId] = Signal()
        """Emitted with the room of an own board that was joined into the one that counts: its cards are in no list any
        more."""
        self.known = place.known
        """Emitted when the person has a room of their own to write to, or another one."""
        self._place = place
        self._db, self._changes, self._objects = db, changes, objects
        self._announce = announce
        self._later = later
        self._found = self._read()
        self._joined: dict[ObjId, tuple[ObjId, int]] = {}
        """By board that does not count: the one into which it was joined, and the last row of it that was."""
        self._ends = [place.known.connect(self.look), changes.received.connect(self._on_received)]
        self._is_closed = False
        self._planned = False
        self._parts: Generator[float, None, None] | None = None
        """The joining that is under way, part by part."""
        self._is_due = False
        """Whether something was received while that was under way."""

    def close(self) -> None:
        """Stops following the store. A second call does nothing."""
        self._is_closed = True
        if self._parts is not None:
            self._parts.close()
        for end in self._ends:
            end()

    # -- reading --------------------------------------------------------------------------------------------------

    def find(self) -> ObjectLink | None:
        """The link to the board that counts; None before one was made or received."""
        return self._found

    def is_own(self, room: RoomId) -> bool:
        """Whether a room is one of the person's own."""
        return room in self._place.rooms()

    def present(self, link: ObjectLink) -> ObjectLink:
        """A link to an own board that does not count any more, as a link to the one that does; any other link as it
        is."""
        found = self._found
        if found is None or link.kind != projection.KIND_ID or link.obj == found.obj or not self.is_own(link.room):
            return link
        return replace(link, room=found.room, obj=found.obj)

    # -- making ---------------------------------------------------------------------------------------------------

    async def ensure(self) -> ObjectLink:
        """Returns the link to the board, and makes it if there is none; works offline once the person has a room of
        their own. If that room must be made first: SyncError, such as Unreachable; NotFound if no further room may be
        made, or if a room exists that cannot be read now. StoreFault if the disk refuses."""
        room = self._place.find() or await self._place.ensure()
        if self._found is None:
            self._make(room)
        if self._found is None:
            raise NotFound
        return self._found

    def _make(self, room: RoomId) -> None:
        with self._db.transaction():
            obj = self._objects.new(room)
            self._announce(room, obj, projection.KIND_ID)
            self._changes.append(room, obj, first_change())
        self.look()

    # -- which one counts, and what the others have -----------------------------------------------------------------

    def look(self) -> None:
        """Reads again which board counts. Further ones are joined into it in the loop's next turn. Call it once when
        the loop runs."""
        before, self._found = self._found, self._read()
        if self._found != before:
            self.changed.emit()
        if self._others():
            self._is_due = self._parts is not None
            self._plan()

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._later(0, self._join)

    def _read(self) -> ObjectLink | None:
        room = self._place.find()
        rows = self._objects.all(room, projection.KIND_ID) if room is not None else []
        if room is None or not rows:
            return None
        return ObjectLink(room=room, obj=min(row.obj for row in rows), kind=projection.KIND_ID)

    def _others(self) -> list[ObjectRow]:
        rows = [row for room in self._place.rooms() for row in self._objects.all(room, projection.KIND_ID)]
        return [row for row in rows if self._found is None or row.obj != self._found.obj]

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        own = set(self._place.rooms())
        if any(change.room in own for change in changes):
            self.look()

    def _join(self) -> None:
        """Joins the other boards into the one that counts, some parts of the work in each turn of the event loop. What
        the disk refuses is tried again after the next change. ▲ Otherwise a large board, or many of them, as a stolen
        device may write, would hold the event loop at each start, also once that device is revoked."""
        self._planned = False
        if self._is_closed:
            return
        parts, self._parts, work = self._parts, None, 0.0
        with suppress(StoreFault):
            if self._found is None and (room := self._place.find()) is not None:
                self._make(room)
            parts = parts or self._join_all()
            while work < _TURN and (done := next(parts, None)) is not None:
                work += done
        if work >= _TURN:
            self._parts = parts
        if work >= _TURN or self._is_due:
            self._is_due = self._is_due and self._parts is not None
            self._plan()

    def _join_all(self) -> Generator[float, None, None]:
        for other in self._others():
            yield _LOOKED_AT
            yield from self._join_one(other)

    def _join_one(self, other: ObjectRow) -> Generator[float, None, None]:
        """Writes what the board `other` has and the one that counts lacks as changes of the latter, and removes the
        rows by which lists and search find `other`. Yields after each part of the work how much that was. A part that
        is written is not flushed: after a power cut the boards are joined again."""
        found, joined = self._found, self._joined.get(other.obj)
        if found is None or (joined and joined[0] == found.obj and not self._changes.of(other.obj, joined[1], 1)):
            return
        theirs, ends = yield from self._updates_of(other.obj)
        mine, _ = yield from self._updates_of(found.obj)
        if not ends:
            return
        parts, written = lacking_parts(mine, theirs), 0
        while True:
            with self._changes.merging(found.room, found.obj, ends):
                part = next(parts, None)
            if part is None:
                break
            with self._db.transaction(durable=False):
                for data in (data for update in part for data in encode(update)):
                    self._changes.append(found.room, found.obj, data)
            written += len(part)
            yield _TRIED_AT_ONCE + 2 * len(part)
        while self._drop_some(other.obj):
            yield _TURN
        self._joined[other.obj] = found.obj, ends[-1].rowid
        log.store.info("own-board-joined", updates=written)
        self.joined.emit(other.room)

    def _drop_some(self, obj: ObjId) -> bool:
        """Removes some of the rows by which lists and search find the cards of a board. Returns whether to go on."""
        with self._db.transaction(durable=False) as conn:
            return projection.drop_some_rows(conn, obj, DROPPED_AT_ONCE)

    def _updates_of(self, obj: ObjId) -> Generator[float, None, tuple[list[bytes], list[StoredChange]]]:
        """(the updates of a board in order, its first and its last change), read page by page; ([], []) for a board
        without changes."""
        updates, ends, assembler = list[bytes](), list[StoredChange](), Assembler()
        while page := self._changes.of(obj, ends[-1].rowid if ends else 0, _READ_AT_ONCE):
            updates += assembler.feed(page)
            ends = [*ends, *page][:1] + page[-1:]
            yield len(page) / _MERGED_AT_ONCE
        return updates, ends


def lacking(mine: Sequence[bytes], theirs: Sequence[bytes]) -> list[bytes]:
    """Those of the updates `theirs` of one board, in order, that change something in another board, which has the
    updates `mine`. ▲ Without merged states, in which several clients have written: as a change, such an update is void
    (app/objects/FORMAT.md). A device that has only such a state of a board leaves it to one that has its updates."""
    return [update for part in lacking_parts(mine, theirs) for update in part]


def lacking_parts(mine: Sequence[bytes], theirs: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The same in parts, with a pause after each part of the work: then yields the updates that it has found, or []."""
    with closing(CrdtDoc(maps=ROOT_MAPS, keep_deleted=True)) as both:
        for at in range(0, len(mine), _MERGED_AT_ONCE):
            both.apply(mine[at : at + _MERGED_AT_ONCE])
            yield []
        for at in range(0, len(theirs), _TRIED_AT_ONCE):
            yield [update for update in theirs[at : at + _TRIED_AT_ONCE] if _changes(both, update)]


def _changes(board: CrdtDoc, update: bytes) -> bool:
    """Merges an update, and returns whether that has changed something that can be written as a change."""
    changed: list[bytes] = []
    end = board.updated.connect(lambda made: changed.append(made.data))
    board.apply([update])
    end()
    return bool(changed) and _is_change(update)


def _is_change(update: bytes) -> bool:
    """Whether the update keeps the rules of a change; a merged state does not."""
    with suppress(BadUpdate):
        read(update)
        return True
    return False


def add_card(board: Board, title: str, me: Uid) -> str:
    """Adds a card at the end of an own board's first column; if the board has no column, one is made. `me` is noted as
    the card's author. Returns the card's id."""
    column = board.columns()[0].id or board.add_column(tr("To do"))
    return board.add_card(column, title, by=me, t=clock.now_ms())
