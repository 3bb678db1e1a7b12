# SPDX-License-Identifier: EUPL-1.2
"""What app/objects/live.py needs of boards."""

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import groupby

from app.core.ids import ObjId, RoomId, Uid
from app.objects.crdt import REMOTE, STORED
from app.store.projection import Feeder
from app.store.rows import StoredChange
from app.tasks import projection
from app.tasks.descriptions import Description
from app.tasks.model import Board

Announce = Callable[[RoomId, ObjId, str], None]


class BoardAdapter:
    """Makes the live models of boards and merges received changes into them, for `LiveObjects`, which has the open
    ones. `announce` gets (room, object, kind) and writes the record by which the room lists a new object, within the
    caller's transaction. `me` returns the person who edits on this device. `descriptions` gets a board and a card's id,
    and returns the former values of the card's description, by id; None if they must be read first."""

    kind = projection.KIND_ID
    is_live = False
    frees = False

    def __init__(
        self,
        announce: Announce,
        me: Callable[[], Uid],
        descriptions: Callable[[ObjId, str], Mapping[str, Description] | None],
    ) -> None:
        self._announce = announce
        self._me = me
        self._descriptions = descriptions
        self.edits = set[bytes]()
        """The data of changes that are being written in boards without their models. In a model that is open they are
        edits of this person, which Ctrl+Z undoes."""

    def new(self, room: RoomId, obj: ObjId, emit: Callable[[bytes], None]) -> Board:
        """See `Adapter`."""
        return Board(emit, me=self._me(), history=lambda card: self._descriptions(obj, card))

    def title(self, model: Board) -> None:
        """See `Adapter`. The projection reads a board's title out of the board."""

    def load(self, model: Board, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return len(model.load(updates))

    def reading(self, model: Board) -> Generator[None, None, None]:
        """See `Adapter`."""
        yield from model.reading()

    def merge(self, model: Board, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """Merges received changes into a board. `feeder` takes the updates out of the changes, and keeps parts of
        longer ones. Returns how many updates were damaged and left out. ▲ This person's changes and colleagues' are
        merged separately. In one merge a description of this person's that a colleague replaced would never be seen."""
        damaged = 0
        for (own, is_edit), some in groupby(changes, key=lambda change: (change.own, change.data in self.edits)):
            of_one_kind = list(some)
            authors = {change.author for change in of_one_kind}
            by = authors.pop() if len(authors) == 1 else None
            updates = feeder.feed_data([(change.author, change.data) for change in of_one_kind])
            damaged += len(model.merge(updates, own=own, by=by, origin=STORED if is_edit else REMOTE))
        return damaged

    def reset(self, model: Board, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return len(model.reset(updates))

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """See `Adapter`."""
        self._announce(room, obj, self.kind)
