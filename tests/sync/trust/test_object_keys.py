# SPDX-License-Identifier: EUPL-1.2
"""The keys of a room's objects are kept while the room is open, until an object is forgotten."""

from sync.ids import RoomId
from sync.trust.room.envelope import ObjectKeys

ROOM = RoomId(b"r" * 16)
LETTER, PLAN = b"l" * 16, b"p" * 16


def test_a_forgotten_object_has_no_key_and_the_others_keep_theirs() -> None:
    keys = ObjectKeys(ROOM)
    first, other = (keys.key(b"e" * 32, 1, obj, b"s" * 16) for obj in (LETTER, PLAN))
    assert keys.key(bytes(32), 1, LETTER, b"s" * 16) == first, "a kept key needs no epoch key"
    keys.forget(LETTER)
    assert keys.key(bytes(32), 1, LETTER, b"s" * 16) != first
    assert keys.key(bytes(32), 1, PLAN, b"s" * 16) == other
