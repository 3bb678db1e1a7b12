# SPDX-License-Identifier: EUPL-1.2
"""Documents of one account: create, open, rename, list, put away; who else is in them; indexing a moment later.

Lives on the event loop. A document is merged once and shared by everybody who has it open.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from app.core import clock, log
from app.core.i18n import tr
from app.core.ids import DevId, ObjId, RoomId, Uid, short
from app.core.signal import Signal
from app.documents import projection, records
from app.documents.files import DocumentFiles
from app.documents.flow import Block
from app.documents.indexing import Indexing
from app.documents.model import Document
from app.documents.presence import Later, Presence, on_loop
from app.documents.trash import DocumentTrash
from app.errors import NotFound, StoreFault
from app.objects import history
from app.objects.crdt import may_be_kept
from app.objects.trash import Retired
from app.people.person import Person
from app.store.changes import Changes
from app.store.database import Database, is_fatal
from app.store.objects import Objects
from app.store.rows import ObjectRow, StoredChange

CACHE_AFTER = 200
"""Changes after which the merged state is cached, so that opening does not begin at the first change."""


class People(Protocol):
    """Who is who."""

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Rooms(Protocol):
    """What documents need of the room they are in."""

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None: ...

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None: ...

    def may_write(self, room: RoomId) -> bool: ...

    def put_away(self, room: RoomId | None = None, by: Uid | None = None) -> "Sequence[Retired]": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """A document as lists show it. Times in ms."""

    obj: ObjId
    room: RoomId
    title: str
    updated: int
    by: Uid
    words: int
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caret:
    """A colleague's selection in UTF-16 positions. `me` on another device of mine counts as a colleague."""

    person: Person
    dev: DevId
    anchor: int
    caret: int


@dataclass(slots=True)
class _Open:
    room: RoomId
    document: Document
    assembler: records.Assembler
    row: int
    since_cached: int
    begun: list[bytes] = field(default_factory=list)
    """The changes that make the document, of one in which nothing has been written yet. They are stored with the first
    edit."""
    holders: int = 0
    live: bool = False
    selection: Callable[[], tuple[int, int]] = lambda: (0, 0)
    unsaved: list[bytes] = field(default_factory=list)
    saving: bool = False
    """An edit is being stored: it is not finished yet for those who show it."""
    late: list[StoredChange] = field(default_factory=list)
    """What came meanwhile."""
    damaged: int = 0
    """Updates that are none."""


