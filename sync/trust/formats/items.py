# SPDX-License-Identifier: EUPL-1.2
"""Positions of a room's stream, roles, and the running hash over all positions (protocol §4)."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from sync.crypto.kdf import H
from sync.ids import Hash, RoomId
from sync.protocol.messages import WireItem

ENTRY = 1
ENVELOPE = 2
RH_0 = Hash(bytes(32))
STUB = struct.Struct(">QB32s")
"""A position without its item, as a `promise` frame lists it: t (ms), kind, id."""


class Role(IntEnum):
    """What a member may do; each role includes those below it."""

    READER = 1
    WRITER = 2
    ADMIN = 3
    OWNER = 4


@dataclass(frozen=True, slots=True)
class Item:
    """One position as the server sends it. `ct` is None for entries, and for content that was destroyed or pruned.

    `sig` is empty inside a batch before its tail; `t` is in ms since 1970.
    """

    n: int
    t: int
    kind: int
    body: bytes
    sig: bytes
    ct: bytes | None

    @classmethod
    def of(cls, wire: WireItem) -> "Item":
        """The position that a frame carries."""
        return cls(wire.n, wire.t, wire.kind, wire.body, wire.sig, wire.ct)


def item_id(kind: int, body: bytes) -> Hash:
    """The id of an entry or an envelope, which the running hash covers."""
    return H("room-log" if kind == ENTRY else "op-id", body)


def next_rh(rh: bytes, n: int, t: int, kind: int, ident: bytes) -> Hash:
    """`rh_n` from `rh_{n-1}`."""
    return H("rh", rh, struct.pack(">QQB", n, t, kind), ident)


def stub(item: Item) -> bytes:
    """The item's stub, 41 B."""
    return STUB.pack(item.t, item.kind, item_id(item.kind, item.body))


def room_id_of(genesis_id: bytes) -> RoomId:
    """The id of the room that begins with this genesis."""
    return RoomId(genesis_id[:16])
