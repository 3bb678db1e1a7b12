# SPDX-License-Identifier: EUPL-1.2
"""The content of changes: of minutes an update of their CRDT, of an agenda a record."""

from collections.abc import Sequence

import msgspec

from app.core.visible import one_line
from app.errors import BadChange
from app.objects.crdt import is_update
from app.objects.object import Payload
from app.objects.replay import Unpacked

ITEM_BYTES = 16
MAX_ITEM = 500


class MinuteUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="update", omit_defaults=True):
    """A CRDT update. `title`: the title after it, if it changed that. `begun`: for a state, its other fields."""

    update: bytes
    title: str | None = None
    begun: bytes = b""


class ItemAdded(msgspec.Struct, frozen=True, kw_only=True, tag="item", omit_defaults=True):
    """Something for the next meeting. `stated_by`: the person who added it in the room that this one continues, as the
    person who carried it over states."""

    item: bytes
    text: str
    stated_by: bytes | None = None


class ItemClosed(msgspec.Struct, frozen=True, kw_only=True, tag="closed"):
    """An item was handled (`on`), or is open again. The latest counts."""

    item: bytes
    on: bool


MINUTE: Payload[MinuteUpdate] = Payload(MinuteUpdate)
AGENDA: Payload[ItemAdded | ItemClosed] = Payload(ItemAdded | ItemClosed)


def encode(update: bytes, title: str | None = None, begun: bytes = b"") -> bytes:
    """An update as a change's data."""
    return MINUTE.encode(MinuteUpdate(update=update, title=title, begun=begun))


def unpack(data: bytes) -> Unpacked:
    """See `app.objects.replay.Unpack`."""
    record = MINUTE.decode(data)
    return Unpacked(record.update, record.begun)


def check(data: bytes) -> str | None:
    """The title that a change gives its minutes, or None. BadChange if it is no update."""
    record = MINUTE.decode(data)
    if not is_update(record.update):
        raise BadChange("damaged-update")
    return one_line(record.title) if record.title else None


def item_in(data: bytes) -> ItemAdded | ItemClosed:
    """The record of an agenda's change, its text on one line. BadChange if there is none."""
    record = AGENDA.decode(data)
    if len(record.item) != ITEM_BYTES:
        raise BadChange("malformed")
    if isinstance(record, ItemClosed):
        return record
    text = one_line(record.text, MAX_ITEM)
    if not text:
        raise BadChange("malformed")
    return msgspec.structs.replace(record, text=text)


class Updates:
    """Takes the updates out of changes: each has one."""

    waiting = False

    def __init__(self) -> None:
        self.damaged = 0

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """See `app.store.projection.Feeder`."""
        updates = []
        for _, data in changes:
            try:
                updates.append(MINUTE.decode(data).update)
            except BadChange:
                self.damaged += 1
        return updates
