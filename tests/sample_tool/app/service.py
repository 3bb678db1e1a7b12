# SPDX-License-Identifier: EUPL-1.2
"""Minutes and agendas of one account. Lives on the event loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from app.core.delay import Later, on_loop
from app.core.i18n import tr
from app.core.ids import DevId, ObjId, RoomId, Uid, new_id
from app.core.signal import Signal
from app.errors import NotFound
from app.objects.links import Linked, ObjectLink, linked_object
from app.objects.live import LiveObjects
from app.objects.pieces import Assembler, encode
from app.richtext.indexing import Indexing
from app.richtext.model import Document
from app.store.changes import Changes
from app.store.connection import Connection
from app.store.database import Database
from app.store.objects import Objects
from app.store.rows import StoredChange
from app.tool import Unsaved
from tests.sample_tool.app import agenda, projection
from tests.sample_tool.app.adapter import MinuteAdapter
from tests.sample_tool.app.records import AGENDA, ItemAdded, ItemClosed

Count = Callable[[Connection, RoomId, ObjId], None]
"""Stores what an object counts now."""
GROUP = 50
"""Items that are carried over in one transaction."""


class Rooms(Protocol):
    """What minutes need of the room they are in."""

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None: ...

    def may_write(self, room: RoomId) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteRow:
    """Minutes as lists show them. `t` in ms; `new`: somebody else wrote in them, and this person has not seen it."""

    obj: ObjId
    room: RoomId
    title: str
    t: int
    by: Uid
    words: int
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaItem:
    """Something for the next meeting. `stated_by`: who added it, as `by`, who carried it over, states."""

    obj: ObjId
    item: bytes
    text: str
    by: Uid
    stated_by: Uid | None
    closed: bool


class MinutesService:
    """The tool's service."""

    trash = None
    """Minutes are kept: nothing of them is put away."""

    def __init__(
        self, db: Database, changes: Changes, objects: Objects, rooms: Rooms, *, later: Later = on_loop
    ) -> None:
        self.changed: Signal[RoomId] = Signal()
        """The minutes or the agenda of a room have changed, or were seen."""
        self._db, self._changes, self._objects, self._rooms = db, changes, objects, rooms
        self._live = live = LiveObjects(db, changes, objects, MinuteAdapter(rooms.announce))
        self.fault, self.saved, self.damaged = live.fault, live.saved, live.damaged
        self.unsaved, self.retry, self.save = live.unsaved, live.retry, live.retry_all
        self.open, self.close = live.open, live.close
        self._indexing = Indexing(db, objects, "minute_rows", projection.index, self._live.holding, self.changed, later)
        self._ends = [
            changes.received.connect(self._notify),
            changes.appended.connect(lambda change: self._notify([change])),
            changes.positioned.connect(self._notify),
            changes.taken_back.connect(self._on_taken_back),
        ]

    # -- app.tool.Service ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Indexes what an earlier run did not come to."""
        self._indexing.start()

    def unstored(self) -> Sequence[Unsaved]:
        """The minutes with edits that the disk has refused."""
        return [Unsaved(obj=obj, draft=False) for obj in self._live.unsaved_ids()]

    def close_all(self) -> None:
        """Closes all minutes, and stops following the store. StoreFault if the disk refuses some edits again."""
        try:
            self._indexing.close()
        finally:
            for end in self._ends:
                end()
            self._live.close_all()

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Does nothing: the tool has no ephemeral messages."""

    def linked(self, link: ObjectLink) -> Linked | None:
        """Minutes, an agenda, or the item of one that `link.ref` names; None if it is not here."""
        if not link.ref:
            return linked_object(self._objects, link)
        found = (item for item in self.agenda(link.room) if (item.obj, item.item) == (link.obj, link.ref))
        item = next(found, None)
        return Linked(title=item.text, by=item.by) if item is not None else None

    # -- minutes ---------------------------------------------------------------------------------------------------

    def may_write(self, room: RoomId) -> bool:
        """Whether this account may write there."""
        return self._rooms.may_write(room)

    def minutes(self, room: RoomId | None = None) -> list[MinuteRow]:
        """The minutes of a room, or of all; those changed last come first."""
        rows = self._db.rows(
            """SELECT m.obj, m.room, o.title, m.t, m.by, m.words,
                      m.theirs > coalesce((SELECT r.row FROM read_markers r WHERE r.obj = m.obj), 0)
               FROM minute_rows m JOIN objects o ON o.obj = m.obj
               WHERE NOT o.deleted AND (?1 IS NULL OR m.room = ?1) ORDER BY m.t DESC, m.obj""",
            (room,),
        )
        return [
            MinuteRow(obj=obj, room=rm, title=title, t=t, by=by, words=words, new=bool(new))
            for obj, rm, title, t, by, words, new in rows
        ]

    def new_count(self) -> int:
        """How many minutes of all rooms have something new."""
        return sum(row.new for row in self.minutes())

    def create(self, room: RoomId, title: str) -> ObjId:
        """New minutes with a title and an empty line."""
        updates: list[bytes] = []
        with closing(Document(updates.append)) as document, self._db.transaction():
            document.set_up(title)
            obj = self._objects.new(room)
            self._rooms.announce(room, obj, projection.KIND_ID)
            for update in updates:
                for data in encode(update, document.title):
                    self._changes.append(room, obj, data)
        return obj

    def see(self, obj: ObjId) -> None:
        """Notes that this person has seen what minutes hold now. Nothing is written if they had seen it."""
        found = self._db.one("SELECT room, theirs FROM minute_rows WHERE obj = ?", (obj,))
        if found is not None and self._objects.counter(obj).unread:
            self._see(found[0], found[1], obj, projection.count)

    def before(self, obj: ObjId, rowid: int) -> Document:
        """Minutes as the changes below a row of the store make them; nothing written in them is kept. The caller closes
        them."""
        changes = [change for change in self._changes.of(obj) if change.rowid < rowid]
        document, room = Document(), changes[0].room if changes else RoomId(b"")
        with self._changes.merging(room, obj, changes):
            document.merge(Assembler().feed(changes))
        return document

    async def copy(self, obj: ObjId, room: RoomId | None = None) -> ObjId:
        """New minutes with what these hold here, in `room` (None: the same room). NotFound."""
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        with self._live.holding(obj) as here:
            copy = self.create(room or row.room, tr("{title} (copy)").format(title=here.title))
            with self._live.holding(copy) as document:
                document.rewrite(0, len(document.blocks()), list(here.blocks()))
        return copy

    # -- the agenda ------------------------------------------------------------------------------------------------

    def agenda(self, room: RoomId) -> list[AgendaItem]:
        """The items of a room's agenda, oldest first, also those that were closed."""
        rows = self._db.rows(
            f"""SELECT i.obj, i.item, i.text, i.author, i.stated_by, {agenda.IS_CLOSED}
                FROM agenda_items i WHERE i.room = ? ORDER BY i.row""",  # noqa: S608 - constants
            (room,),
        )
        return [
            AgendaItem(obj=obj, item=item, text=text, by=by, stated_by=stated, closed=bool(closed))
            for obj, item, text, by, stated, closed in rows
        ]

    def add_item(self, room: RoomId, text: str) -> bytes:
        """Adds an item to the room's agenda, which begins with its first one. Returns the item's id."""
        item = new_id()
        with self._db.transaction():
            self._changes.append(room, self._agenda(room), AGENDA.encode(ItemAdded(item=item, text=text)))
        return item

    def close_item(self, room: RoomId, item: AgendaItem, on: bool) -> None:
        """Notes that an item was handled, or (`on` False) opens it again."""
        self._changes.append(room, item.obj, AGENDA.encode(ItemClosed(item=item.item, on=on)))

    def see_agenda(self, room: RoomId) -> None:
        """Notes that this person has seen all items of a room."""
        for obj, row in self._db.rows("SELECT obj, max(row) FROM agenda_items WHERE room = ? GROUP BY obj", (room,)):
            if self._objects.counter(obj).unread:
                self._see(room, row, obj, agenda.count)

    def carry(self, objects: Sequence[tuple[ObjId, ObjId]]) -> Iterator[Sequence[tuple[ObjId, bytes]]]:
        """The open items of an agenda as changes for the one that continues it, in groups: those that it lacks."""
        ((obj, into),) = objects
        row = self._objects.get(obj)
        there = {item for (item,) in self._db.rows("SELECT item FROM agenda_items WHERE obj = ?", (into,))}
        of_room = self.agenda(row.room) if row is not None else []
        items = [each for each in of_room if each.obj == obj and not each.closed and each.item not in there]
        for at in range(0, len(items), GROUP):
            yield [
                (into, AGENDA.encode(ItemAdded(item=each.item, text=each.text, stated_by=each.stated_by or each.by)))
                for each in items[at : at + GROUP]
            ]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _agenda(self, room: RoomId) -> ObjId:
        found = self._objects.first(room, agenda.KIND_ID)
        if found is not None:
            return found.obj
        obj = self._objects.new(room)
        self._rooms.announce(room, obj, agenda.KIND_ID)
        return obj

    def _see(self, room: RoomId, row: int, obj: ObjId, count: Count) -> None:
        with self._db.transaction() as conn:
            self._objects.set_read_mark(room, obj, row)
            count(conn, room, obj)
            self._db.after_commit(lambda: self.changed.emit(room))

    def _on_taken_back(self, obj: ObjId) -> None:
        room = self._live.room_of(obj)
        if room is not None:
            self.changed.emit(room)

    def _notify(self, changes: Sequence[StoredChange]) -> None:
        kinds = {obj: row.kind for obj in {c.obj for c in changes} if (row := self._objects.get(obj)) is not None}
        if projection.KIND_ID in kinds.values():
            self._indexing.plan()
        ours = (projection.KIND_ID, agenda.KIND_ID)
        for room in {change.room for change in changes if kinds.get(change.obj) in ours}:
            self.changed.emit(room)