class DocumentService:
    """`live_changed` tells the engine when others have a document open, so that it sends edits without waiting."""

    def __init__(
        self,
        db: Database,
        changes: Changes,
        objects: Objects,
        people: People,
        rooms: Rooms,
        *,
        send_ephemeral: Callable[[RoomId, bytes], None] | None = None,
        later: Later = on_loop,
    ) -> None:
        self.changed: Signal[RoomId] = Signal()
        """A room's list of documents is another."""
        self.presence_changed: Signal[ObjId] = Signal()
        self.live_changed: Signal[RoomId, ObjId, bool] = Signal()
        self.fault: Signal[ObjId, StoreFault] = Signal()
        """The disk refused an edit. It is kept in memory and stored with the next one."""
        self.people = people
        self._db = db
        self._changes = changes
        self._objects = objects
        self._rooms = rooms
        self._open: dict[ObjId, _Open] = {}
        self.files = DocumentFiles(self)
        self.trash = DocumentTrash(objects, changes, rooms.put_away, people, self.restore)
        self._presence = Presence(send_ephemeral, later=later)
        self._presence.changed.connect(self._on_presence)
        self._indexing = Indexing(db, objects, self._shown, self.changed, later)
        self._ends = [
            changes.received.connect(self._on_received),
            changes.appended.connect(self._on_appended),
            changes.positioned.connect(self._on_positioned),
            changes.taken_back.connect(self._on_taken_back),
        ]

    def start(self) -> None:
        """Indexes what an earlier run did not come to. Call when the loop runs."""
        self._indexing.start()

    def close_all(self) -> None:
        """Closes every document, indexes what is left, stops following the store. Before the store closes."""
        self.files.close()
        for obj in list(self._open):
            self._open[obj].holders = 1
            self._close_last(obj)
        self._indexing.close()
        for end in self._ends:
            end()

    # ---- lists

    def list(self, room: RoomId) -> list[DocumentRow]:
        """A room's documents, latest changed first."""
        return [*self._listed("o.room = ? AND NOT o.deleted", room)]

    def row(self, obj: ObjId) -> DocumentRow | None:
        """One document, also one that is put away; None if there is none."""
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

    def may_write(self, room: RoomId) -> bool:
        """Whether my role in the room lets me write."""
        return self._rooms.may_write(room)

    def create(self, room: RoomId, title: str) -> ObjId:
        """A new document with a title and an empty line."""
        updates: list[bytes] = []
        with closing(Document(updates.append)) as document, self._db.transaction():
            document.set_up(title)
            obj = self._objects.new(room)
            self._rooms.announce(room, obj, projection.KIND_ID)
            for update in updates:
                for data in records.encode(update, document.title):
                    self._changes.append(room, obj, data)
        return obj

    def begin(self, room: RoomId, title: str) -> DocumentRow:
        """As `create` and `open`, but it is stored, and others see it, with the first edit or another title. Closed
        before that, it has never been. Needs a `close`."""
        obj = self._objects.new(room)
        updates: list[bytes] = []
        document = Document(lambda update: self._save(obj, update) if obj in self._open else updates.append(update))
        document.set_up(title)
        begun = [data for update in updates for data in records.encode(update, document.title)]
        self._open[obj] = _Open(room, document, records.Assembler(), 0, 0, begun=begun, holders=1)
        me = self.people.me.uid
        return DocumentRow(obj=obj, room=room, title=document.title, updated=clock.now_ms(), by=me, words=0, excerpt="")

    def add(self, room: RoomId, changes: "Sequence[bytes]") -> ObjId:
        """A new document that these changes make, stored in one transaction."""
        with self._db.transaction():
            obj = self._objects.new(room)
            self._rooms.announce(room, obj, projection.KIND_ID)
            for data in changes:
                self._changes.append(room, obj, data)
        return obj

    def shown_now(self, obj: ObjId) -> "tuple[str, Sequence[Block]]":
        """A document's title and blocks as they are now, open or not. NotFound."""
        with self._shown(obj) as document:
            return document.title, tuple(document.blocks())

    def delete(self, obj: ObjId) -> None:
        """Puts a document away; `restore` takes it back."""
        self._retire(obj, on=True)

    def restore(self, obj: ObjId) -> None:
        """Takes back a document that was put away."""
        self._retire(obj, on=False)

    def rename(self, obj: ObjId, title: str) -> None:
        """Gives a document another title, whether it is open or not."""
        document = self.open(obj)
        try:
            document.set_title(title)
        finally:
            self.close(obj)

    # ---- open documents

    def open(self, obj: ObjId) -> Document:
        """The live document. NotFound if there is none. Each `open` needs a `close`."""
        held = self._open.get(obj)
        if held is None:
            held = self._load(obj)
            self._open[obj] = held
        held.holders += 1
        return held.document

    def close(self, obj: ObjId) -> None:
        """The last close forgets the document; what the disk has refused so far is tried again first."""
        held = self._open[obj]
        held.holders -= 1
        if held.holders > 0:
            return
        self._store(obj, held)
        self._merge_late(obj)
        self.leave(obj)
        self._cache(obj, held)
        held.document.close()
        del self._open[obj]

    def _close_last(self, obj: ObjId) -> None:
        """Closes a document at the session's end. ▲ A fault in one keeps no other open; a full disk is told."""
        try:
            self.close(obj)
        except Exception as e:
            if is_fatal(e):
                raise
            log.store.exception("document-close", e, obj=short(obj))
            self._open.pop(obj, None)

    def open_ids(self) -> "Sequence[ObjId]":
        """Which documents are open."""
        return list(self._open)

    def damaged(self, obj: ObjId) -> int:
        """How many changes of an open document could not be read. They are kept, and everything else is shown."""
        held = self._open.get(obj)
        return held.assembler.damaged + held.damaged if held else 0

    def unsaved(self, obj: ObjId) -> bool:
        """Whether the disk has refused edits that are only in memory."""
        held = self._open.get(obj)
        return bool(held and held.unsaved)

    def unstored(self) -> "Sequence[ObjId]":
        """The documents with edits that the disk has refused."""
        return [obj for obj, held in self._open.items() if held.unsaved]

    def save_again(self, obj: ObjId) -> None:
        """Tries to store what the disk has refused; `fault` tells if it refuses again."""
        held = self._open[obj]
        try:
            self._store(obj, held)
        except StoreFault as fault:
            self.fault.emit(obj, fault)

    def save_all(self) -> None:
        """Tries again to store the edits that the disk refused. StoreFault if it refuses again; the edits stay in
        memory."""
        for obj, held in list(self._open.items()):
            self._store(obj, held)

    def versions(self, obj: ObjId) -> "Sequence[history.Version]":
        """Who worked on it when, oldest first."""
        return history.versions(self._changes.history(obj)[1])

    def document_at(self, obj: ObjId, rowid: int) -> Document:
        """The document as it was at a version; nothing written in it is kept. The caller closes it."""
        begun, edits = self._changes.history(obj)
        return self._made(obj, [*begun, *history.until(edits, rowid)])

    def before(self, obj: ObjId, rowid: int) -> Document:
        """The document as the changes below a row of the store make it; nothing written in it is kept. The caller
        closes it."""
        return self._made(obj, [change for change in self._changes.of(obj) if change.rowid < rowid])

    def copy(self, obj: ObjId, room: RoomId | None = None) -> ObjId:
        """Creates a document with the text, formats and title that this one has here, in `room` (None: the same room).
        NotFound if this one does not exist."""
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        with self._shown(obj) as shown:
            copy = self.create(room or row.room, tr("{title} (copy)").format(title=shown.title or tr("Untitled")))
            document = self.open(copy)
            try:
                document.rewrite(0, len(document.blocks()), list(shown.blocks()))
            finally:
                self.close(copy)
        return copy

    def _made(self, obj: ObjId, changes: Sequence[StoredChange]) -> Document:
        """A document of its own that these changes make; what is written in it is kept nowhere. The caller closes
        it."""
        document = Document()
        with self._changes.merging(changes[0].room if changes else RoomId(b""), obj, changes):
            document.merge(records.Assembler().feed(changes))
        return document

    # ---- presence

    def enter(self, obj: ObjId, selection: Callable[[], tuple[int, int]]) -> None:
        """I look at an open document; `selection` gives (anchor, caret) when it is to be told to others."""
        held = self._open[obj]
        self._objects.opened(obj)
        self._see(obj)
        self._presence.enter(held.room, obj, lambda: held.document.encode_selection(*selection()))

    def leave(self, obj: ObjId) -> None:
        """I no longer look at it. What is written from now on is not seen. Twice does no harm."""
        if obj in self._open and self._presence.is_in(obj):
            self._see(obj)
        self._presence.leave(obj)
        self._set_live(obj, False)

    def moved(self, obj: ObjId) -> None:
        """My caret has moved."""
        self._presence.moved(obj)

    def presence(self, obj: ObjId) -> "Sequence[Caret]":
        """Where my colleagues are in an open document."""
        held = self._open.get(obj)
        if held is None:
            return []
        carets = []
        for other in self._presence.others(obj):
            at = held.document.resolve_selection(other.selection)
            if at is not None:
                person = self.people.person(other.uid)
                carets.append(Caret(person=person, dev=other.dev, anchor=at[0], caret=at[1]))
        return carets

    def on_ephemeral(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes) -> None:
        """The engine heard a passing message; ours or another tool's."""
        self._presence.receive(room, uid, dev, payload)

    # ---- indexing

    def index_now(self) -> None:
        """Brings every document's search text up to date at once."""
        self._indexing.run_all()

    # ---- inside

    def _see(self, obj: ObjId) -> None:
        """I have seen all that is written in an open document."""
        self.trash.see(obj, self._open[obj].row)

    def _retire(self, obj: ObjId, *, on: bool) -> None:
        row = self._objects.get(obj)
        if row is None:
            raise NotFound
        self._rooms.retire(row.room, obj, on)
        self.changed.emit(row.room)

    def _load(self, obj: ObjId) -> _Open:
        row = self._objects.get(obj)
        if row is None or row.kind != projection.KIND_ID:
            raise NotFound
        document = Document(lambda update: self._save(obj, update))
        cached = self._cached(row, document)
        after = cached or 0
        changes = self._changes.of(obj, after)
        assembler = records.Assembler()
        with self._changes.merging(row.room, obj, changes):
            damaged = document.merge(assembler.feed(changes))
        unplaced = (records.client_of(data) for data in self._changes.unplaced(obj))
        document.hide(client for client in unplaced if client is not None)
        last = changes[-1].rowid if changes else after
        return _Open(row.room, document, assembler, last, len(changes), damaged=damaged)

    def _cached(self, row: ObjectRow, document: Document) -> int | None:
        """Merges the cached state into an empty document; up to which row it goes, None if there is none or it is
        damaged."""
        cached = self._objects.crdt_state(row.obj)
        if cached is None:
            return None
        with self._changes.merging(row.room, row.obj, self._changes.at(cached[0])):
            damaged = document.merge([cached[1]])
        if damaged:
            log.store.warning("crdt-state-damaged", obj=short(row.obj))
            return None
        return cached[0]

    def _on_taken_back(self, obj: ObjId) -> None:
        """Something of the document is merged no more: it is read again, in place for those who show it."""
        held = self._open.get(obj)
        if held is None:
            return
        held.assembler, held.late = records.Assembler(), []
        changes = self._changes.of(obj)
        with self._changes.merging(held.room, obj, changes):
            held.damaged = held.document.reset([*held.assembler.feed(changes), *_updates(held.unsaved)])
        held.row = changes[-1].rowid if changes else 0
        self.changed.emit(held.room)

    @contextmanager
    def _shown(self, obj: ObjId) -> Iterator[Document]:
        """The document as it is now, whether it is open or not. If it is not open, its state is cached after reading:
        merging 20,000 keystrokes takes 0.8 s, and reading their cached state 0.08 s. It is then closed at the end."""
        held = self._open.get(obj)
        if held is not None:
            yield held.document
            return
        held = self._load(obj)
        with closing(held.document):
            self._cache(obj, held)
            yield held.document

    def _cache(self, obj: ObjId, held: _Open) -> None:
        # ▲ edits that build on something which is not here yet wait in the document, and are not in its state
        whole = not (held.assembler.waiting or held.unsaved or held.late or self._changes.lacking(held.room))
        if held.since_cached >= CACHE_AFTER and whole:
            state = held.document.snapshot()
            if may_be_kept(state):
                self._objects.set_crdt_state(obj, held.row, state)
            held.since_cached = 0

    def _save(self, obj: ObjId, update: bytes) -> None:
        """Stores an edit, in the middle of it. A commit that ran apart may end here and bring what others wrote: that
        waits until the edit is over, or the text would change under whoever is typing."""
        held = self._open[obj]
        held.saving = True
        try:
            row = self._objects.get(obj)
            known = row.title if row is not None else None
            title = held.document.title if known != held.document.title else None
            held.unsaved += records.encode(update, title)
            self.save_again(obj)
        finally:
            held.saving = False

    def _store(self, obj: ObjId, held: _Open) -> None:
        """Stores what is not stored yet: all of it or nothing. ▲ A crash between the pieces of a large edit would leave
        pieces that wait for others for ever, at everybody."""
        unsaved = list(held.unsaved)
        if unsaved:
            with self._db.transaction():
                if held.begun:
                    self._rooms.announce(held.room, obj, projection.KIND_ID)
                for data in held.begun:
                    self._changes.append(held.room, obj, data)
                for data in unsaved:
                    self._changes.append(held.room, obj, data, live=True)
            held.begun = []
            del held.unsaved[: len(unsaved)]

    def _on_appended(self, change: StoredChange) -> None:
        held = self._open.get(change.obj)
        if held is not None:
            held.row = max(held.row, change.rowid)
            held.since_cached += 1
        self._tell([change])

    def _on_positioned(self, changes: Sequence[StoredChange]) -> None:
        for change in changes:
            held = self._open.get(change.obj)
            client = records.client_of(change.data) if held is not None else None
            if held is not None and client is not None:
                held.document.placed(client)

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        by_obj: dict[ObjId, list[StoredChange]] = {}
        for change in changes:
            by_obj.setdefault(change.obj, []).append(change)
        for obj, of_obj in by_obj.items():
            held = self._open.get(obj)
            if held is not None:
                held.late += of_obj
                if held.saving:
                    asyncio.get_running_loop().call_soon(self._merge_late, obj)
                else:
                    self._merge_late(obj)
        self._tell(changes)

    def _merge_late(self, obj: ObjId) -> None:
        """Takes in what came, in order; nothing happens if there is nothing."""
        held = self._open.get(obj)
        if held is None or not held.late:
            return
        late, held.late = held.late, []
        held.row = max(held.row, late[-1].rowid)
        held.since_cached += len(late)
        with self._changes.merging(held.room, obj, late):
            held.damaged += held.document.merge(held.assembler.feed(late))

    def _tell(self, changes: Sequence[StoredChange]) -> None:
        rooms = set()
        for obj, room in {change.obj: change.room for change in changes}.items():
            if obj in self._open or obj == ObjId(room) or self._is_document(obj):
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
        held = self._open.get(obj)
        if held is not None and held.live != live:
            held.live = live
            self.live_changed.emit(held.room, obj, live)


def _updates(changes: Sequence[bytes]) -> "Sequence[bytes]":
    """The updates in changes that are not stored yet."""
    return records.Assembler().feed_data([(b"", data) for data in changes])
