# SPDX-License-Identifier: EUPL-1.2
"""The names of things as the rest of app/ imports them, and new random ones."""

import os
import time

from sync.ids import ChangeId, DevId, Hash, ObjId, PartId, RoomId, Uid

__all__ = ["ChangeId", "DevId", "Hash", "ObjId", "PartId", "RoomId", "Uid", "new_change", "new_id", "new_obj", "short"]


def new_id() -> bytes:
    """16 random bytes."""
    return os.urandom(16)


def new_obj() -> ObjId:
    """The id of a new object."""
    return ObjId(new_id())


def new_change() -> ChangeId:
    """The id of a new change: 48 bits of time (ms), 80 random ones. Ids made about the same time are neighbours in
    every index: a transaction of 64 messages touches a third of the pages. Only the room's members see the time."""
    return ChangeId((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))


def short(value: bytes) -> str:
    """The first four bytes as hex: enough to follow an id through a log."""
    return value[:4].hex()
