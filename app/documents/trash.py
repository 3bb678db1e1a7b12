# SPDX-License-Identifier: EUPL-1.2
"""The documents that are put away. The room's records say which; each document still takes changes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from app.core.ids import ObjId, RoomId, Uid
from app.documents.projection import KIND_ID
from app.errors import StoreFault
from app.objects.trash import PutAway, Retired, WrittenAfter
from app.people.person import Person
from app.store.changes import Changes
from app.store.objects import Objects


class Me(Protocol):
    """Has this account's person, as `me`."""

    @property
    def me(self) -> Person: ...


class DocumentTrash:
    """The trash of documents, as the view that shows the trash of any tool uses it (`Bin`). `retired(room, by)` reads
    from the rooms' records which objects are in the trash: of one room or all (None), put away by one person or anybody
    (None). `restore` gets a document's id and takes it out of the trash."""

    def __init__(
        self,
        objects: Objects,
        changes: Changes,
        retired: Callable[[RoomId | None, Uid | None], Sequence[Retired]],
        people: Me,
        restore: Callable[[ObjId], None],
    ) -> None:
        self._objects = objects
        self._changes = changes
        self._retired = retired
        self._people = people
        self._restore = restore

    def put_away(self, room: RoomId) -> Sequence[PutAway]:
        """See `Bin`."""
        return self._items(self._retired(room, None))

    def of(self, obj: ObjId) -> PutAway | None:
        """The entry of a document that is in the trash: who put it there, and when; None if it is not there."""
        row = self._objects.get(obj)
        if row is None or not row.deleted:
            return None
        return next((item for item in self.put_away(row.room) if item.obj == obj), None)

    def take_back(self, item: PutAway) -> None:
        """Takes the document of the entry `item` out of the trash, to its old place. Does nothing if it is not in the
        trash."""
        if self.of(item.obj) is not None:
            self._restore(item.obj)

    def written_after(self) -> Sequence[WrittenAfter]:
        """The documents that this person put into the trash and others have written in since then, or since this person
        last saw it, the last put away first. A document counts as seen when this person opens it, and when they leave
        it."""
        found = []
        for retired in self._retired(None, self._people.me.uid):
            seen = max(retired.row, self._objects.read_mark(retired.obj))
            writers = self._changes.writers_after(retired.obj, seen)
            for item in self._items([retired]) if writers else ():
                by, newest = tuple(uid for uid, _ in writers), max(t for _, t in writers)
                found.append(WrittenAfter(item=item, by=by, t=newest))
        return found

    def see(self, obj: ObjId, row: int) -> None:
        """Notes that the person has seen the changes of a document up to row `row`, if it is in the trash, so that
        `written_after` no longer lists those. Ignores an error of the disk: a full disk must not keep a document
        open."""
        with suppress(StoreFault):
            item = self.of(obj)
            if item is not None:
                self._objects.set_read_mark(item.room, obj, row)

    def _items(self, retired: Sequence[Retired]) -> list[PutAway]:
        rows = [(each, self._objects.get(each.obj)) for each in retired]
        return [
            PutAway(room=each.room, obj=each.obj, kind=row.kind, title=row.title, by=each.by, t=each.t)
            for each, row in rows
            if row is not None and row.kind == KIND_ID
        ]
