# SPDX-License-Identifier: EUPL-1.2
"""Ids and hashes on the wire: 16-byte look-up ids, and 32-byte hashes that prove history."""

from typing import NewType

Uid = NewType("Uid", bytes)
"""16 B, `H(user log genesis)[:16]`: one person."""

DevId = NewType("DevId", bytes)
"""16 B, one device of one person."""

RoomId = NewType("RoomId", bytes)
"""16 B, `H(room genesis)[:16]`."""

ObjId = NewType("ObjId", bytes)
"""16 B random id of an object; the root object has the room's id."""

ChangeId = NewType("ChangeId", bytes)
"""16 B random id of a change: it is applied once, however often it is received."""

PartId = NewType("PartId", bytes)
"""16 B random id of one sealed part of a blob."""

Hash = NewType("Hash", bytes)
"""32 B SHA-256."""

NO_UID = Uid(b"")
NO_ROOM = RoomId(b"")
