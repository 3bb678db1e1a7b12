# SPDX-License-Identifier: EUPL-1.2
"""A board's change on disk and on the wire: one update of its CRDT document."""

from collections.abc import Sequence

import msgspec

from app.errors import BadChange
from app.objects.object import Payload
from app.objects.replay import Unpacked


class BoardUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="update", omit_defaults=True):
    """`update` is what app/objects/crdt made. `begun`: for a state, its other fields (app/objects/begun.py)."""

    update: bytes
    begun: bytes = b""


_PAYLOAD: Payload[BoardUpdate] = Payload(BoardUpdate)


def encode(update: bytes, begun: bytes = b"") -> bytes:
    """An update as a change's data."""
    return _PAYLOAD.encode(BoardUpdate(update=update, begun=begun))


def unpack(data: bytes) -> Unpacked:
    """See `app.objects.replay.Unpack`."""
    record = _PAYLOAD.decode(data)
    return Unpacked(record.update, record.begun)


def decode(data: bytes) -> bytes:
    """The update in a change's data; BadChange if it has none."""
    return _PAYLOAD.decode(data).update


class Updates:
    """Takes the updates out of a board's changes: each change has one. Changes that are no updates of ours are
    ignored."""

    waiting = False
    """No change is a piece of an update."""

    def __init__(self) -> None:
        self.damaged = 0
        """Changes that were left out."""

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """See app.store.projection.Feeder."""
        updates = []
        for _, data in changes:
            try:
                updates.append(decode(data))
            except BadChange:
                self.damaged += 1
        return updates
