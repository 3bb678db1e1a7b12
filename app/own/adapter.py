# SPDX-License-Identifier: EUPL-1.2
"""Connects a person's own objects to `LiveObjects` (app/objects/live.py)."""

from collections.abc import Callable, Generator, Sequence

from app.core.ids import ObjId, RoomId
from app.own.model import OwnObject
from app.own.projection import KIND_ID
from app.store.projection import Feeder
from app.store.rows import StoredChange

Announce = Callable[[RoomId, ObjId, str], None]


class OwnAdapter:
    """Makes the live models of a person's own objects and merges received changes into them, for `LiveObjects`.
    `announce` is called with (room, object, kind). It writes, in the caller's transaction, the record by which the room
    lists a new object. `is_device`: as for `OwnObject`."""

    kind = KIND_ID
    is_live = False
    frees = False

    def __init__(self, announce: Announce, is_device: Callable[[str], bool]) -> None:
        self._announce, self._is_device = announce, is_device

    def new(self, room: RoomId, obj: ObjId, emit: Callable[[bytes], None]) -> OwnObject:
        """See `Adapter`."""
        return OwnObject(emit, self._is_device)

    def title(self, model: OwnObject) -> None:
        """See `Adapter`. Returns None: no list shows the object."""

    def load(self, model: OwnObject, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return len(model.load(updates))

    def reading(self, model: OwnObject) -> Generator[None, None, None]:
        """See `Adapter`."""
        yield from ()

    def merge(self, model: OwnObject, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """See `Adapter`."""
        return len(model.merge(feeder.feed_data([(change.author, change.data) for change in changes])))

    def reset(self, model: OwnObject, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return len(model.reset(updates))

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """See `Adapter`."""
        self._announce(room, obj, self.kind)
