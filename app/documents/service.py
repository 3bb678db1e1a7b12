# SPDX-License-Identifier: EUPL-1.2
"""Documents of one account: create, open, rename, list, put away; presence of colleagues; indexing a moment later.

Lives on the event loop. A document is merged once and shared by everybody who has it open.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from app.core import clock
from app.core.delay import Later, on_loop
from app.core.i18n import tr
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.documents import projection
from app.documents.adapter import DocumentAdapter
from app.documents.files import DocumentFiles
from app.documents.first_changes import first_changes
from app.documents.presence import Presence
from app.documents.trash import DocumentTrash
from app.errors import NotFound
from app.objects import history, pieces
from app.objects.links import Linked, ObjectLink, linked_object
from app.objects.live import LiveObjects
from app.objects.trash import Retired
from app.people.person import Person
from app.richtext.carets import Caret
from app.richtext.flow import Block
from app.richtext.indexing import Indexing
from app.richtext.model import MAX_TITLE, Document
from app.setting import Switch
from app.store.changes import Changes
from app.store.database import Database
from app.store.long_writes import Decided, LongWrites, Progress, no_more, no_progress
from app.store.objects import Objects
from app.store.rows import StoredChange
from app.tool import Unsaved

_LONG_BYTES, _LONG_CHANGES = 64 * 1024, 200
"""A document is long if its cached state or the number of changes after that is: 15 pages take some 5 ms to open."""


class People(Protocol):
    """Looks up the people of the agency, and this account's own person."""

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Rooms(Protocol):
    """What documents need of rooms: to list a new document, the trash, and whether this person may write."""

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None: ...

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None: ...

    def may_write(self, room: RoomId) -> bool: ...

    def put_away(self, room: RoomId | None = None, by: Uid | None = None) -> "Sequence[Retired]": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """A document as lists show it. `by` wrote in it last, at `updated` (ms); `words`: how many it has; `excerpt`: its
    beginning. These two follow a change some seconds later."""

    obj: ObjId
    room: RoomId
    title: str
    updated: int
    by: Uid
    words: int
    excerpt: str


