# SPDX-License-Identifier: EUPL-1.2
"""A board's change on disk and on the wire: one update of its CRDT document."""

import msgspec

from app.objects.object import Payload


class BoardUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="update"):
    """`update` is what app/objects/crdt.py made; it merges in any order, any number of times."""

    update: bytes


_PAYLOAD: Payload[BoardUpdate] = Payload(BoardUpdate)


def encode(update: bytes) -> bytes:
    """An update as a change's data."""
    return _PAYLOAD.encode(BoardUpdate(update=update))


def decode(data: bytes) -> bytes:
    """The update in a change's data; BadChange if it is none."""
    return _PAYLOAD.decode(data).update
