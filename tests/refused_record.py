# SPDX-License-Identifier: EUPL-1.2
"""A disk that refuses one record of a room."""

from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from app.errors import BadChange, StoreUnwritable
from app.rooms.records import Record, decode
from app.store.store import Store


def refuse_once(store: Store, monkeypatch: pytest.MonkeyPatch, kind: type[Record]) -> None:
    """The disk refuses the next record of this kind that is written here in a room."""
    append, refused = store.changes.append, list[bytes]()

    def is_of_kind(data: bytes) -> bool:
        try:
            return isinstance(decode(data), kind)
        except BadChange:
            return False

    def refusing(room: RoomId, obj: ObjId, data: bytes, **rest: Any) -> Any:
        if not refused and obj == ObjId(room) and is_of_kind(data):
            refused.append(data)
            raise StoreUnwritable
        return append(room, obj, data, **rest)

    monkeypatch.setattr(store.changes, "append", refusing)
