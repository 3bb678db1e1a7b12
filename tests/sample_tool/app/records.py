# SPDX-License-Identifier: EUPL-1.2
"""The records of an agenda. The changes of minutes are those of app/objects/pieces.py."""

import msgspec

from app.core.visible import one_line
from app.errors import BadChange
from app.objects.object import Payload

ITEM_BYTES = 16
MAX_ITEM = 500


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


AGENDA: Payload[ItemAdded | ItemClosed] = Payload(ItemAdded | ItemClosed)


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