class DocumentService:
    """What this account can do with documents. `live_changed` is emitted with (room, object, whether that is so) when
    colleagues have a document open too, or no longer have, so that the engine sends edits without waiting while they
    do. Lives on the event loop."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        objects: Objects,
        people: People,
        rooms: Rooms,
        *,
        send_ephemeral: Callable[[RoomId, bytes], None] | None = None,
        shows_reading: Switch | None = None,
        later: Later = on_loop,
    ) -> None:
        self.changed: Signal[RoomId] = Signal()
        """The list of documents of a room changed."""
        self.presence_changed: Signal[ObjId] = Signal()
        self.live_changed: Signal[RoomId, ObjId, bool] = Signal()
        self.people = people
        self.rooms_within: Callable[[RoomId], Sequence[tuple[RoomId, str]]] = lambda room: ()
        """The rooms that belong to a room and that this person is in, as (id, title)."""
        self._db = db
        self._changes = changes
        self._objects = objects
        self._rooms = rooms
        self._live = live = LiveObjects(db, changes, objects, DocumentAdapter(changes, rooms.announce))
        # its members are this service's too: see there
        self.fault, self.saved, self.damaged = live.fault, live.saved, live.damaged
        self.unsaved, self.unsaved_ids, self.unsaved_changes = live.unsaved, live.unsaved_ids, live.unsaved_changes
        self.retry, self.save = live.retry, live.retry_all
        self.open, self.in_parts, self.open_ids, self.room_of = live.open, live.load, live.ids, live.room_of
        self._long = LongWrites(db, changes, projection.KIND_ID, lambda _, obj: self.delete(obj))
        self._shared: set[ObjId] = set()
        """Open documents that colleagues have open, too."""
        self.files = DocumentFiles(db, self)
        self.trash = DocumentTrash(objects, changes, rooms.put_away, people, self.restore)
        self._presence = Presence(send_ephemeral, shows_reading, later=later)
        self._presence.changed.connect(self._on_presence)
        self._indexing = Indexing(db, objects, "document_rows", projection.index, self._shown, self.changed, later)
        self._ends = [
            changes.received.connect(self._notify),
            changes.appended.connect(lambda change: self._notify([change])),
            changes.positioned.connect(self._on_positioned),
            changes.taken_back.connect(self._on_taken_back),
        ]

    def start(self) -> None:
        """Indexes documents that an earlier run of the program left unindexed, and completes long ones that it began to
        write. Call it when the event loop runs."""
        self._long.start()
        self._indexing.start()

    def unstored(self) -> "Sequence[Unsaved]":
        """The documents with edits that the disk has refused."""
        return [Unsaved(obj=obj, draft=False) for obj in self.unsaved_ids()]

    def linked(self, link: ObjectLink) -> Linked | None:
        """What to show of the document that a link leads to: its title, who wrote in it last, and when. None if the
        link's room has no such document here, or if it is in the trash."""
        found, row = linked_object(self._objects, link), self.row(link.obj)
        return replace(found, by=row.by) if found is not None and row is not None else found

    def close_all(self) -> None:
        """Closes every document, kills a running conversion of a file, indexes what is left, and stops following the
        store. Call it before the store closes. StoreFault if the disk refuses some edits: everything else is closed all
        the same, and `unsaved_changes` returns the refused edits."""
        self.files.close()
        self._long.close()
        try:
            for obj in self._live.ids():
                self.leave(obj)
            self._indexing.close()
        finally:
            for end in self._ends:
                end()
            self._live.close_all()

    # ---- lists

    def list(self, room: RoomId) -> list[DocumentRow]:
        """A room's documents, without those in the trash, latest changed first."""
        return [*self._listed("o.room = ? AND NOT o.deleted", room)]

    def row(self, obj: ObjId) -> DocumentRow | None:
        """One document, also one in the trash; None if there is none."""
        return next(iter(self._listed("o.obj = ?", obj)), None)

    def _listed(self, where: str, of: bytes) -> "Sequence[DocumentRow]":
        rows = self._db.rows(
            f"""SELECT o.obj, o.room, o.title, o.updated, d.by, d.words, d.excerpt FROM objects o
                JOIN document_rows d ON d.obj = o.obj WHERE {where} AND o.kind = ?
                ORDER BY o.updated DESC, o.obj""",  # noqa: S608 - constants
            (of, projection.KIND_ID),
        )
        return [
            DocumentRow(obj=obj, room=rm, title=title, updated=updated, by=by, words=words, excerpt=excerpt)
            for obj, rm, title, updated, by, words, excerpt in rows
        ]

    def is_long(self, obj: ObjId) -> bool:
        """Whether opening a document takes so long that `load` is to be awaited first. False for one that is open."""
        return self._live.get(obj) is None and self._objects.is_long(obj, _LONG_BYTES, _LONG_CHANGES)

    def may_write(self, room: RoomId) -> bool:
        """Whether my role in the room lets me write."""
        return self._rooms.may_write(room)

    def rooms_to_move_to(self, room: RoomId) -> Sequence[tuple[RoomId, str]]:
        """The rooms within `room` to which this person can move a document of `room`, as (id, title): those in which
        they may write, if they may write in `room` too."""
        if not self.may_write(room):
            return []
        return [(each, title) for each, title in self.rooms_within(room) if self.may_write(each)]

    def create(self, room: RoomId, title: str) -> ObjId:
        """Creates a document with this title and an empty line, and stores it at once, so that the room's members get
        it. Does not open it. Returns its id. StoreFault if the disk refuses."""
        updates: list[bytes] = []
        with closing(Document(updates.append)) as document, self._db.transaction():
            document.set_up(title)
            obj = self._objects.new(room)
            self._rooms.announce(room, obj, projection.KIND_ID)
            for update in updates:
                for data in pieces.encode(update, document.title):
                    self._changes.append(room, obj, data)
        return obj

    def begin(self, room: RoomId, title: str) -> DocumentRow:
        """Creates a document with this title and opens it. It is stored, and others see it, only with the first edit or
        change of title. If it is closed before that, no document is left. Needs a `close`."""
        obj = self._objects.new(room)
        document = self._live.begin(room, obj, lambda new: new.set_up(title))
        me = self.people.me.uid
        return DocumentRow(obj=obj, room=room, title=document.title, updated=clock.now_ms(), by=me, words=0, excerpt="")

    async def add(
        self,
        room: RoomId,
        changes: "Sequence[bytes]",
        *,
        retires: ObjId | None = None,
        progress: Progress = no_progress,
        decided: Decided = no_more,
    ) -> ObjId:
        """Creates a document of which `changes` are the first changes (data), and then puts the document `retires` into
        the trash. Returns the new one's id. All of it is stored or nothing, and a long text in parts between which the
        loop runs (`LongWrites.write`); `decided` is called in the transaction that makes it certain. BadChange for
        damaged data, StoreFault if the disk refuses."""

        def begin() -> ObjId:
            obj = self._objects.new(room)
            self._rooms.announce(room, obj, projection.KIND_ID)
            decided()
            return obj

        return await self._long.write(room, changes, begin, retires=retires, progress=progress)

    def shown_now(self, obj: ObjId) -> "tuple[str, Sequence[Block]]":
        """A document's title and blocks as they are now, whether it is open or not. NotFound."""
        with self._shown(obj) as document:
            return document.title, tuple(document.blocks())

    def delete(self, obj: ObjId) -> None:
        """Puts a document into the trash; `restore` takes it out again. NotFound."""
        self._retire(obj, on=True)

    def restore(self, obj: ObjId) -> None:
        """Takes back a document that was put away."""
        self._retire(obj, on=False)

    def rename(self, obj: ObjId, title: str) -> None:
        """Replaces the title of a document, whether it is open or not; an empty title changes nothing. NotFound."""
        with self._live.holding(obj) as document:
            document.set_title(title)

    # ---- open documents

    def close(self, obj: ObjId) -> None:
        """Ends one `open` of a document; after the last one it is no longer shown as open to colleagues. StoreFault if
        the disk still refuses edits, which then stay in memory to be stored later (`retry`). KeyError if it is neither
        open nor has such edits."""
        try:
            if self._live.holders(obj) == 1:
                self.leave(obj)
        finally:  # what was seen is a row in the store, which the disk may refuse
            self._live.close(obj)

    def versions(self, obj: ObjId) -> "Sequence[history.Version]":
        """The versions of a document: who worked on it and when, oldest first."""
        return history.versions(self._changes.history(obj)[1])

    def document_at(self, obj: ObjId, rowid: int) -> Document:
        """The document as it was at the version whose last change is in row `rowid` of the store; as it is now if no
        change of it is in that row, and empty for an unknown document. Nothing that is written in it is stored. The
        caller closes it."""
        begun, edits = self._changes.history(obj)
        return self._made(obj, [*begun, *history.until(edits, rowid)])

    def before(self, obj: ObjId, rowid: int) -> Document:
        """The document as this device had it before the change in row `rowid` of the store; empty if there is nothing
        before. Nothing that is written in it is stored. The caller closes it."""
        return self._made(obj, [change for change in self._changes.of(obj) if change.rowid < rowid])

    async def copy(
        self, obj: ObjId, room: RoomId | None = None, progress: Progress = no_progress, decided: Decided = no_more
    ) -> ObjId:
        """Creates a document with the text and formats that this one has now, and its title with "(copy)" behind it, in
        `room` (None: the same room). Returns its id. It is made in a thread, as by `move`. NotFound if this one does
        not exist, StoreFault if the disk refuses the new one. After a cancellation or a StoreFault nothing is stored,
        or the copy is completed all the same: then `decided` was called (`add`)."""
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        title, blocks = self.shown_now(obj)
        named = tr("{title} (copy)")
        title = (title or tr("Untitled"))[: MAX_TITLE - len(named.format(title=""))]
        changes = await asyncio.to_thread(first_changes, named.format(title=title), blocks)
        return await self.add(room or row.room, changes, progress=progress, decided=decided)

    async def move(self, obj: ObjId, room: RoomId) -> ObjId:
        """Creates a document in `room` with the text, formats and title that this one has now, and puts this one into
        the trash. Returns the new one's id. It is made in a thread: a document of 100 pages takes half a second. What a
        colleague writes meanwhile, and this one's earlier versions, stay where they are. NotFound if it is not here.
        StoreFault if the disk refuses. Then nothing has changed, or the move is completed all the same (`add`), and a
        second call for the same room returns that copy. Otherwise each try at a full disk would leave one more copy in
        `room`."""
        begun = self._long.retiring(obj)
        if begun is not None:
            await self._long.complete(begun)
            if (row := self._objects.get(begun)) is not None and row.room == room:
                return begun
        changes = await asyncio.to_thread(first_changes, *self.shown_now(obj))
        return await self.add(room, changes, retires=obj)

    def move_back(self, obj: ObjId, copied: ObjId) -> None:
        """Undoes `move`: takes the document `obj` out of the trash, and puts its copy `copied` there. StoreFault if the
        disk refuses, and then nothing has changed."""

        def write() -> None:
            with self._db.transaction():
                self.restore(obj)
                self.delete(copied)

        self._db.again(write)

    def _made(self, obj: ObjId, changes: Sequence[StoredChange]) -> Document:
        """Makes a separate document out of `changes`, some or all of those of the document `obj`, to be read only: what
        is written in it is not stored. Damaged changes are left out; without changes it is empty. The caller closes
        it."""
        document = Document()
        with self._changes.merging(changes[0].room if changes else RoomId(b""), obj, changes):
            document.merge(pieces.Assembler().feed(changes))
        return document

    # ---- presence

    def enter(self, obj: ObjId, selection: Callable[[], tuple[int, int]]) -> None:
        """Notes that this person has an open document on screen: lets colleagues see that and the selection, and lists
        it among the recently opened. `selection` returns (anchor, caret) in UTF-16 units; it is called whenever that is
        to be sent. NotFound if the document is not open, StoreFault if the disk refuses."""
        document, room = self._live.get(obj), self._live.room_of(obj)
        if document is None or room is None:
            raise NotFound
        self._presence.enter(room, obj, lambda: document.selections.encode(*selection()))
        self._objects.opened(obj)
        self._see(obj)

    def leave(self, obj: ObjId) -> None:
        """Notes that this person no longer has the document on screen, and stops showing them there to colleagues. If
        it is in the trash, what is written from now on counts as unseen. A second call does no harm."""
        try:
            if self._presence.is_in(obj):
                self._see(obj)
        finally:
            self._presence.leave(obj)
            self._set_live(obj, False)

    def moved(self, obj: ObjId) -> None:
        """My caret has moved."""
        self._presence.moved(obj)

    def presence(self, obj: ObjId) -> "Sequence[Caret]":
        """The selections of colleagues in an open document, without those that cannot be found in the text yet; this
        person's other devices count as colleagues. Empty if the document is not open or this person has not entered
        it."""
        document = self._live.get(obj)
        if document is None:
            return []
        carets = []
        for other in self._presence.others(obj):
            at = document.selections.resolve(other.selection)
            if at is not None:
                person = self.people.person(other.uid)
                carets.append(Caret(person=person, dev=other.dev, anchor=at[0], caret=at[1]))
        return carets

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """Receives an ephemeral message, whose content is `payload`, that the person `uid` sent from the device `dev`:
        a colleague's selection in a document of the room, or that they left it. `presence_changed` is emitted.
        Messages of other tools, and about documents that this person has not entered, are ignored."""
        self._presence.receive(room, uid, dev, payload)

    # ---- indexing

    def index_now(self) -> None:
        """Brings every document's search text up to date at once."""
        self._indexing.run_all()

    # ---- inside

    def _see(self, obj: ObjId) -> None:
        """Notes that this person has seen everything that is written in an open document by now."""
        self.trash.see(obj, self._live.row(obj))

    def _retire(self, obj: ObjId, *, on: bool) -> None:
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        self._rooms.retire(row.room, obj, on)
        self._db.after_commit(partial(self.changed.emit, row.room))

    def _on_taken_back(self, obj: ObjId) -> None:
        room = self._live.room_of(obj)
        if room is not None:
            self.changed.emit(room)

    @contextmanager
    def _shown(self, obj: ObjId) -> Iterator[Document]:
        """A context with the document as it is now, whether it is open or not, for reading. NotFound. If it is not open
        and many changes were merged, its state is cached afterwards: merging 20,000 keystrokes takes 0.8 s, and reading
        their cached state 0.08 s."""
        with self._live.holding(obj) as document:
            yield document

    def _on_positioned(self, changes: Sequence[StoredChange]) -> None:
        placed = set[ObjId]()
        for change in changes:
            document = self._live.get(change.obj)
            client = pieces.client_of(change.data) if document is not None else None
            if document is not None and client is not None and document.selections.placed(client):
                placed.add(change.obj)
        for obj in placed:
            self._presence.moved(obj)  # the selection may name the client now

    def _notify(self, changes: Sequence[StoredChange]) -> None:
        rooms = set()
        for obj, room in {change.obj: change.room for change in changes}.items():
            if self._live.get(obj) is not None or obj == ObjId(room) or self._is_document(obj):
                rooms.add(room)  # the room itself says which of them are put away
        if rooms:
            self._indexing.plan()
        for room in rooms:
            self.changed.emit(room)

    def _is_document(self, obj: ObjId) -> bool:
        return self._db.one("SELECT 1 FROM document_rows WHERE obj = ?", (obj,)) is not None

    def _on_presence(self, obj: ObjId) -> None:
        self._set_live(obj, bool(self._presence.others(obj)))
        self.presence_changed.emit(obj)

    def _set_live(self, obj: ObjId, live: bool) -> None:
        room = self._live.room_of(obj)
        if room is not None and live != (obj in self._shared):
            (self._shared.add if live else self._shared.discard)(obj)
            self.live_changed.emit(room, obj, live)
