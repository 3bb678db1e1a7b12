# SPDX-License-Identifier: EUPL-1.2
"""The names of things as the rest of app/ imports them, and new random ones."""

import os

from sync.ids import ChangeId, DevId, Hash, ObjId, PartId, RoomId, Uid

__all__ = ["ChangeId", "DevId", "Hash", "ObjId", "PartId", "RoomId", "Uid", "new_change", "new_id", "new_obj", "short"]


def new_id() -> bytes:
    """16 random bytes."""
    return os.urandom(16)


def new_obj() -> ObjId:
    """The id of a new object."""
    return ObjId(new_id())


def new_change() -> ChangeId:
    """The id of a new change."""
    return ChangeId(new_id())


def short(value: bytes) -> str:
    """The first four bytes as hex: enough to follow an id through a log."""
    return value[:4].hex()
