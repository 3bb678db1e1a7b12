# SPDX-License-Identifier: EUPL-1.2
"""What app/objects/live.py needs of minutes."""

from collections.abc import Callable, Generator, Sequence

from app.core.ids import ObjId, RoomId
from app.richtext.model import Document
from app.store.projection import Feeder
from app.store.rows import StoredChange
from tests.sample_tool.app import projection

Announce = Callable[[RoomId, ObjId, str], None]


class MinuteAdapter:
    """An `Adapter` of minutes."""

    kind = projection.KIND_ID
    is_live = True
    frees = True

    def __init__(self, announce: Announce) -> None:
        self._announce = announce

    def new(self, room: RoomId, obj: ObjId, emit: Callable[[bytes], None]) -> Document:
        """See `Adapter`."""
        return Document(emit)

    def title(self, model: Document) -> str:
        """See `Adapter`."""
        return model.title

    def load(self, model: Document, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return model.merge(updates)

    def reading(self, model: Document) -> Generator[None, None, None]:
        yield from ()

    def merge(self, model: Document, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """See `Adapter`."""
        return model.merge(feeder.feed_data([(change.author, change.data) for change in changes]))

    def reset(self, model: Document, updates: Sequence[bytes]) -> int:
        """See `Adapter`."""
        return model.reset(updates)

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """See `Adapter`."""
        self._announce(room, obj, self.kind)
