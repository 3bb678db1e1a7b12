# SPDX-License-Identifier: EUPL-1.2
"""What app/objects/live.py needs of documents."""

from collections.abc import Callable, Generator, Sequence

from app.core.ids import ObjId, RoomId
from app.documents import projection
from app.objects import pieces
from app.richtext.model import Document
from app.store.changes import Changes
from app.store.projection import Feeder
from app.store.rows import StoredChange

Announce = Callable[[RoomId, ObjId, str], None]


class DocumentAdapter:
    """Makes the live models of documents and merges received changes into them, for `LiveObjects`, which has the open
    ones. `announce` gets (room, object, kind) and writes the record by which the room lists a new object, within the
    caller's transaction."""

    kind = projection.KIND_ID
    is_live = True
    frees = True

    def __init__(self, changes: Changes, announce: Announce) -> None:
        self._changes = changes
        self._announce = announce

    def new(self, room: RoomId, obj: ObjId, emit: Callable[[bytes], None]) -> Document:
        """Makes an empty model of the document `obj`, which calls `emit` with each finished update that is made here.
        Selections that the model encodes for colleagues will name no client number of the CRDT under which this person
        has only unsent changes: a colleague could write under that number first."""
        document = Document(emit)
        unplaced = (pieces.client_of(data) for data in self._changes.unplaced(obj))
        document.selections.hide(client for client in unplaced if client is not None)
        return document

    def title(self, model: Document) -> str:
        """See `Adapter`."""
        return model.title

    def load(self, model: Document, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return model.load(updates)

    def reading(self, model: Document) -> Generator[None, None, None]:
        """See `Adapter`."""
        yield from model.reading()

    def merge(self, model: Document, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """See `Adapter`."""
        return model.merge(feeder.feed_data([(change.author, change.data) for change in changes]))

    def reset(self, model: Document, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return model.reset(updates)

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """See `Adapter`."""
        self._announce(room, obj, self.kind)
